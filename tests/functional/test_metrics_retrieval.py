import math
from functools import partial

import numpy as np
import pytest
from drawn_rows import ranks
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from jointrec.functional.metrics import mrr, ndcg_at, pessimistic_rank, recall_at


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@given(ranks(), st.integers(1, 12))
def test_they_are_means_over_rows(rows, k):
    total = rows.weights.sum()
    assume(total > 0)
    hit = gain = reciprocal = 0.0
    for rank, weight in zip(rows.answers, rows.weights, strict=True):
        hit += weight * (rank <= k)
        gain += weight / math.log2(1 + rank) if rank <= k else 0.0
        reciprocal += weight / rank
    assert recall_at(rows.labels, rows.answers, k=k, weights=rows.weights) == close(hit / total)
    assert ndcg_at(rows.labels, rows.answers, k=k, weights=rows.weights) == close(gain / total)
    assert mrr(rows.labels, rows.answers, weights=rows.weights) == close(reciprocal / total)


def test_ndcg_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    scores = random.random((50, 30))
    right = random.integers(0, 30, 50)
    rank = pessimistic_rank(scores, right)
    for k in (1, 5, 30):
        expected = ndcg_score(np.eye(30)[right], scores, k=k)
        assert ndcg_at(right, rank, k=k) == close(expected)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=8), st.data())
def test_the_rank_counts_what_is_level_as_before(scores, data):
    right = data.draw(st.integers(0, len(scores) - 1))
    others = scores[:right] + scores[right + 1 :]
    expected = 1 + sum(score >= scores[right] for score in others)
    assert pessimistic_rank(np.array([scores]), np.array([right])).tolist() == [expected]


def test_a_score_that_is_nan_never_helps():
    scores = np.array([[np.nan, 0.5, 0.1], [np.nan, 0.5, 0.1]])
    assert pessimistic_rank(scores, np.array([1, 0])).tolist() == [2.0, 3.0]


def test_k_is_bound_ahead():
    hits = partial(recall_at, k=2)
    rank = np.array([1.0, 2.0, 3.0, np.inf])
    assert hits(np.ones(4), rank) == 0.5
    assert hits(np.array([1, 1, np.nan, np.nan]), rank) == 1.0
    assert mrr(np.ones(4), rank) == close((1 + 1 / 2 + 1 / 3) / 4)
    assert ndcg_at(np.ones(4), rank) == close((1 + 1 / math.log2(3) + 1 / 2) / 4)
