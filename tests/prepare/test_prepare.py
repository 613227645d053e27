"""Preparation learns from training rows only, and reads a row online as it did offline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import simulated_shop
from hypothesis import given, settings
from hypothesis import strategies as st

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.features import Bags
from jointrec.plan import plan
from jointrec.prepare import (
    Asked,
    Fields,
    Preparation,
    Prepared,
    Reader,
    Rows,
    Tables,
    asked_again,
    build_reader,
    load,
    over,
    prepare,
)
from jointrec.prepare.prepare import context_of
from jointrec.splits import TEST, TRAIN, VALID

DAY = 86_400_000_000
VALID_CUT = datetime(2025, 1, 27)


def prepared(project: jr.Project) -> tuple[Reader, Prepared]:
    reader, made, _ = prepare(project, plan(project), load(project))
    return reader, made


@cache
def shop() -> tuple[Reader, Prepared]:
    return prepared(simulated_shop.project())


GRAINS = [grain.name for grain in plan(simulated_shop.project()).grains]


def test_the_shop_has_every_way_of_asking():
    grains = [asked.grain for asked in shop()[1].asked.values()]
    assert [grain.name for grain in grains] == GRAINS
    assert {grain.asking for grain in grains} == {"row", "once", "every", "before"}


# --- what is learned ------------------------------------------------------------------------------


def scrambled(frames: Mapping[str, pl.DataFrame], seed: int) -> dict[str, pl.DataFrame]:
    """The tables with everything from the validation cut on changed.

    Only the very last moment of the data stays, for it says how long the data are. Rows keep their
    places: sums in another order differ in their last bits.
    """
    changed = dict(frames)
    cut = pl.lit(VALID_CUT).cast(pl.Datetime("us")).cast(pl.Int64)
    for name, time in (("impression", "shown_at"), ("purchase", "paid_at")):
        late = pl.col(time) >= VALID_CUT
        last = pl.col(time) == pl.col(time).max()
        rows = frames[name].with_columns(
            pl.when(late).then(pl.col(column).shuffle(seed)).otherwise(pl.col(column)).alias(column)
            for column in frames[name].columns
            if column not in (time, "impression_id", "order_id")
        )
        rows = rows.with_columns(
            pl.when(late & ~last)
            .then(((pl.col(time).cast(pl.Int64) + cut) // 2).cast(frames[name][time].dtype))
            .otherwise(pl.col(time))
            .alias(time)
        )
        if name == "purchase":
            rows = rows.with_columns(
                pl.when(late).then(pl.col("value") * 1e7).otherwise(pl.col("value")).alias("value")
            )
        changed[name] = rows
    return changed


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_from_the_validation_cut_on_is_learned(seed: int):
    before = shop()[0].preparation
    frames = scrambled(simulated_shop.tables(), seed)
    assert not frames["impression"].equals(simulated_shop.tables()["impression"])
    after = prepared(simulated_shop.project(frames))[0].preparation
    assert after.to_json() == before.to_json()


def test_what_is_before_the_cut_is_learned():
    frames = dict(simulated_shop.tables())
    frames["impression"] = frames["impression"].with_columns(
        pl.when(pl.col("shown_at") < VALID_CUT)
        .then(pl.lit("moon"))
        .otherwise("device")
        .alias("device")
    )
    after = prepared(simulated_shop.project(frames))[0].preparation
    assert after.features["impression.device"]["values"] == ["moon"]
    assert after.to_json() != shop()[0].preparation.to_json()


def test_a_late_row_with_an_old_key_pushes_out_nothing():
    frames = dict(simulated_shop.tables())
    rows = frames["impression"]
    late = rows.filter(pl.col("shown_at") >= VALID_CUT).head(50)
    stolen = late.with_columns(rows["impression_id"].head(50), clicked=pl.lit(1, dtype=rows["clicked"].dtype))
    frames["impression"] = pl.concat([stolen, rows])
    reader, _ = prepared(simulated_shop.project(frames))
    assert len(reader.tables.quarantine["impression"]) == 50
    assert reader.preparation.to_json() == shop()[0].preparation.to_json()


def test_a_preparation_survives_json():
    preparation = shop()[0].preparation
    again = Preparation.from_json(preparation.to_json())
    assert again.to_json() == preparation.to_json()
    assert again.layout == preparation.layout
    assert (again.scales, again.ids, again.cuts) == (
        preparation.scales,
        preparation.ids,
        preparation.cuts,
    )


def test_the_fused_table_is_filled_without_gaps_or_overlaps():
    preparation, project = shop()[0].preparation, shop()[0].project
    taken = {}
    for place, first in preparation.offsets.items():
        table, _, column = place.partition(".")
        if column == "@id":
            size = len(preparation.ids[table]) + 1
        else:
            declared = {**project.entity, **project.event}[table].features[column]
            size = declared.table_rows(preparation.features[place])
        taken[first] = size
    starts = sorted(taken)
    assert starts[0] == 0
    ends = [start + taken[start] for start in starts]
    assert starts[1:] == ends[:-1]
    assert ends[-1] == preparation.layout.table_rows
    # Titles and queries are the same words.
    assert preparation.offsets["item.title"] == preparation.offsets["query.words"]


def test_ids_are_those_seen_on_enough_days_before_the_cut():
    rows: list[tuple[str, Any]] = []
    for name, time in (("impression", "shown_at"), ("purchase", "paid_at")):
        frame = simulated_shop.tables()[name].filter(pl.col(time) < VALID_CUT)
        rows += frame.select("user_id", pl.col(time).dt.date()).iter_rows()
    days, counts = defaultdict(set), Counter(user for user, _ in rows)
    for user, day in rows:
        days[user].add(day)
    often = [user for user in counts if len(days[user]) >= 3]
    expected = sorted(sorted(often), key=lambda user: -counts[user])
    assert 10 < len(expected) < len(counts)
    assert list(shop()[0].preparation.ids["user"]) == expected


def test_numbers_are_standardised_by_training_rows():
    made = shop()[1]
    asked = made.asked["item every 3d"]
    train = asked.parts["sales"] == TRAIN
    numbers = asked.moments["item"].numbers[asked.at["item"]][train]
    varied = numbers.std(axis=0) > 0
    assert varied.sum() > 5
    unclipped = (np.abs(numbers) < 5).all(axis=0) & varied
    np.testing.assert_allclose(numbers[:, unclipped].mean(axis=0, dtype=float), 0, atol=0.5)
    assert np.isfinite(numbers).all()
    assert np.abs(numbers).max() <= 5


# --- the same bits --------------------------------------------------------------------------------


def arrays(value: Any) -> list[np.ndarray]:
    """Every array in what was prepared, in one order."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, Mapping):
        return [array for item in value.values() for array in arrays(item)]
    if isinstance(value, tuple):
        return [array for item in value for array in arrays(item)]
    if hasattr(value, "__dataclass_fields__"):
        names = value.__dataclass_fields__
        return [array for name in names for array in arrays(getattr(value, name))]
    return []


def assert_same(one: Any, other: Any) -> None:
    first, second = arrays(one), arrays(other)
    assert len(first) == len(second) > 0
    for a, b in zip(first, second, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_twice_is_the_same_bits():
    reader, made = prepared(simulated_shop.project())
    assert reader.preparation.to_json() == shop()[0].preparation.to_json()
    assert_same(made, shop()[1])


@pytest.mark.parametrize("grain", GRAINS)
def test_asking_again_gives_what_was_asked(grain: str):
    reader, made = shop()
    again = asked_again(reader, made.asked[grain].grain)
    assert_same(again, made.asked[grain])
    moved = over(reader, load(reader.project, learned=reader.preparation))
    assert_same(asked_again(moved, made.asked[grain].grain), made.asked[grain])


# --- training = serving ---------------------------------------------------------------------------


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
    return [
        (past.kinds[run].tolist(), past.times[run].tolist())
        + tuple(objects[run].tolist() for objects in past.objects.values())
        for run in runs
    ]


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


@pytest.mark.parametrize("grain", ["impression", "user every 3d, active 14d", "user before purchase",
                                   "item every 3d"])  # fmt: skip
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
    reader, made = shop()
    moments = made.asked["impression"].moments["user"]
    assert (moments.stop > moments.start).mean() > 0.2
    assert made.asked["impression"].pairs[("user", "item")].std(axis=0).max() > 0.5


# --- a flat table ---------------------------------------------------------------------------------


def flat(split: jr.ByEntity | jr.ByTime, **changes: Any) -> jr.Project:
    generator = np.random.default_rng(0)
    rows = 400
    frame = pl.DataFrame(
        {
            "age": generator.integers(18, 80, rows).astype(float),
            "country": generator.choice(["de", "fr", "it"], rows),
            "loyal": generator.integers(0, 2, rows),
            "spent": generator.gamma(2.0, 10.0, rows),
        }
    )
    return jr.Project(
        entity={
            "person": jr.Entity(
                frame, features={"age": f.Number(), "country": f.Category()}, **changes
            )
        },
        tasks={"loyal": t.Binary("person.loyal"), "spent": t.Amount("person.spent")},
        split=split,
    )


@pytest.mark.parametrize("split", [jr.ByEntity(), jr.ByTime()], ids=repr)
def test_a_flat_table(split: jr.ByEntity | jr.ByTime):
    project = flat(split)
    reader, made = prepared(project)
    asked = made.asked["person"]
    assert len(asked) == 400
    assert (asked.times, asked.pairs, made.past, made.popularity) == (None, {}, {}, {})
    assert asked.clock.shape == asked.moments["person"].numbers.shape == (400, 0)
    np.testing.assert_array_equal(asked.parts["loyal"], asked.parts["spent"])
    shares = [(asked.parts["loyal"] == part).mean() for part in (TRAIN, VALID, TEST)]
    assert sum(shares) == 1
    assert np.abs(np.array(shares) - [0.7, 0.1, 0.2]).max() < 0.06
    np.testing.assert_array_equal(asked.labels["loyal"], project.entity["person"].source["loyal"])
    numbers = made.things["person"].fields.numbers[1:]
    train = asked.parts["loyal"] == TRAIN
    assert numbers[train, 0].mean() == pytest.approx(0, abs=1e-5)
    assert numbers[train, 0].std() == pytest.approx(1, abs=1e-5)
    assert made.things["person"].fields.ids.shape == (401, 2)
    assert len(np.unique(made.things["person"].fields.ids[1:, 1])) == 3
    again = Preparation.from_json(reader.preparation.to_json())
    assert again.to_json() == reader.preparation.to_json()


def test_a_flat_table_learns_from_training_rows_only():
    project = flat(jr.ByEntity())
    reader, made = prepared(project)
    test = pl.Series(made.asked["person"].parts["loyal"] != TRAIN)
    source = project.entity["person"].source
    changed = source.with_columns(
        pl.when(test).then(1e9).otherwise(pl.col("age")).alias("age"),
        pl.when(test).then(pl.lit("moon")).otherwise(pl.col("country")).alias("country"),
        pl.when(test).then(1 - pl.col("loyal")).otherwise(pl.col("loyal")).alias("loyal"),
    )
    entity = replace(project.entity["person"], source=changed)
    after, _ = prepared(replace(project, entity={"person": entity}))
    assert after.preparation.to_json() == reader.preparation.to_json()
    assert after.tables.entities["person"]["age"].null_count() == test.sum()


def test_a_split_by_entity_learns_no_rate_from_those_who_test():
    project = replace(simulated_shop.project(), split=jr.ByEntity())
    reader, made = prepared(project)
    asked = made.asked["impression"]
    frames = dict(simulated_shop.tables())
    late = pl.Series(asked.parts["click"] != TRAIN)
    frames["impression"] = frames["impression"].with_columns(
        pl.when(late).then(1 - pl.col("clicked")).otherwise(pl.col("clicked")).alias("clicked")
    )
    after, _ = prepared(replace(simulated_shop.project(frames), split=jr.ByEntity()))
    assert after.preparation.rates == reader.preparation.rates
