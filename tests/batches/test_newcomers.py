"""In training a few things are met without their past, as those that are new will be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.batches import Assembler
from jointrec.batches.newcomers import forget
from jointrec.plan import Plan, plan
from jointrec.prepare import Prepared, obtain
from jointrec.prepare.prepared import Moments
from jointrec.splits import TRAIN

DAYS = 60
START = np.datetime64("2024-01-01")


def shop() -> jr.Project:
    days = [str(START + n) for n in range(DAYS)]
    items = pl.DataFrame({"item": ["a", "b"], "size": [1.0, 2.0]})
    lines = pl.DataFrame(
        {"item": ["a", "b"] * DAYS, "at": np.repeat(days, 2), "pieces": [1, 3] * DAYS}
    )
    plans = pl.DataFrame({"item": ["a"] * DAYS, "day": days})
    item = jr.Entity(items, key="item", features={"size": f.Number()}, id_floor=0)
    return jr.Project(
        entity={"item": item},
        event={
            "line": jr.Event(lines, entities=("item",), time="at"),
            "promotion": jr.Event(plans, entities=("item",), time="day", ahead="7d"),
        },
        tasks={"sales": t.Count(later.sum("line.pieces", of="item", within="7d", every="1d"))},
        counters=("7d",),
        split=jr.ByTime(test_days=14, valid_days=10),
    )


@pytest.fixture(scope="module")
def ready() -> tuple[jr.Project, Plan, Prepared]:
    project = shop()
    return project, plan(project), obtain(project, plan(project), Path(), cache=None).prepared


def test_without_a_past_numbers_are_those_of_nobody(
    ready: tuple[jr.Project, Plan, Prepared],
) -> None:
    project, planned, prepared = ready
    nothing = prepared.layout.nothing["item"]
    names = prepared.layout.moments["item"]
    kept = [name for name, value in zip(names, nothing, strict=True) if value is None]
    assert kept == ["promotion next 7d"]  # a plan for a new item is known
    (asked,) = prepared.asked.values()
    rows = np.flatnonzero(asked.parts["sales"] == TRAIN)
    plain, batch = (
        Assembler.of(project, prepared, planned)([(asked, rows)], seed=(3,), strangers=strangers)
        for strangers in (False, True)
    )
    before, after = (one.examples[0].moments["item"] for one in (plain, batch))
    moved = (before.numbers != after.numbers).any(dim=1)
    assert 0.02 < moved.double().mean() < 0.25
    told = np.array([np.nan if value is None else value for value in nothing], np.float32)
    hidden = after.numbers[moved].numpy()
    own = before.numbers[moved].numpy()
    np.testing.assert_array_equal(hidden, np.where(np.isnan(told), own, told))
    assert before.history is not None
    assert after.history is not None
    np.testing.assert_array_equal(after.history.there.any(dim=1), ~moved)
    assert before.history.there.any(dim=1).all()


def test_only_what_is_known_by_more_than_its_past_is_met_so() -> None:
    project = shop()
    bare = jr.Entity(project.entity["item"].source, key="item", id_floor=0)
    bare = jr.Project(**{**vars(project), "entity": {"item": bare}})
    layout = obtain(bare, plan(bare), Path(), cache=None).prepared.layout
    assert layout.nothing == {}


@pytest.mark.parametrize(("rate", "starts"), [(0.0, [0, 2, 4]), (1.0, [2, 4, 6])])
def test_a_past_is_forgotten_at_a_rate(rate: float, starts: list[int]) -> None:
    numbers = np.ones((3, 3), np.float32)
    at = np.arange(0, 6, 2)
    moments = Moments(at, at, numbers, at, at + 2)
    found = forget(moments, (0.5, None), rate, np.random.default_rng(0))
    assert found.start.tolist() == starts
    assert found.numbers.tolist() == [[0.5 if rate else 1.0, 1.0, 1.0]] * 3
    assert (numbers == 1).all()
