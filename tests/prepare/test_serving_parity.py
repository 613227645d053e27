"""What a server reads of a row is, bit for bit, what training read of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_shop import GRAINS
from simulated_shop import prepared_shop as shop

from jointrec.features import Bags
from jointrec.prepare import Asked, Fields, Preparation, Reader, Rows, Tables, build_reader
from jointrec.prepare.prepare import context_of

DAY = 86_400_000_000


def some(fields: Fields, rows: np.ndarray) -> tuple[Any, ...]:
    """A few rows of fields, with bags as lists."""
    return fields.ids[rows], [bags(bag, rows) for bag in fields.bags], fields.numbers[rows]


def bags(bag: Bags, rows: np.ndarray) -> list[list[int]]:
    return [bag.values[bag.offsets[row] : bag.offsets[row + 1]].tolist() for row in rows]


def past_of(reader: Reader, asked: Asked, entity: str, rows: np.ndarray) -> list[Any]:
    """For each row the events of its history: kind, objects, time."""
    if entity not in reader.pasts:
        return []
    past, moments = reader.pasts[entity].past, asked.moments[entity]
    runs = [slice(moments.start[at], moments.stop[at]) for at in asked.at[entity][rows]]
    columns = [past.kinds, past.times, *past.objects.values()]
    return [[column[run].tolist() for column in columns] for run in runs]


def assert_reads_the_same(
    online: Reader, read: Asked, offline: Reader, asked: Asked, rows: np.ndarray
) -> None:
    """That what was read online is, row for row and bit for bit, what training read."""
    assert len(read) == len(rows)
    here = np.arange(len(rows))
    for entity in asked.grain.sees:
        one, other = read.moments[entity], asked.moments[entity]
        at, there = read.at[entity], asked.at[entity][rows]
        np.testing.assert_array_equal(one.things[at], other.things[there])
        np.testing.assert_array_equal(one.numbers[at], other.numbers[there])
        if asked.times is not None:
            np.testing.assert_array_equal(one.times[at], other.times[there])
        assert past_of(online, read, entity, here) == past_of(offline, asked, entity, rows)
        for a, b in zip(
            some(online.things[entity].fields, one.things[at]),
            some(offline.things[entity].fields, other.things[there]),
            strict=True,
        ):
            np.testing.assert_equal(a, b)
    for pair, numbers in asked.pairs.items():
        np.testing.assert_array_equal(read.pairs[pair], numbers[rows])
    np.testing.assert_array_equal(read.clock, asked.clock[rows])
    np.testing.assert_equal(some(read.context, here), some(asked.context, rows))


def read_rows(online: Reader, offline: Reader, asked: Asked, rows: np.ndarray) -> Asked:
    """Asks a reader about rows that were asked before, as the server would."""
    codes = {
        entity: asked.moments[entity].things[asked.at[entity][rows]] for entity in asked.grain.sees
    }
    times = None if asked.times is None else asked.times[rows]
    context = context_of(asked.grain, offline.tables)
    if len(context):
        context = context[asked.source[rows]]
    return online.read(asked.grain, Rows(codes, times, np.arange(len(rows))), context)


@pytest.mark.parametrize("grain", GRAINS)
@settings(max_examples=15)
@given(data=st.data())
def test_a_handful_of_rows_reads_as_all_of_them_did(grain: str, data: st.DataObject):
    reader, made = shop()
    asked = made.asked[grain]
    picked = data.draw(st.lists(st.integers(0, len(asked) - 1), min_size=1, max_size=8))
    rows = np.array(picked)
    assert_reads_the_same(reader, read_rows(reader, reader, asked, rows), reader, asked, rows)


def known_at(tables: Tables, moment: int) -> Tables:
    """What a server knows at a moment: no later event, and no outcome that is not settled."""
    matures = {"impression": DAY, "purchase": DAY}
    outcomes = ("clicked", "favourited", "carted", "bought", "returned", "revenue")
    events = {}
    for name, frame in tables.events.items():
        if "@time" in frame.columns:
            frame = frame.filter(pl.col("@time") < moment)
            settled = pl.col("@time") + matures[name] < moment
            frame = frame.with_columns(
                pl.when(settled).then(pl.col(column)).alias(column)
                for column in outcomes
                if column in frame.columns
            )
        events[name] = frame
    return replace(tables, events=events)


TIMED = [grain for grain in GRAINS if grain not in ("judgement", "query")]


@pytest.mark.parametrize("grain", TIMED)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_what_is_not_yet_known_plays_no_part(grain: str, share: float):
    reader, made = shop()
    asked = made.asked[grain]
    assert asked.times is not None
    moment = int(np.quantile(asked.times, share, method="nearest"))
    rows = np.flatnonzero(asked.times == moment)
    learned = Preparation.from_json(reader.preparation.to_json())
    online = build_reader(reader.project, reader.plan, known_at(reader.tables, moment), learned)
    read = read_rows(online, reader, asked, rows)
    assert_reads_the_same(online, read, reader, asked, rows)


def test_most_rows_have_a_past_to_be_compared():
    _, made = shop()
    moments = made.asked["impression"].moments["user"]
    assert (moments.stop > moments.start).mean() > 0.2
    assert made.asked["impression"].pairs[("user", "item")].std(axis=0).max() > 0.5
