"""Edges cut the training rows, and no others, into equal shares."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_shop import prepared_shop as shop

from jointrec.prepare import edges
from jointrec.splits import TRAIN


def training_numbers(entity: str) -> np.ndarray:
    """The numbers of an entity at the moments of training rows, of all grains, row by row."""
    _, prepared = shop()
    found = []
    for asked in prepared.asked.values():
        if asked.times is None or entity not in asked.moments:
            continue
        train = np.any([part == TRAIN for part in asked.parts.values()], axis=0)
        used = sorted(set(asked.at[entity][train].tolist()))
        found.append(asked.moments[entity].numbers[used])
    return np.concatenate(found)


@pytest.mark.parametrize("entity", ["user", "item"])
def test_edges_are_distinct_quantiles_of_training_rows(entity):
    numbers, found = training_numbers(entity), shop()[1].layout.edges[entity]
    assert len(found) == numbers.shape[1]
    for column, own in zip(numbers.T, found, strict=True):
        ordered = sorted(column.tolist())
        places = [(len(ordered) - 1) * share // 16 for share in range(17)]
        kept = []
        for value in (ordered[place] for place in places):
            if not kept or value - kept[-1] > 1e-4:
                kept.append(value)
        assert own == pytest.approx(kept)


def test_some_numbers_have_many_pieces_and_none_too_many():
    widths = [len(own) for group in shop()[1].layout.edges.values() for own in group]
    assert max(widths) > 10 and max(widths) <= 17 and min(widths) >= 1


def test_at_most_so_many_rows_are_looked_at_evenly(monkeypatch):
    monkeypatch.setattr(edges, "LOOKED_AT", 5)
    numbers = np.arange(20, dtype=np.float32)[:, None]
    every_other = np.arange(20) % 2 == 0
    parts = [(numbers[:7], every_other[:7]), (numbers[7:], every_other[7:])]
    assert edges._looked_at(parts).ravel().tolist() == [0, 4, 8, 12, 16]


def test_nothing_to_learn_from_gives_no_edges():
    assert edges._edges(np.zeros((0, 3), np.float32)) == ((), (), ())
