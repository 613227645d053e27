"""How much of a catalogue is shown, and how little known it is, by the slow way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from jointrec.errors import DataError
from jointrec.functional.metrics import catalogue_coverage, novelty

SIZE = 7
lists = st.lists(st.lists(st.integers(0, SIZE - 1), min_size=3, max_size=3), min_size=1, max_size=9)
counts = st.lists(st.integers(0, 30), min_size=SIZE, max_size=SIZE)


@given(lists)
def test_coverage_counts_what_is_seen(shown):
    seen = {item for row in shown for item in row}
    assert catalogue_coverage(np.array(shown), SIZE) == pytest.approx(len(seen) / SIZE, abs=1e-12)


@given(lists, counts)
def test_novelty_is_the_mean_surprise(shown, chosen):
    total = sum(chosen) + SIZE
    bits = [-math.log2((chosen[item] + 1) / total) for row in shown for item in row]
    assert novelty(np.array(shown), np.array(chosen, dtype=float)) == pytest.approx(
        sum(bits) / len(bits)
    )


def test_novelty_of_showing_all_alike_is_the_cross_entropy():
    chosen = np.array([5.0, 1.0, 0.0, 9.0])
    shares = (chosen + 1) / (chosen + 1).sum()
    expected = entropy(np.full(4, 0.25), base=2) + entropy(np.full(4, 0.25), shares, base=2)
    assert novelty(np.array([[0, 1, 2, 3]]), chosen) == pytest.approx(expected, abs=1e-10)


def test_what_nobody_is_shown_has_no_number():
    nothing = np.zeros((0, 10), dtype=np.int64)
    assert math.isnan(catalogue_coverage(nothing, 5))
    assert math.isnan(novelty(nothing, np.ones(5)))


@pytest.mark.parametrize("place", [-1, 5])
def test_places_outside_the_catalogue_are_refused(place):
    with pytest.raises(DataError, match=rf"from 0 to 4, .* Found {place} to {place}."):
        catalogue_coverage(np.array([[place]]), 5)
    with pytest.raises(DataError, match="Places shown"):
        novelty(np.array([[place]]), np.ones(5))
