import math
from itertools import groupby

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from drawn_rows import amounts
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jointrec.functional.metrics import bias, gini, mae, poisson_deviance, rmse, spearman, wape


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("metric", "oracle"),
    [
        (mae, sklearn.metrics.mean_absolute_error),
        (rmse, sklearn.metrics.root_mean_squared_error),
        (poisson_deviance, sklearn.metrics.mean_poisson_deviance),
    ],
)
@given(rows=amounts())
@settings(max_examples=40)
def test_errors_are_those_of_scikit_learn(metric, oracle, rows):
    labels, answers, weights, _ = rows.counted()
    assume(len(labels) > 0)
    expected = oracle(labels, answers, sample_weight=weights)
    assert metric(rows.labels, rows.answers, weights=rows.weights) == close(expected)


@given(amounts())
def test_wape_and_bias_are_shares_of_all_there_was(rows):
    total = error = over = 0.0
    for label, answer, weight in zip(rows.labels, rows.answers, rows.weights, strict=True):
        total += weight * label
        error += weight * abs(answer - label)
        over += weight * (answer - label)
    assume(total > 0)
    assert wape(rows.labels, rows.answers, weights=rows.weights) == close(error / total)
    assert bias(rows.labels, rows.answers, weights=rows.weights) == close(over / total)


@given(amounts(weights=(0, 1, 2, 3)))
def test_spearman_is_that_of_scipy_for_rows_that_stand_there_so_often(rows):
    labels = np.repeat(rows.labels, rows.weights)
    answers = np.repeat(rows.answers, rows.weights)
    assume(len(set(labels)) > 1 and len(set(answers)) > 1)
    expected = scipy.stats.spearmanr(labels, answers).statistic
    assert spearman(rows.labels, rows.answers, weights=rows.weights) == close(expected)


def test_spearman_of_equal_answers_is_nan():
    assert math.isnan(spearman(np.array([1.0, 2.0]), np.array([3.0, 3.0])))


def slow_gini(rows, by):
    """One minus twice the area under the curve, one trapeze per run of equal rows."""
    all_rows, all_value = rows.weights.sum(), (rows.weights * rows.labels).sum()
    ordered = sorted(zip(by, rows.weights, rows.labels, strict=True))
    area = height = 0.0
    for _, run in groupby(ordered, key=lambda row: row[0]):
        run = list(run)
        width = sum(weight for _, weight, _ in run) / all_rows
        rise = sum(weight * label for _, weight, label in run) / all_value
        area += width * (height + rise / 2)
        height += rise
    return 1 - 2 * area


@given(amounts())
@settings(max_examples=40)
def test_gini_is_the_area_under_the_curve(rows):
    assume(len(set(rows.counted().labels)) > 1)
    expected = slow_gini(rows, rows.answers) / slow_gini(rows, rows.labels)
    assert gini(rows.labels, rows.answers, weights=rows.weights) == close(expected)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.randoms())
def test_without_ties_it_is_the_gini_of_competitions(labels, random):
    assume(len(set(labels)) > 1)
    labels = np.array(labels, dtype=float)
    answers = np.arange(len(labels), dtype=float)
    random.shuffle(answers)

    def steps(by):
        seen = labels[np.argsort(-by, kind="stable")]
        return (np.cumsum(seen) / seen.sum()).sum() - (len(seen) + 1) / 2

    assert gini(labels, answers) == close(steps(answers) / steps(labels))


@given(amounts())
def test_gini_of_the_labels_is_one_and_the_reverse_minus_one(rows):
    assume(len(set(rows.counted().labels)) > 1)
    assert gini(rows.labels, rows.labels, weights=rows.weights) == close(1.0)
    assert gini(rows.labels, -rows.labels, weights=rows.weights) == close(-1.0)


def test_by_eye():
    seen, said = np.array([0.0, 10.0, 20.0]), np.array([3.0, 10.0, 14.0])
    assert mae(seen, said) == 3.0
    assert rmse(seen, said) == math.sqrt(15.0)
    assert wape(seen, said) == close(0.3)
    assert bias(seen, said) == close(-0.1)
    assert wape(seen, np.zeros(3)) == 1.0
    assert bias(seen, np.zeros(3)) == -1.0
    assert gini(seen, np.zeros(3)) == 0.0
    # Two times (2 log 2 - 1) for the one row that is wrong.
    expected = 2 * (2 * math.log(2) - 1) / 2
    assert poisson_deviance(np.array([2.0, 1.0]), np.array([1.0, 1.0])) == close(expected)


def test_rates_of_zero_and_below():
    assert poisson_deviance(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0.0
    assert poisson_deviance(np.array([1.0, 1.0]), np.array([0.0, 1.0])) == math.inf
    assert math.isnan(poisson_deviance(np.array([1.0, 1.0]), np.array([-1.0, 1.0])))
