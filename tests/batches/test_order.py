from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.batches import order
from jointrec.batches.ahead import ahead
from jointrec.batches.order import (
    BLOCK,
    FEWEST_ROWS,
    FEWEST_TAKEN,
    Stream,
    shuffled,
    stream_of_lists,
    taken,
)


@given(st.integers(1, 200), st.integers(0, 500), st.integers(0, 500))
def test_a_stream_holds_every_row_equally_often(size: int, start: int, count: int) -> None:
    some = Stream(size, start, count, [3])
    rows = some[:]
    assert len(some) == len(rows) == count
    seen = Counter(rows.tolist())
    assert set(seen) <= set(range(size))
    most = max(seen.values(), default=0)
    assert most <= count // size + 2  # the first and the last pass may be cut
    whole = Stream(size, 0, start + count, [3])
    np.testing.assert_array_equal(rows, whole[start:])


@given(st.integers(1, 200), st.integers(0, 300), st.lists(st.integers(0, 60), max_size=9))
def test_a_stream_is_the_same_piece_by_piece(size: int, start: int, lengths: list[int]) -> None:
    ends = np.cumsum([0, *lengths])
    rows = Stream(size, start, int(ends[-1]), [3])
    pieces = [rows[a:b] for a, b in pairwise(ends.tolist())]
    np.testing.assert_array_equal(np.concatenate([rows[:0], *pieces]), rows[:])


@given(st.integers(1, 200), st.integers(0, 9))
def test_a_pass_is_its_blocks_one_after_the_other(size: int, seed: int) -> None:
    chance = np.random.default_rng([seed, 0])
    shift = int(chance.integers(BLOCK))
    blocks = chance.permutation(-(-(size + shift) // BLOCK))
    rows = [block * BLOCK + n - shift for block in blocks.tolist() for n in range(BLOCK)]
    assert Stream(size, 0, size, [seed])[:].tolist() == [row for row in rows if 0 <= row < size]


def test_one_pass_holds_every_row_once_in_blocks() -> None:
    rows = Stream(1000, 0, 1000, [1])[:]
    assert sorted(rows.tolist()) == list(range(1000))
    neighbours = (np.diff(rows) == 1).mean()
    assert (BLOCK - 2) / BLOCK < neighbours < 1 - 0.5 / BLOCK  # kept in blocks, and shuffled
    assert not np.array_equal(rows, Stream(1000, 0, 1000, [2])[:])
    assert not np.array_equal(rows, Stream(1000, 1000, 1000, [1])[:])


@pytest.fixture
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grain of 3,000 rows is large: 16 stretches of 32 rows make a window."""
    for name, rows in (("NEAR", 32), ("WINDOW", 512), ("LARGE", 1024)):
        monkeypatch.setattr(order, name, rows)


@pytest.mark.usefixtures("_large")
@pytest.mark.parametrize("size", [1024, 3000, 3003])
def test_a_large_grain_is_read_from_few_places_at_a_time(size: int) -> None:
    rows = Stream(size, 0, size, [1])[:]
    assert sorted(rows.tolist()) == list(range(size))
    for first in range(0, size - 512, 512):
        assert len(np.unique(rows[first : first + 512] // 32)) <= 2 * (16 + 2)  # a shift cuts some
    assert len(np.unique(rows[:128] // 32)) > 8  # a step sees many of them
    steps = rows[: size // 128 * 128].reshape(-1, 128)
    assert np.abs(steps.mean(axis=1) - size / 2).max() < 0.45 * size  # from anywhere
    assert not np.array_equal(rows, Stream(size, size, size, [1])[:])
    lists = stream_of_lists(size, 0, size, [1], np.arange(0, size, 3))
    assert sorted(lists.tolist()) == list(range(size))
    apart = np.flatnonzero(np.diff(lists) != 1) + 1
    assert (lists[apart] % 3 == 0).all()  # whole lists


def test_a_grain_that_is_not_large_is_shuffled_as_a_whole() -> None:
    blocks = order.LARGE // BLOCK - 1
    small, large = (shuffled(n, np.random.default_rng(0)) for n in (blocks, blocks + 1))
    assert np.array_equal(small, np.random.default_rng(0).permutation(blocks))
    window = order.WINDOW // BLOCK
    stretches = [len(np.unique(some[:window] * BLOCK // order.NEAR)) for some in (small, large)]
    assert stretches[1] == order.WINDOW // order.NEAR < stretches[0] / 3


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=6), st.integers(200, 5000))
def test_what_an_epoch_takes(sizes: list[int], rows: int) -> None:
    steps, counts = taken(sizes, rows)
    if not any(sizes):
        assert (steps, set(counts)) == (0, {0})
        return
    passes, part = divmod(counts[sizes.index(max(sizes))], max(sizes))
    assert part == 0  # whole passes over the largest grain: one, but for very small data
    assert passes == (1 if max(sizes) >= FEWEST_TAKEN else -(-FEWEST_TAKEN // max(sizes)))
    for size, count in zip(sizes, counts, strict=True):
        assert (count >= steps) if size else (count == 0)  # every step sees every grain
        if size:
            assert count <= max(size, steps, FEWEST_TAKEN + size)
            assert count >= FEWEST_TAKEN  # however small it is
            assert count >= size  # no row is left out of an epoch
    assert sum(counts) / steps <= max(rows, FEWEST_ROWS) + len(sizes)


def test_each_grain_is_passed_once() -> None:
    sizes = [100_000, 64_000, 25_000, 5_000]
    assert taken(sizes, 4096)[1] == tuple(sizes)


def test_very_small_grains_are_passed_until_they_have_given_enough() -> None:
    _, counts = taken([100_000, 3_000, 291], 4096)
    assert counts == (100_000, 2 * 3_000, 14 * 291)


def test_ahead_keeps_the_order_and_raises_where_it_happened() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("the third")
        return number

    made = []
    with pytest.raises(ValueError, match="the third"):
        made.extend(ahead(make, 5))
    made.extend(ahead(make, 2))
    assert made[-2:] == [0, 1]


def test_ahead_may_be_left_early() -> None:
    numbers = ahead(lambda number: number, 1000)
    assert [next(numbers), next(numbers)] == [0, 1]
    numbers.close()  # type: ignore[attr-defined]
