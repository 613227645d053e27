"""JointRec, one user and 1,000 candidates: `recommend` over a catalogue of 1,000 items.

The columns are those of the flat table: ten ids and five numbers tell of a user, as many of an
item. The network is that of the other measurements; how well it has learned plays no part here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import declared
import numpy as np
import polars as pl
from job import timed_calls
from workload import AMOUNT, BINARY, CATEGORIES, NUMERICS, TASKS, Workload, draw

import jointrec as jr
from jointrec import features as f
from jointrec import fusion, sharing
from jointrec import tasks as t

# More rows than a small flat table has, whose numbers are read otherwise.
USERS, ITEMS, SHOWN = 20_000, 1_000, 150_000


def write(folder: Path, ids: int) -> None:
    """Users, items, and which were shown to whom."""
    made = draw(Workload(ids, SHOWN, 0, seed=1))
    frame = pl.DataFrame(
        {name: made.ids[:, n] for n, name in enumerate(CATEGORIES)}
        | {name: made.numbers[:, n] for n, name in enumerate(NUMERICS)}
    )
    things = {"user": (USERS, 0), "item": (ITEMS, 1)}
    for name, (count, side) in things.items():
        columns = [*CATEGORIES[10 * side : 10 * side + 10], *NUMERICS[5 * side : 5 * side + 5]]
        rows = frame.head(count).select(columns).with_row_index(name)
        rows.write_parquet(folder / f"{name}s.parquet")
    chance = np.random.default_rng(0)
    shown = {name: chance.integers(count, size=SHOWN) for name, (count, _) in things.items()}
    shown |= {task: made.labels[:, n] for n, task in enumerate(TASKS)}
    pl.DataFrame(shown).with_columns(pl.col(TASKS).fill_nan(None)).write_parquet(
        folder / "shown.parquet"
    )


def project(precision: str) -> jr.Project:
    """The project: the same inputs and the same network as those of the flat table."""
    entities = {}
    for name, side in (("user", 0), ("item", 1)):
        features: dict[str, f.Feature] = {
            column: f.Category(floor=1) for column in CATEGORIES[10 * side : 10 * side + 10]
        }
        features |= {column: f.Number() for column in NUMERICS[5 * side : 5 * side + 5]}
        entities[name] = jr.Entity(f"{name}s.parquet", key=name, features=features, id_floor=0)
    tasks: dict[str, t.Task] = {name: t.Binary(f"shown.{name}") for name in BINARY}
    return jr.Project(
        entity=entities,
        event={"shown": jr.Event("shown.parquet", entities=("user", "item"))},
        tasks={**tasks, AMOUNT: t.Amount(f"shown.{AMOUNT}")},
        counters=(),
        fusion=fusion.Concat(),
        sharing=sharing.MMoE(widths=declared.WIDTHS, dropout=0.0, experts=declared.EXPERTS),
        **declared.precise({"epochs": 1, "rows": declared.BATCH}, precision),
    )


def timed(model: jr.Model, calls: int, rank_by: dict[str, float]) -> dict[str, float]:
    """Calls for one user after another."""

    def ask(number: int) -> None:
        model.recommend(user=str(number * 7 % USERS), k=10, rank_by=rank_by)

    return timed_calls(ask, calls)


def main() -> None:
    """The command. One line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ids", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--precision", default="")
    parser.add_argument("--cache", type=Path, help="where the trained model is kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        if given.cache is None or not given.cache.exists():
            write(folder, given.ids)
            none = jr.Compare(alone=False, baselines=(), rounds=1)
            model = jr.fit(project(given.precision), root=folder, compare=none)
            if given.cache is not None:
                model.save(given.cache)
        else:
            model = jr.load(given.cache)
        told: dict[str, Any] = {
            "latency_ms": timed(model, given.calls, dict.fromkeys(TASKS, 1.0)),
            "latency_one_task_ms": timed(model, given.calls, {"click": 1.0}),
        }
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main()
