"""What every split promises. A new one is tested by being in `splits.__all__`."""

from __future__ import annotations

from inspect import isabstract

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec import splits
from jointrec.splits import TEST, TRAIN, UNUSED, VALID, Cuts, Split

DAY = 86_400_000_000
DAYS = 90
MEMBERS = [
    member
    for name in splits.__all__
    if isinstance(member := getattr(splits, name), type)
    and issubclass(member, Split)
    and not isabstract(member)
]
each = pytest.mark.parametrize("kind", MEMBERS)
ROWS = st.lists(
    st.tuples(
        st.integers(0, DAYS * DAY - 1),
        st.sampled_from([0, 1, DAY, 7 * DAY, 30 * DAY]),
        st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=40,
)


def arrays(rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    moments, windows, keys = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return moments, moments + windows, keys


def leaks(parts: np.ndarray, known_at: np.ndarray, cuts: Cuts) -> list[int]:
    """The rows whose labels were not yet known when the part they are in had to be used."""
    limits = {TRAIN: cuts.valid, VALID: cuts.test}
    return [
        row
        for row, part in enumerate(parts.tolist())
        if (limit := limits.get(part)) is not None and known_at[row] > limit
    ]


def test_there_are_members() -> None:
    assert {member.__name__ for member in MEMBERS} >= {"ByTime", "ByEntity"}


@each
def test_is_made_without_arguments_and_compares_by_value(kind: type[Split]) -> None:
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    assert kind.__doc__


@each
@given(ROWS)
def test_no_label_is_used_before_it_is_known(kind: type[Split], rows) -> None:
    moments, known_at, keys = arrays(rows)
    cuts = kind().cuts(0, DAYS * DAY - 1)
    parts = kind().parts(moments, known_at, keys, cuts)
    assert parts.dtype == np.int8
    assert parts.shape == (len(rows),)
    assert np.isin(parts, (TRAIN, VALID, TEST, UNUSED)).all()
    assert leaks(parts, known_at, cuts) == []


def test_the_test_above_sees_a_planted_leak() -> None:
    cuts = Cuts(valid=10, test=20)
    parts = np.array([TRAIN, TRAIN, VALID, VALID, TEST, UNUSED], dtype=np.int8)
    known_at = np.array([10, 11, 20, 21, 99, 99])
    assert leaks(parts, known_at, cuts) == [1, 3]


@each
@given(ROWS, st.randoms())
def test_parts_do_not_depend_on_the_order_of_rows(kind: type[Split], rows, random) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    moments, known_at, keys = arrays(rows)
    cuts = kind().cuts(0, DAYS * DAY - 1)
    parts = kind().parts(moments, known_at, keys, cuts)
    again = kind().parts(moments[order], known_at[order], keys[order], cuts)
    np.testing.assert_array_equal(parts[order], again)


@each
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30))
def test_rows_without_a_time_are_cut_by_key_alone(kind: type[Split], keys) -> None:
    column = np.array(keys, dtype=np.int64)
    parts = kind().parts(None, None, column, Cuts(None, None))
    with_time = kind().parts(None, None, column, Cuts(10, 20))
    np.testing.assert_array_equal(parts, with_time)
    for key, part in zip(keys, parts.tolist(), strict=True):
        alone = kind().parts(None, None, np.array([key], dtype=np.int64), Cuts(None, None))
        assert alone.tolist() == [part]
        assert part != UNUSED


@each
def test_rows_without_a_time_fall_into_shares(kind: type[Split]) -> None:
    for keys in (np.arange(50_000), np.arange(50_000) * 2**40):
        parts = kind().parts(None, None, keys, Cuts(None, None))
        shares = np.bincount(parts, minlength=4) / len(keys)
        # Deviation of a share of 50,000 is 0.0018 at most: six of them.
        np.testing.assert_allclose(shares, [0.7, 0.1, 0.2, 0], rtol=0, atol=0.011)
