"""The best of many, against sorting all of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jointrec.model.best import best_of


@given(st.integers(0, 3), st.integers(0, 40), st.integers(1, 45), st.integers(0, 2**32 - 1))
def test_it_is_what_sorting_gives_also_among_equals(
    rows: int, candidates: int, k: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(-3, 4, (rows, candidates)).astype(np.float64)
    scores[draw.random(scores.shape) < 0.1] = -np.inf
    scores[draw.random(scores.shape) < 0.1] = np.nan
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(best_of(scores, k), expected)
