"""What is known ahead is read after the moment; nothing else ever is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.evaluation.baselines.matrix import matrix
from jointrec.labels import DAY
from jointrec.plan import plan
from jointrec.prepare import obtain
from jointrec.sharing import SharedBottom

DAYS, ITEMS, LIFT = 140, 40, 5.0
START = np.datetime64("2024-01-01")


def day(number: int) -> str:
    return str(START + number)


def world() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Items, their sales, and their promotions: on such a day five times as much is sold.

    Promotions are planned for four weeks beyond the last sale.
    """
    generator = np.random.default_rng(0)
    rates = np.tile(np.geomspace(0.3, 3.0, ITEMS // 4), 4)
    promoted = np.repeat(generator.random((DAYS // 7 + 4, ITEMS)) < 0.25, 7, axis=0)
    pieces = generator.poisson(rates * np.where(promoted[:DAYS], LIFT, 1.0))
    when, item = np.nonzero(pieces)
    lines = pl.DataFrame(
        {
            "item": [f"i{n}" for n in item],
            "at": [day(number) for number in when],
            "pieces": pieces[when, item],
        }
    )
    when, item = np.nonzero(promoted)
    plans = pl.DataFrame({"item": [f"i{n}" for n in item], "day": [day(n) for n in when]})
    items = pl.DataFrame({"item": [f"i{n}" for n in range(ITEMS)], "size": np.log(rates)})
    return items, lines, plans


def shop(*, ahead: str | None = "28d", **changes: pl.DataFrame) -> jr.Project:
    items, lines, plans = world()
    return jr.Project(
        entity={"item": jr.Entity(items, key="item", features={"size": f.Number()}, id_floor=0)},
        event={
            "line": jr.Event(changes.get("lines", lines), entities=("item",), time="at"),
            "promotion": jr.Event(
                changes.get("plans", plans), entities=("item",), time="day", ahead=ahead
            ),
        },
        tasks={"sales": t.Count(later.sum("line.pieces", of="item", within="7d"))},
        counters=("1d", "7d", "28d"),
        sharing=SharedBottom(widths=(32, 16)),
        split=jr.ByTime(test_days=28, valid_days=21),
        budget=jr.Budget(epochs=8, rows=256, patience=2),
    )


def numbers(project: jr.Project, until: int) -> tuple[tuple[str, ...], np.ndarray]:
    """All that is read of the rows asked up to a moment."""
    prepared = obtain(project, plan(project), Path(), cache=None).prepared
    (asked,) = prepared.asked.values()
    rows = np.flatnonzero(asked.times <= until)
    return (read := matrix(prepared, asked, rows)).names, read.values


def test_only_what_is_declared_ahead_looks_forward() -> None:
    """The rows after a moment change: sales say nothing of it, plans within four weeks do."""
    _, lines, plans = world()
    cut = DAYS - 28
    moment = int((START + cut).astype("datetime64[us]").astype(np.int64))
    early = {"lines": lines["at"] < day(cut), "plans": plans["day"] < day(cut)}
    names, before = numbers(shop(), moment)
    fewer = lines.filter(early["lines"] | (pl.int_range(len(lines), eager=True) % 2 == 0))
    assert (numbers(shop(lines=fewer), moment)[1] == before).all()
    _, after = numbers(shop(plans=plans.filter(early["plans"])), moment)
    moved = {name for n, name in enumerate(names) if (before[:, n] != after[:, n]).any()}
    assert moved == {f"item: promotion next {window}" for window in ("1d", "7d", "28d")}
    _, undeclared = numbers(shop(ahead=None), moment)
    assert undeclared.shape[1] == before.shape[1] - 3


def test_plans_are_no_data_yet() -> None:
    found = obtain(shop(), plan(shop()), Path(), cache=None)
    last = int((START + DAYS).astype("datetime64[us]").astype(np.int64))
    assert found.tables.until <= last
    assert len(found.tables.events["promotion"]) == len(world()[2])
    (asked,) = found.prepared.asked.values()
    known = ~np.isnan(asked.labels["sales"])
    assert (asked.times[known] + 7 * DAY <= found.tables.until).all()


@pytest.fixture(scope="module")
def model() -> jr.Model:
    return jr.fit(shop(), compare=jr.Compare(alone=False, baselines=(), rounds=20))


def test_a_promotion_to_come_lifts_the_forecast(model: jr.Model) -> None:
    blind = jr.fit(shop(ahead=None), compare=jr.Compare(alone=False, baselines=(), rounds=20))
    seeing, guessing = (
        m.report.tasks["sales"].systems["joint"]["poisson_deviance"].value for m in (model, blind)
    )
    assert seeing < 0.5 * guessing
    # A week after the last sale, by plans that reach beyond it.
    plans = world()[2].filter((pl.col("day") >= day(DAYS)) & (pl.col("day") < day(DAYS + 7)))
    said = model.predict("sales").with_columns(pl.col("item").is_in(plans["item"].implode()))
    mean = said.group_by("item").agg(pl.col("answer").mean()).sort("item")["answer"]
    assert 2.5 < mean[1] / mean[0] < 8.0


def test_no_task_may_ask_for_what_is_known_ahead() -> None:
    project = shop()
    promoted = t.Binary(later.any("promotion", of="item", within="7d"))
    with pytest.raises(ProjectError, match="answer would be given away"):
        plan(replace(project, tasks={**project.tasks, "promoted": promoted}))
