from collections import Counter
from importlib import import_module

import numpy as np
import pytest
import torch
from quick import small_grains_seldom
from shop_prepared import impressions, prepared

from jointrec.batches import Assembler, Batch, Loader, pieces
from jointrec.batches.loader import rows_of
from jointrec.batches.order import FEWEST_TAKEN
from jointrec.splits import TRAIN

_, PLAN, _ = prepared()
# Every impression says by its context number which row it is.
ASKED = impressions(PLAN.grains[0])
ASKED.context.numbers[:, 0] = np.arange(len(ASKED))
SHOP, PLAN, PREPARED = prepared(impression=ASKED)
ASSEMBLE = Assembler(PREPARED, PLAN, last=3)


def rows_in(batches: list[Batch]) -> list[int]:
    return [
        int(number)
        for batch in batches
        for examples in batch.examples
        if examples.grain.name == "impression"
        for number in examples.context.numbers[:, 0]
    ]


def test_an_epoch_holds_every_training_row_of_the_largest_grain_equally_often() -> None:
    loader = Loader(ASSEMBLE, 128, 0)
    known = np.zeros(len(ASKED), dtype=bool)
    for task, labels in ASKED.labels.items():
        known |= ~np.isnan(labels) & (ASKED.parts[task] == TRAIN)
    batches = list(loader.epoch(0))
    assert len(batches) == loader.steps > 5
    passes = -(-FEWEST_TAKEN // int(known.sum()))
    assert passes > 1  # the shop is very small
    assert Counter(rows_in(batches)) == Counter(np.flatnonzero(known).tolist() * passes)
    assert sum(len(batch) for batch in batches) == sum(loader.taken.values())


def test_every_batch_holds_every_grain() -> None:
    for batch in Loader(ASSEMBLE, 128, 0).epoch(0):
        assert [e.grain.name for e in batch.examples] == [grain.name for grain in PLAN.grains]


def test_the_order_follows_from_the_seed_and_the_epoch() -> None:
    with small_grains_seldom():
        first = rows_in(list(Loader(ASSEMBLE, 128, 0).epoch(0)))
        assert rows_in(list(Loader(ASSEMBLE, 128, 0).epoch(0))) == first
        assert rows_in(list(Loader(ASSEMBLE, 128, 0).epoch(1))) != first
        assert rows_in(list(Loader(ASSEMBLE, 128, 1).epoch(0))) != first
        assert sorted(rows_in(list(Loader(ASSEMBLE, 128, 1).epoch(1)))) == sorted(first)


def test_only_rows_of_the_tasks_that_learn() -> None:
    loader = Loader(ASSEMBLE, 128, 0, tasks=("buy",))
    (batch, *rest) = list(loader.epoch(0))
    assert {e.grain.name for b in (batch, *rest) for e in b.examples} == {"impression"}
    expected = np.flatnonzero(~np.isnan(ASKED.labels["buy"]) & (ASKED.parts["buy"] == TRAIN))
    passes = -(-FEWEST_TAKEN // len(expected))
    assert Counter(rows_in([batch, *rest])) == Counter(expected.tolist() * passes)


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_pieces_keep_the_order(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("jointrec.batches.pieces"), "PIECE", size)
    rows = np.array([5, 900, 3, 3, 17])
    assert rows_in(list(pieces(ASSEMBLE, ASKED, rows))) == rows.tolist()
    assert list(pieces(ASSEMBLE, ASKED, np.zeros(0, dtype=np.int64))) == []


def test_rows_of_a_part_are_those_with_a_known_label() -> None:
    for part in (0, 1, 2):
        rows = rows_of(ASSEMBLE, ASKED, part, ("click",))
        expected = (ASKED.parts["click"] == part) & ~np.isnan(ASKED.labels["click"])
        assert torch.equal(torch.from_numpy(rows), torch.from_numpy(np.flatnonzero(expected)))
