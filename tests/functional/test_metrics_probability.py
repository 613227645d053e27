import math
from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics
from drawn_rows import CLASSES, flags, picks
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jointrec.functional.metrics import (
    accuracy,
    choice_log_loss,
    ece,
    log_loss,
    normalized_entropy,
    pcoc,
)


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@given(flags())
@settings(max_examples=40)
def test_log_loss_is_that_of_scikit_learn(rows):
    labels, answers, weights, _ = rows.counted()
    assume(len(labels) > 0)
    expected = sklearn.metrics.log_loss(labels, answers, sample_weight=weights, labels=[0, 1])
    assert log_loss(rows.labels, rows.answers, weights=rows.weights) == close(expected)


@given(flags())
@settings(max_examples=40)
def test_normalized_entropy_is_log_loss_over_the_entropy_of_the_base_rate(rows):
    labels, answers, weights, _ = rows.counted()
    assume(len(set(labels)) == 2)
    base = np.average(labels, weights=weights)
    entropy = -base * math.log(base) - (1 - base) * math.log(1 - base)
    expected = sklearn.metrics.log_loss(labels, answers, sample_weight=weights) / entropy
    value = normalized_entropy(rows.labels, rows.answers, weights=rows.weights)
    assert value == close(expected)


@given(picks())
@settings(max_examples=40)
def test_choice_log_loss_and_accuracy_are_those_of_scikit_learn(rows):
    labels, answers, weights, _ = rows.counted()
    assume(len(labels) > 0)
    expected = sklearn.metrics.log_loss(
        labels, answers, sample_weight=weights, labels=list(range(CLASSES))
    )
    assert choice_log_loss(rows.labels, rows.answers, weights=rows.weights) == close(expected)
    expected = sklearn.metrics.accuracy_score(labels, answers.argmax(1), sample_weight=weights)
    assert accuracy(rows.labels, rows.answers, weights=rows.weights) == close(expected)


@given(flags())
@settings(max_examples=40)
def test_two_classes_are_a_yes_or_no(rows):
    both = np.stack([1 - rows.answers, rows.answers], axis=1)
    for one, other in [(choice_log_loss, log_loss), (accuracy, accuracy)]:
        wide = one(rows.labels, both, weights=rows.weights)
        narrow = other(rows.labels, rows.answers, weights=rows.weights)
        assert wide == pytest.approx(narrow, abs=1e-9, nan_ok=True)


def slow_ece(labels, answers, weights, bins):
    """One row after the other, in fractions."""
    weights = [Fraction(weight) for weight in weights]
    gaps = dict.fromkeys(range(bins), Fraction(0))
    for label, answer, weight in zip(labels, answers, weights, strict=True):
        below = sum(w for w, a in zip(weights, answers, strict=True) if a < answer)
        level = sum(w for w, a in zip(weights, answers, strict=True) if a == answer)
        place = math.floor(bins * (below + level / 2) / sum(weights))
        gaps[place] += weight * (Fraction(label) - Fraction(answer))
    return float(sum(abs(gap) for gap in gaps.values()) / sum(weights))


@given(flags(), st.integers(1, 20))
@settings(max_examples=40)
def test_ece_is_the_slow_one(rows, bins):
    labels, answers, weights, _ = rows.counted()
    assume(len(labels) > 0)
    value = ece(rows.labels, rows.answers, weights=rows.weights, bins=bins)
    assert value == close(slow_ece(labels, answers, weights, bins))


def test_ece_bins_hold_equal_mass_where_no_answers_are_equal():
    # Three bins of ten rows: said 0.2, 0.5 and 0.8 on average; seen 0.1, 0.7 and 0.8.
    spread = np.linspace(-0.05, 0.05, 10)
    answers = np.concatenate([0.2 + spread, 0.5 + spread, 0.8 + spread])
    labels = np.concatenate([np.arange(10) < yes for yes in (1, 7, 8)])
    assert ece(labels, answers, bins=3) == close((0.1 + 0.2 + 0.0) / 3)


def test_one_answer_for_all_is_one_bin():
    labels = np.array([0.0] * 7 + [1.0] * 3)
    assert ece(labels, np.full(10, 0.3)) == close(0.0)
    assert ece(labels, np.full(10, 0.5)) == close(0.2)


def test_by_eye():
    half = np.array([0.5, 0.5, 0.5, 0.5])
    labels = np.array([0, 0, 1, 1])
    assert log_loss(labels, half) == close(math.log(2))
    assert normalized_entropy(labels, half) == close(1.0)
    assert pcoc(labels, half) == 1.0
    assert pcoc(np.array([0, 0, 0, 1]), half) == 2.0
    # Right for sure is worth nothing, wrong for sure 52 halvings.
    assert log_loss(labels, labels.astype(float)) == close(0.0)
    assert log_loss(labels, 1.0 - labels) == close(52 * math.log(2))
    # Of equals the first class is taken, in both forms.
    assert accuracy(labels, half) == 0.5
    assert accuracy(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])) == 0.5
