"""The simulated shop, small, with windows short enough for its few weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources

import polars as pl

import jointrec as jr
from jointrec import later
from jointrec import tasks as t
from jointrec.plan import plan
from jointrec.prepare import Prepared, Reader, load, prepare

SOURCES = {
    "user": "users", "item": "items", "query": "queries", "impression": "impressions",
    "purchase": "purchases", "judgement": "judgements",
}  # fmt: skip
CUT = "2025-02-03"
"""Where testing begins: four weeks after the shop opens."""


@cache
def tables(users: int = 300) -> Mapping[str, pl.DataFrame]:
    """What the shop would have in its files, by the name of the entity or the event."""
    made = jr.simulate.Shop(users=users, items=40, days=36, seed=5).tables()
    return {name: made[source] for name, source in SOURCES.items()}


def project(frames: Mapping[str, pl.DataFrame] | None = None) -> jr.Project:
    """The declarations of the shop over its tables in memory."""
    frames = frames or tables()
    text = (resources.files("jointrec.simulate") / "shop.toml").read_text(encoding="utf-8")
    whole = jr.parse(text)
    soon = {"active": "14d", "every": "3d"}
    return replace(
        whole,
        entity={n: replace(e, source=frames[n], id_floor=3) for n, e in whole.entity.items()},
        event={n: replace(e, source=frames[n]) for n, e in whole.event.items()},
        tasks={
            **{name: task for name, task in whole.tasks.items() if isinstance(task.label, str)},
            "churn": t.Binary(later.no("purchase", of="user", within="7d", **soon)),
            "spend": t.Amount(later.sum("purchase.value", of="user", within="5d", **soon)),
            "next_item": t.Retrieval(later.next("purchase.item", of="user")),
            "sales": t.Count(later.sum("purchase.quantity", of="item", within="3d", every="3d")),
        },
        split=jr.ByTime(test_from=CUT, valid_days=7),
    )


def prepared(declared: jr.Project) -> tuple[Reader, Prepared]:
    reader, made, _ = prepare(declared, plan(declared), load(declared))
    return reader, made


@cache
def prepared_shop() -> tuple[Reader, Prepared]:
    return prepared(project())


GRAINS = [grain.name for grain in plan(project()).grains]
