import math

import numpy as np
import pytest
from drawn_rows import CLASSES, flags, picks
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from jointrec.functional.metrics import auc, gauc, gauc_groups, macro_auc, pr_auc


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def slow_auc(labels, answers, weights):
    """Every pair of a row that happened and one that did not."""
    right = total = 0.0
    for yes, high, much in zip(labels, answers, weights, strict=True):
        for no, low, many in zip(labels, answers, weights, strict=True):
            if yes == 1 and no == 0:
                total += much * many
                right += much * many * (1.0 if high > low else 0.5 if high == low else 0.0)
    return right / total if total else None


@given(flags())
@settings(max_examples=40)
def test_auc_is_every_pair_compared(rows):
    expected = slow_auc(rows.labels, rows.answers, rows.weights)
    value = auc(rows.labels, rows.answers, weights=rows.weights)
    assert math.isnan(value) if expected is None else value == close(expected)


@given(flags())
@settings(max_examples=40)
def test_auc_and_average_precision_are_those_of_scikit_learn(rows):
    labels, answers, weights, _ = rows.counted()
    assume(len(set(labels)) == 2)
    expected = roc_auc_score(labels, answers, sample_weight=weights)
    assert auc(rows.labels, rows.answers, weights=rows.weights) == close(expected)
    expected = average_precision_score(labels, answers, sample_weight=weights)
    assert pr_auc(rows.labels, rows.answers, weights=rows.weights) == close(expected)


def test_they_are_so_for_many_rows_with_uneven_weights():
    random = np.random.default_rng(0)
    answers = np.round(random.normal(size=20_000), 2)
    labels = (random.random(20_000) < 0.03).astype(float)
    weights = random.exponential(size=20_000)
    expected = roc_auc_score(labels, answers, sample_weight=weights)
    assert auc(labels, answers, weights=weights) == close(expected)
    expected = average_precision_score(labels, answers, sample_weight=weights)
    assert pr_auc(labels, answers, weights=weights) == close(expected)


@given(flags())
def test_turning_the_answers_round_turns_the_auc_round(rows):
    up = auc(rows.labels, rows.answers, weights=rows.weights)
    down = auc(rows.labels, -rows.answers, weights=rows.weights)
    assert down == pytest.approx(1 - up, abs=1e-12, nan_ok=True)


def test_auc_orders_the_infinite_too():
    assert auc(np.array([0, 1, 1]), np.array([-np.inf, np.inf, 0.0])) == 1.0


def areas_and_weights(rows):
    areas = []
    for group in set(rows.groups):
        mine = rows.groups == group
        area = slow_auc(rows.labels[mine], rows.answers[mine], rows.weights[mine])
        if area is not None:
            areas.append((area, rows.weights[mine].sum()))
    return areas


@given(flags(most=60))
@settings(max_examples=40)
def test_gauc_is_the_auc_of_each_group_averaged(rows):
    areas = areas_and_weights(rows)
    value = gauc(rows.labels, rows.answers, weights=rows.weights, groups=rows.groups)
    if areas:
        assert value == close(sum(a * w for a, w in areas) / sum(w for _, w in areas))
    else:
        assert math.isnan(value)


def test_gauc_of_many_groups_with_uneven_weights():
    random = np.random.default_rng(1)
    groups = random.integers(0, 400, 5_000)
    answers = np.round(random.normal(size=5_000), 1)
    labels = (random.random(5_000) < 0.1).astype(float)
    weights = random.exponential(size=5_000)
    sums = np.zeros(2)
    for group in range(400):
        mine = groups == group
        if len(set(labels[mine])) == 2:
            area = roc_auc_score(labels[mine], answers[mine], sample_weight=weights[mine])
            sums += weights[mine].sum() * np.array([area, 1.0])
    assert gauc(labels, answers, weights=weights, groups=groups) == close(sums[0] / sums[1])


@given(flags(), st.permutations([-(2**63), -1, 0, 7, 2**63 - 1]))
def test_groups_may_be_any_whole_numbers(rows, names):
    far = np.array(names)[rows.groups + 2]
    near = gauc(rows.labels, rows.answers, groups=rows.groups)
    assert gauc(rows.labels, rows.answers, groups=far) == pytest.approx(
        near, abs=1e-12, nan_ok=True
    )


def test_gauc_without_groups_is_nan():
    assert math.isnan(gauc(np.array([0, 1]), np.array([0.1, 0.2])))


@given(flags())
@settings(max_examples=40)
def test_gauc_groups_counts_them(rows):
    seen = [set(rows.labels[rows.groups == group]) for group in set(rows.groups)]
    expected = (sum(len(classes) == 2 for classes in seen), len(seen))
    assert gauc_groups(rows.labels, rows.groups) == expected


def test_gauc_groups_of_nothing_known():
    assert gauc_groups(np.array([np.nan]), np.array([3])) == (0, 0)


@given(picks())
@settings(max_examples=40)
def test_macro_auc_is_that_of_scikit_learn(rows):
    labels, answers, weights, _ = rows.counted()
    assume(len(set(labels)) == CLASSES)
    expected = roc_auc_score(labels, answers, multi_class="ovr", sample_weight=weights)
    assert macro_auc(rows.labels, rows.answers, weights=rows.weights) == close(expected)


def test_macro_auc_leaves_out_a_class_that_nobody_has():
    answers = np.array([[0.6, 0.3, 0.1], [0.2, 0.1, 0.7]])
    assert macro_auc(np.array([0, 2]), answers) == 1.0
    assert math.isnan(macro_auc(np.array([1, 1]), answers))


def test_by_eye():
    # From the top: yes, no, yes, no. Precision at the two yeses: 1/1 and 2/3.
    labels, answers = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6])
    assert auc(labels, answers) == 0.75
    assert pr_auc(labels, answers) == close((1 + 2 / 3) / 2)
    # All level: guessing.
    assert auc(labels, np.zeros(4)) == 0.5
    assert pr_auc(labels, np.zeros(4)) == 0.5
