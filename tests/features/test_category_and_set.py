from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.errors import ProjectError
from jointrec.features import Category, Set
from jointrec.features.bags import bags_of, gather_bags
from jointrec.features.vocabulary import counted

NAMES = st.sampled_from(["a", "b", "c", "d", "007", "7", "é", "红"]) | st.none()


@given(st.lists(NAMES, max_size=60), st.integers(1, 6), st.integers(1, 5) | st.none())
def test_vocabulary_is_that_of_a_plain_count(names, floor, size) -> None:
    counts = Counter(name for name in names if name is not None)
    kept = sorted((n for n in counts if counts[n] >= floor), key=lambda n: (-counts[n], n.encode()))
    feature = Category(floor=floor, size=size)
    state = feature.learn(pl.Series(names, dtype=pl.String))
    assert state == {"values": kept[:size]}
    assert feature.table_rows(state) == len(state["values"]) + 1


@given(st.lists(NAMES, max_size=60), st.integers(1, 9))
def test_what_is_counted_in_pieces_is_what_is_counted(names, piece) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("durable.pieces", "features.vocabulary"):
            patch.setattr(f"jointrec.{module}.PIECE", piece)
        found = dict(counted(pl.Series(names, dtype=pl.String)).rows())
    assert found == Counter(name for name in names if name is not None)


@given(st.lists(NAMES, max_size=60), st.lists(NAMES, max_size=20))
def test_category_is_its_place_or_zero(trained, asked) -> None:
    state = Category(floor=2).learn(pl.Series(trained, dtype=pl.String))
    found = Category(floor=2).encode(pl.Series(asked, dtype=pl.String), state).values.tolist()
    places = {name: place for place, name in enumerate(state["values"], 1)}
    assert found == [places.get(name, 0) for name in asked]


def test_names_are_text() -> None:
    state = Category(floor=1).learn(pl.Series(["007", "7", "12345678901234567890"]))
    assert sorted(state["values"]) == ["007", "12345678901234567890", "7"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Category(floor=0), "`floor` should be at least 1. Found `0`."),
        (lambda: Category(size=0), "`size` should be at least 1, or be left out to keep all."),
        (lambda: Set(floor=0), "`floor` should be at least 1. Found `0`."),
    ],
)
def test_settings_that_cannot_be(make, says) -> None:
    with pytest.raises(ProjectError) as caught:
        make()
    assert says in str(caught.value)


@given(st.lists(st.none() | st.lists(NAMES, max_size=5), max_size=30), st.integers(1, 4))
def test_set_is_that_of_plain_sets(lists, floor) -> None:
    sets = [{name for name in names or [] if name is not None} for names in lists]
    counts = Counter(name for names in sets for name in names)
    kept = sorted((n for n in counts if counts[n] >= floor), key=lambda n: (-counts[n], n.encode()))
    column = pl.Series(lists, dtype=pl.List(pl.String))
    state = Set(floor=floor).learn(column)
    assert state == {"values": kept}

    bags = Set(floor=floor).encode(column, state)
    places = {name: place for place, name in enumerate(kept, 1)}
    wanted = [sorted({places.get(name, 0) for name in names}) for names in sets]
    start, stop = bags.offsets[:-1], bags.offsets[1:]
    assert [bags.values[a:b].tolist() for a, b in zip(start, stop, strict=True)] == wanted


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=12), st.data())
def test_bags_are_gathered_as_lists_would_be(lists, data) -> None:
    rows = np.repeat(np.arange(len(lists)), [len(places) for places in lists])
    flat = np.array([place for places in lists for place in places], dtype=np.int64)
    order = np.array(data.draw(st.permutations(range(len(flat)))), dtype=np.int64)
    bags = bags_of(rows[order], flat[order], num_rows=len(lists))
    asked = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=9)) if lists else []
    found = gather_bags(bags, np.array(asked, dtype=np.int64))
    wanted = [sorted(set(lists[row])) for row in asked]
    assert found.values.tolist() == [place for places in wanted for place in places]
    assert np.diff(found.offsets).tolist() == [len(places) for places in wanted]
