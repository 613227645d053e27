"""Metrics of grades against scikit-learn and against the slow way."""

import math

import numpy as np
import pytest
from drawn_rows import CLASSES, lists, picks
from hypothesis import given, settings
from sklearn.metrics import cohen_kappa_score, ndcg_score

from jointrec.errors import DataError
from jointrec.functional import metrics

few = settings(max_examples=60)


@given(rows=picks(least=2))
@few
def test_kappa_is_that_of_scikit_learn(rows):
    rows = rows.counted()
    if len(rows.labels) == 0:
        return
    said = np.floor(rows.answers @ np.arange(CLASSES) + 0.5)
    if len({*rows.labels, *said}) < 2:
        return
    expected = cohen_kappa_score(
        rows.labels, said, weights="quadratic", labels=range(CLASSES), sample_weight=rows.weights
    )
    assert metrics.kappa(rows.labels, rows.answers, weights=rows.weights) == pytest.approx(
        expected, abs=1e-10
    )


@given(rows=picks(least=2))
@few
def test_ranked_probability_is_the_sum_over_thresholds(rows):
    rows = rows.counted()
    if len(rows.labels) == 0:
        return
    said, seen = rows.answers.cumsum(1)[:, :-1], rows.labels[:, None] <= np.arange(CLASSES - 1)
    expected = np.average(((said - seen) ** 2).sum(1) / (CLASSES - 1), weights=rows.weights)
    value = metrics.ranked_probability(rows.labels, rows.answers, weights=rows.weights)
    assert value == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("k", [1, 3, 10])
@given(rows=lists(least=2))
@few
def test_ndcg_within_is_that_of_scikit_learn_group_by_group(k, rows):
    rows = rows.counted()
    found, weight = [], []
    for group in np.unique(rows.groups):
        mine = rows.groups == group
        gains = 2 ** rows.labels[mine] - 1
        if gains.min() < gains.max():
            found.append(ndcg_score([gains], [rows.answers[mine]], k=k))
            weight.append(rows.weights[mine].mean())
    value = metrics.ndcg_within(
        rows.labels, rows.answers, k=k, weights=rows.weights, groups=rows.groups
    )
    if found:
        assert value == pytest.approx(np.average(found, weights=weight), abs=1e-10)
    else:
        assert math.isnan(value)


def test_by_eye():
    sure = np.eye(3)
    assert metrics.kappa(np.array([0.0, 1.0, 2.0]), sure) == 1.0
    assert metrics.kappa(np.array([0.0, 2.0]), sure[[2, 0]]) == -1.0
    assert metrics.kappa(np.array([0.0, 2.0]), sure[[1, 1]]) == 0.0
    assert math.isnan(metrics.kappa(np.array([1.0, 1.0]), sure[[1, 1]]))
    assert metrics.grade_mae(np.array([0.0, 2.0]), sure[[2, 2]]) == 1.0
    assert metrics.ranked_probability(np.array([0.0]), sure[[2]]) == 1.0
    assert metrics.ranked_probability(np.array([0.0]), sure[[1]]) == 0.5
    assert metrics.grade_spearman(np.array([0.0, 1.0, 2.0]), sure[::-1]) == -1.0
    lone = np.array([7, 7])
    assert metrics.ndcg_within(np.array([3.0, 0.0]), np.array([0.2, 0.1]), groups=lone) == 1.0
    assert math.isnan(metrics.ndcg_within(np.array([2.0, 2.0]), np.array([0.2, 0.1]), groups=lone))
    assert math.isnan(metrics.ndcg_within(np.array([2.0, 0.0]), np.array([0.2, 0.1])))


@pytest.mark.parametrize(("levels", "best", "middle"), [(3, 3, 1), (5, 15, 3), (13, 15, 3)])
def test_no_number_of_levels_makes_the_best_one_all_that_counts(levels, best, middle):
    """The gains of three rows in the worst order, worked out from the discounts by hand."""
    labels = np.array([0.0, levels // 2, levels - 1])
    said = np.eye(levels)[[levels - 1, levels // 2, 0]]
    discount = 1 / np.log2([2, 3, 4])
    expected = [middle, best] @ discount[1:] / ([best, middle] @ discount[:2])
    found = metrics.ndcg_within(labels, said, groups=np.array([1, 1, 1]))
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_right_chances_have_the_least_ranked_probability():
    right = np.array([0.2, 0.3, 0.5])
    labels = np.repeat([0.0, 1.0, 2.0], [2, 3, 5])

    def score(chances):
        return metrics.ranked_probability(labels, np.tile(chances, (10, 1)))

    others = np.random.default_rng(0).dirichlet([1, 1, 1], 200)
    assert all(score(right) <= score(other) for other in others)


def test_negative_grades_are_refused():
    with pytest.raises(DataError, match="ndcg_within: labels must be grades of 0 or more"):
        metrics.ndcg_within(np.array([-1.0]), np.array([0.1]), groups=np.array([0]))
