"""The one rule that every metric follows, whatever it measures."""

import math

import numpy as np
import pytest
from drawn_rows import COMPANIONS, METRICS, OF_GROUPS, ROWS_OF, column
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec.errors import DataError
from jointrec.functional import metrics
from jointrec.functional.metrics.rows import known

every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
few = settings(max_examples=12)


def rows_of(data, metric, **options):
    return data.draw(ROWS_OF[metric.__name__](**options))


def same(one, other):
    return one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True)


def test_every_public_name_is_a_metric_or_its_companion():
    assert set(metrics.__all__) == set(ROWS_OF) | COMPANIONS


@every_metric
@given(data=st.data())
@few
def test_weights_of_one_are_no_weights(metric, data):
    labels, answers, _, groups = rows_of(data, metric)
    plain = metric(labels, answers, groups=groups)
    assert type(plain) is float
    np.testing.assert_equal(
        metric(labels, answers, weights=np.ones(len(labels)), groups=groups), plain
    )


@every_metric
@given(data=st.data())
@few
def test_a_weight_is_how_often_a_row_stands_there(metric, data):
    labels, answers, weights, groups = rows_of(data, metric, weights=(0, 1, 2, 3))
    again = np.repeat(np.arange(len(labels)), weights)
    if metric.__name__ in OF_GROUPS:  # each copy of a row belongs to another copy of its group
        copy = np.concatenate([np.zeros(0, dtype=int), *map(np.arange, weights)])
        expected = metric(labels[again], answers[again], groups=groups[again] + 100 * copy)
        assert same(metric(labels, answers, weights=weights, groups=groups), expected)
        return
    weighted = metric(labels, answers, weights=weights, groups=groups)
    assert same(weighted, metric(labels[again], answers[again], groups=groups[again]))


@every_metric
@given(data=st.data())
@few
def test_only_the_proportions_of_weights_count(metric, data):
    labels, answers, weights, groups = rows_of(data, metric)
    once = metric(labels, answers, weights=weights, groups=groups)
    assert same(metric(labels, answers, weights=weights * 1e-3, groups=groups), once)


@every_metric
@given(data=st.data())
@few
def test_the_order_of_rows_does_not_count(metric, data):
    rows = rows_of(data, metric)
    mixed = np.argsort(column(data.draw, range(256), len(rows.labels)), kind="stable")
    labels, answers, weights, groups = (part[mixed] for part in rows)
    once = metric(rows.labels, rows.answers, weights=rows.weights, groups=rows.groups)
    assert same(metric(labels, answers, weights=weights, groups=groups), once)


@every_metric
@given(data=st.data())
@few
def test_an_unknown_row_and_a_row_without_weight_are_as_if_not_there(metric, data):
    labels, answers, weights, groups = rows_of(data, metric)
    hidden = column(data.draw, (False, True), len(labels))
    weights = np.where(hidden, 1.0, weights)
    expected = metric(
        labels[~hidden], answers[~hidden], weights=weights[~hidden], groups=groups[~hidden]
    )
    # Not even an answer that is nan counts in such a row.
    answers = answers.copy()
    answers[hidden] = np.nan
    unknown = np.where(hidden, np.nan, labels)
    assert same(metric(unknown, answers, weights=weights, groups=groups), expected)
    without = np.where(hidden, 0.0, weights)
    assert same(metric(labels, answers, weights=without, groups=groups), expected)


@every_metric
@given(data=st.data())
@few
def test_nothing_known_and_answers_that_are_nan_give_nan(metric, data):
    labels, answers, _, groups = rows_of(data, metric)
    nothing = np.full(len(labels), np.nan)
    assert math.isnan(metric(nothing, answers, groups=groups))
    assert math.isnan(metric(labels[:0], answers[:0], groups=groups[:0]))
    assert math.isnan(metric(labels, answers, weights=np.zeros(len(labels)), groups=groups))
    broken = answers.copy()
    broken[-1] = np.nan
    assert math.isnan(metric(labels, broken, groups=groups))


@every_metric
def test_a_negative_weight_is_refused(metric):
    answers = (
        np.ones((2, 2)) / 2
        if ROWS_OF[metric.__name__].__name__ in ("picks", "sets", "sequences", "bands", "durations")
        else np.ones(2)
    )
    for wrong in (-1.0, np.nan):
        with pytest.raises(DataError, match=r"metric\.weights: must be 0 or more for every row"):
            metric(np.array([0.0, 1.0]), answers, weights=np.array([1.0, wrong]))


def test_unequal_lengths_are_refused_with_all_of_them():
    with pytest.raises(DataError, match="labels 2, answers 3, weights 2, groups 1"):
        known(np.zeros(2), np.zeros(3), None, np.zeros(1, dtype=int))


@pytest.mark.parametrize("name", ["auc", "gauc", "pr_auc", "log_loss", "normalized_entropy", "ece"])
def test_labels_that_are_neither_yes_nor_no_are_refused(name):
    metric = getattr(metrics, name)
    with pytest.raises(DataError, match=rf"{name}: labels must be 0 \(no\), 1 \(yes\) or nan"):
        metric(np.array([1.0, 2.0]), np.array([0.1, 0.2]), groups=np.array([0, 0]))


@pytest.mark.parametrize(
    "name", ["accuracy", "choice_log_loss", "macro_auc", "kappa", "ranked_probability"]
)
@pytest.mark.parametrize("wrong", [-1.0, 0.5, 2.0])
def test_labels_that_are_no_class_are_refused(name, wrong):
    with pytest.raises(DataError, match=f"{name}: labels must be numbers of classes from 0 to 1"):
        getattr(metrics, name)(np.array([0.0, wrong]), np.array([[0.5, 0.5], [0.5, 0.5]]))


@pytest.mark.parametrize("name", ["gini", "poisson_deviance"])
def test_negative_amounts_are_refused(name):
    with pytest.raises(DataError, match=f"{name}: labels must be .* of 0 or more"):
        getattr(metrics, name)(np.array([1.0, -1.0]), np.array([1.0, 1.0]))


@pytest.mark.parametrize("name", ["log_loss", "normalized_entropy"])
@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.inf])
def test_an_answer_that_is_no_chance_gives_nan(name, wrong):
    assert math.isnan(getattr(metrics, name)(np.array([0.0, 1.0]), np.array([0.5, wrong])))


@pytest.mark.parametrize("name", ["recall_at", "ndcg_at", "mrr"])
def test_an_answer_that_is_no_rank_gives_nan(name):
    assert math.isnan(getattr(metrics, name)(np.array([1.0, 1.0]), np.array([1.0, 0.0])))


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
@pytest.mark.parametrize("name", ["auc", "gauc", "pr_auc", "normalized_entropy"])
def test_one_class_only_gives_nan(name, labels):
    answers, groups = np.array([0.1, 0.2, 0.3]), np.array([0, 0, 0])
    assert math.isnan(getattr(metrics, name)(np.array(labels), answers, groups=groups))


@pytest.mark.parametrize("name", ["gini", "spearman"])
def test_equal_labels_have_no_order(name):
    assert math.isnan(getattr(metrics, name)(np.array([2.0, 2.0]), np.array([1.0, 3.0])))


@pytest.mark.parametrize("name", ["wape", "bias", "pcoc"])
def test_a_share_of_nothing_is_nan(name):
    assert math.isnan(getattr(metrics, name)(np.array([0.0, 0.0]), np.array([1.0, 3.0])))
