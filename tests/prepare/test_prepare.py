"""Preparation learns from training rows only, and reads a row online as it did offline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
import simulated_shop
from simulated_shop import GRAINS, prepared
from simulated_shop import prepared_shop as shop

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.prepare import (
    Preparation,
    asked_again,
    load,
    over,
)
from jointrec.splits import TEST, TRAIN, VALID

DAY = 86_400_000_000
VALID_CUT = datetime(2025, 1, 27)


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
    stolen = late.with_columns(
        rows["impression_id"].head(50), clicked=pl.lit(1, dtype=rows["clicked"].dtype)
    )
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
