"""Chances beside what happened, in shares of equal mass."""

from __future__ import annotations

import numpy as np
import pytest

from jointrec.functional.metrics import ece
from jointrec.functional.reliability import BINS, reliability


def test_shares_hold_equally_many_rows_and_add_up_to_the_error() -> None:
    chance = np.random.default_rng(0)
    said = chance.random(3000)
    seen = (chance.random(3000) < said**2).astype(float)
    found = reliability(seen, said)
    assert found is not None
    assert found.rows == (200,) * BINS
    # The slow way: sort, cut in fifteen, take means.
    order = np.argsort(said)
    for place, rows in enumerate(np.split(order, BINS)):
        assert found.said[place] == pytest.approx(said[rows].mean())
        assert found.seen[place] == pytest.approx(seen[rows].mean())
    gaps = np.abs(np.array(found.said) - np.array(found.seen))
    assert found.ece == pytest.approx(gaps @ np.array(found.rows) / 3000)
    assert found.ece == pytest.approx(ece(seen, said))


def test_equal_chances_stay_together() -> None:
    found = reliability(np.array([0.0, 1.0, 0.0, 1.0]), np.full(4, 0.5))
    assert found is not None
    assert (found.said, found.seen, found.rows) == ((0.5,), (0.5,), (4,))


def test_nothing_known_tells_nothing() -> None:
    assert reliability(np.array([np.nan]), np.array([0.5])) is None
