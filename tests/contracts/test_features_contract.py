"""What every kind of feature promises. A new one is tested by being in `features.__all__`."""

from __future__ import annotations

import json
from inspect import isabstract
from typing import get_args

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec import features
from jointrec.features import Bags, Dated, Encoded, Feature, Ids, Numbers
from jointrec.features.base import CellName

MEMBERS = [
    member
    for name in features.__all__
    if isinstance(member := getattr(features, name), type)
    and issubclass(member, Feature)
    and not isabstract(member)
]
NAMES = st.sampled_from(["a", "b", "c", "", "007", "7", "红色连衣裙", "Red shirt", "é"])
CELLS = {
    "id": (pl.String, NAMES),
    "text": (pl.String, NAMES | st.text(max_size=20)),
    "number": (pl.Float64, st.floats() | st.sampled_from([0.0, -1.0, 1e-300, 9.99, 1e308])),
    "time": (pl.Int64, st.integers(-(2**63) + 1, 2**63 - 1)),
    "flag": (pl.Float64, st.sampled_from([0.0, 1.0])),
    "list": (pl.List(pl.String), st.lists(NAMES | st.none(), max_size=4)),
}
MOMENT = 1_600_000_000_000_000

each = pytest.mark.parametrize("kind", MEMBERS)
few = settings(max_examples=40)


def column(kind: type[Feature], cells: list[object]) -> pl.Series:
    return pl.Series("column", cells, dtype=CELLS[kind.cell][0])


def cells_of(data: st.DataObject, kind: type[Feature]) -> list[object]:
    return data.draw(st.lists(CELLS[kind.cell][1] | st.none(), max_size=30))


def numbers_of(feature: Feature, encoded: Encoded, state: features.State) -> np.ndarray:
    """What the network reads of numbers: at a moment, where they depend on one."""
    if isinstance(encoded, Dated):
        moments = np.full(len(encoded.values), MOMENT, dtype=np.int64)
        return feature.at(encoded.values, moments, state)
    assert isinstance(encoded, Numbers)
    return encoded.values


def rows_of(feature: Feature, encoded: Encoded, state: features.State) -> list[object]:
    """What the network reads of each row, comparable with ==."""
    if isinstance(encoded, Ids):
        return encoded.values.tolist()
    if isinstance(encoded, Bags):
        return [bag.tolist() for bag in np.split(encoded.values, encoded.offsets[1:-1])][
            : len(encoded.offsets) - 1
        ]
    return numbers_of(feature, encoded, state).tolist()


def test_there_are_members() -> None:
    assert {member.__name__ for member in MEMBERS} >= {"Category", "Number", "Set", "Text", "Time"}


@each
def test_is_made_without_arguments_and_compares_by_value(kind: type[Feature]) -> None:
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    assert kind.cell in get_args(CellName)
    assert kind.__doc__


@each
@few
@given(data=st.data())
def test_encodes_into_the_one_form_it_declares(kind: type[Feature], data: st.DataObject) -> None:
    feature, values = kind(), column(kind, cells_of(data, kind))
    state = feature.learn(column(kind, cells_of(data, kind)))
    encoded = feature.encode(values, state)
    rows, numbers = feature.table_rows(state), feature.num_numbers(state)

    assert (rows > 0) != (numbers > 0)
    assert feature.single == isinstance(encoded, Ids)
    assert feature.dated == isinstance(encoded, Dated)
    assert encoded.values.flags.writeable
    if isinstance(encoded, Ids):
        assert encoded.values.shape == (len(values),)
        assert ((encoded.values >= 0) & (encoded.values < rows)).all()
    elif isinstance(encoded, Bags):
        assert encoded.offsets[0] == 0
        assert encoded.offsets[-1] == len(encoded.values)
        assert len(encoded.offsets) == len(values) + 1
        assert (np.diff(encoded.offsets) >= 0).all()
        assert ((encoded.values >= 0) & (encoded.values < rows)).all()
        for bag in rows_of(feature, encoded, state):
            assert len(set(bag)) == len(bag)
    else:
        found = numbers_of(feature, encoded, state)
        assert found.shape == (len(values), numbers)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        assert (np.abs(found) <= 10).all()


@each
@few
@given(data=st.data())
def test_state_survives_json(kind: type[Feature], data: st.DataObject) -> None:
    feature, values = kind(), column(kind, cells_of(data, kind))
    state = feature.learn(column(kind, cells_of(data, kind)))
    again = json.loads(json.dumps(state, allow_nan=False))
    assert again == state
    before, after = feature.encode(values, state), feature.encode(values, again)
    assert rows_of(feature, before, state) == rows_of(feature, after, again)


@each
@few
@given(data=st.data())
def test_learns_the_same_from_rows_in_any_order(kind: type[Feature], data: st.DataObject) -> None:
    cells = cells_of(data, kind) * 6
    shuffled = data.draw(st.permutations(cells))
    assert kind().learn(column(kind, cells)) == kind().learn(column(kind, shuffled))


@each
@few
@given(data=st.data())
def test_a_row_is_read_by_itself(kind: type[Feature], data: st.DataObject) -> None:
    feature, cells = kind(), cells_of(data, kind)
    state = feature.learn(column(kind, cells * 6))
    kept = json.dumps(state)
    together = rows_of(feature, feature.encode(column(kind, cells), state), state)
    alone = [
        rows_of(feature, feature.encode(column(kind, [cell]), state), state)[0] for cell in cells
    ]
    assert together == alone
    assert json.dumps(state) == kept


@each
def test_no_rows_are_legal(kind: type[Feature]) -> None:
    feature, nothing = kind(), column(kind, [])
    state = feature.learn(nothing)
    assert rows_of(feature, feature.encode(nothing, state), state) == []
    encoded = feature.encode(column(kind, [None, None]), state)
    assert len(rows_of(feature, encoded, state)) == 2


@each
def test_a_missing_value_says_only_that_it_is_missing(kind: type[Feature]) -> None:
    feature, example = (
        kind(),
        {"number": 4.0, "time": MOMENT - 1, "list": ["a"]}.get(kind.cell, "a"),
    )
    state = feature.learn(column(kind, [example] * 10 + [None] * 10))
    encoded = feature.encode(column(kind, [None, example]), state)
    missing, known = rows_of(feature, encoded, state)
    assert missing != known
    if isinstance(encoded, Ids):
        assert missing == 0
    elif isinstance(encoded, Bags):
        assert missing == []
    else:
        assert sorted(missing) == [0.0, 1.0]


@each
def test_nulls_teach_nothing_but_that_there_are_some(kind: type[Feature]) -> None:
    example = {"number": 4.0, "time": MOMENT, "list": ["a"]}.get(kind.cell, "a")
    alone = dict(kind().learn(column(kind, [example] * 10)))
    beside = dict(kind().learn(column(kind, [example, None] * 10)))
    assert (alone.pop("missing", False), beside.pop("missing", True)) == (False, True)
    assert alone == beside


@each
def test_only_dated_columns_depend_on_the_moment(kind: type[Feature]) -> None:
    if kind.dated:
        return
    moments = np.zeros(1, dtype=np.int64)
    with pytest.raises(TypeError, match="does not depend on the moment"):
        kind().at(moments, moments, {})
