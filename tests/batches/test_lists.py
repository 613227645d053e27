"""Lists that are learned whole: what was shown together is together in a step, and else nowhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quick import small_grains_seldom
from shop_prepared import impressions, prepared

from jointrec.batches import Assembler, Loader, lists, order, pieces
from jointrec.batches.lists import list_by_list, whole
from jointrec.batches.loader import rows_in_lists
from jointrec.batches.order import stream_of_lists
from jointrec.splits import TRAIN

NUMBERS = st.lists(st.integers(-3, 12), max_size=60)


@given(NUMBERS, st.integers(1, 5))
@settings(max_examples=60)
def test_rows_of_a_list_stand_together_in_their_order(numbers, longest) -> None:
    rows, of = np.arange(len(numbers)) * 3, np.array(numbers, dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "LONGEST", longest)
        found, starts = list_by_list(rows, of)
    expected = [
        n for one in dict.fromkeys(numbers) for n, other in enumerate(numbers) if other == one
    ]
    assert found.tolist() == [3 * n for n in expected]
    parts = np.split(of[found // 3], starts)[1:]
    assert all(len(set(part.tolist())) == 1 and len(part) <= longest for part in parts)
    assert len(parts) == sum(-(-count // longest) for count in Counter(numbers).values())


@given(NUMBERS.filter(len), st.integers(0, 9), st.integers(1, 30))
@settings(max_examples=60)
def test_a_pass_holds_every_row_once_and_cuts_no_list(numbers, seed, steps) -> None:
    rows, starts = list_by_list(np.arange(len(numbers)), np.array(numbers))
    at = stream_of_lists(len(rows), 0, len(rows), [seed], starts)
    assert sorted(at.tolist()) == list(range(len(rows)))
    cuts = whole(np.flatnonzero(np.isin(at, starts)), len(rows), steps)
    assert (cuts[0], cuts[-1]) == (0, len(rows))
    assert (np.diff(cuts) >= 0).all()
    steps_of = [set(np.array(numbers)[rows[at[a:b]]].tolist()) for a, b in pairwise(cuts)]
    assert sum(len(found) for found in steps_of) == len(set(numbers))


LONG = np.array([2, 30, 5, 11, 1, 40, 17, 3, 9, 20])
"""How many rows the lists have, one after the other: longer than a block, and than most steps."""


def assembler(*, listed: tuple[str, ...] = ("click",)) -> Assembler:
    """Impressions in lists of very different lengths, with rows strewn over the table."""
    asked = impressions(prepared()[1].grains[0])
    number = np.resize(np.repeat(np.arange(1000), np.resize(LONG, 1000)), len(asked))
    number = number[np.random.default_rng(0).permutation(len(asked))]
    number[::50] = -1 - np.arange(len(asked))[::50]  # in no list
    asked.context.numbers[:, 0] = np.arange(len(asked))
    _, plan, found = prepared(impression=replace(asked, lists=number))
    return Assembler(found, plan, 3, listed=listed)


def cut_lists(assemble: Assembler, epoch: int) -> int:
    """In how many batches some rows of a list are and others are not, over an epoch."""
    asked = assemble.prepared.asked["impression"]
    rows = rows_in_lists(assemble, asked, TRAIN)[0]
    sizes = Counter(asked.lists[rows].tolist())
    cut = 0
    with small_grains_seldom(rows=1, steps=1):
        loader = Loader(assemble, 128, 0)
    for batch in loader.epoch(epoch):
        for examples in batch.examples:
            if examples.grain.name == "impression":
                here = Counter(examples.lists.tolist())
                cut += sum(count != sizes[number] for number, count in here.items())
    return cut


def test_every_batch_holds_whole_lists() -> None:
    assemble = assembler()
    assert [cut_lists(assemble, epoch) for epoch in range(3)] == [0, 0, 0]
    # The check sees lists that are cut: without a task that learns them, and by a planted fault.
    assert cut_lists(assembler(listed=()), 0) > 10
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "_lists_shuffled", lambda size, chance, *_: chance.permutation(size))
        assert cut_lists(assemble, 0) > 10
    with pytest.MonkeyPatch.context() as patch:
        even = lambda starts, rows, steps: rows * np.arange(steps + 1) // steps  # noqa: E731
        patch.setattr("jointrec.batches.loader.whole", even)
        assert cut_lists(assemble, 0) > 10


def test_an_epoch_holds_every_row_equally_often() -> None:
    assemble = assembler()
    with small_grains_seldom(rows=1_000):
        loader = Loader(assemble, 128, 0)
    found = Counter(
        int(number)
        for batch in loader.epoch(1)
        for examples in batch.examples
        if examples.grain.name == "impression"
        for number in examples.context.numbers[:, 0]
    )
    rows = rows_in_lists(assemble, assemble.prepared.asked["impression"], TRAIN)[0]
    passes = loader.taken["impression"] // len(rows)
    assert passes > 1
    assert found == Counter(rows.tolist() * passes)


def test_pieces_that_are_judged_hold_whole_lists(monkeypatch) -> None:
    monkeypatch.setattr(import_module("jointrec.batches.pieces"), "PIECE", 25)
    assemble = assembler()
    asked = assemble.prepared.asked["impression"]
    rows, starts = rows_in_lists(assemble, asked, TRAIN)
    seen: list[set[int]] = [
        set(batch.examples[0].lists.tolist())
        for batch in pieces(assemble, asked, rows, starts=starts)
    ]
    assert sum(len(one) for one in seen) == len(set(asked.lists[rows].tolist()))
    assert not list(pieces(assemble, asked, rows[:0], starts=starts[:0]))
