import math
import time
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from jointrec.errors import DataError
from jointrec.functional.intervals import Drawn, Interval, bootstrap, drawn, paired
from jointrec.functional.metrics import auc, choice_log_loss, gauc, mae


def mean(labels, answers, *, weights=None, groups=None):
    return float(np.average(labels, weights=weights))


def clicks(rows=400, users=50, seed=0):
    random = np.random.default_rng(seed)
    user = random.integers(0, users, rows)
    chance = np.round(random.random(rows), 2)
    labels = (random.random(rows) < chance).astype(float)
    return labels, chance, user, random


def rounds_by_hand(metric, labels, answers, clusters, groups, rounds, seed):
    """Each round with its rows really standing there as often as their cluster was drawn."""
    random = np.random.default_rng(seed)
    names = np.unique(clusters)
    values = []
    for _ in range(rounds):
        picks = names[random.integers(len(names), size=len(names))]
        rows = np.concatenate([np.flatnonzero(clusters == name) for name in picks])
        values.append(metric(labels[rows], answers[rows], groups=groups[rows]))
    return np.sort(values)


@pytest.mark.parametrize("metric", [auc, gauc, mae])
def test_a_round_is_the_rows_of_the_clusters_drawn(metric):
    labels, answers, user, _ = clicks()
    interval = bootstrap(metric, labels, answers, user, groups=user, rounds=41, seed=3, level=0.9)
    values = rounds_by_hand(metric, labels, answers, user, user, 41, 3)
    assert interval.value == pytest.approx(metric(labels, answers, groups=user), abs=1e-12)
    # Of 41 rounds in order, 5 % and 95 % are the ones numbered 2 and 38, from 0.
    assert interval.low == pytest.approx(values[2], abs=1e-12)
    assert interval.high == pytest.approx(values[38], abs=1e-12)


def test_a_pair_is_measured_on_the_same_draws():
    labels, answers, user, random = clicks()
    other = np.round(np.clip(answers + random.normal(scale=0.2, size=len(answers)), 0, 1), 2)
    interval = paired(auc, labels, answers, other, user, rounds=41, seed=3, level=0.9)
    random = np.random.default_rng(3)
    draws = []
    for _ in range(41):
        picks = np.unique(user)[random.integers(50, size=50)]
        rows = np.concatenate([np.flatnonzero(user == name) for name in picks])
        draws.append(auc(labels[rows], answers[rows]) - auc(labels[rows], other[rows]))
    draws.sort()
    assert interval.low == pytest.approx(draws[2], abs=1e-12)
    assert interval.high == pytest.approx(draws[38], abs=1e-12)
    assert interval.value == auc(labels, answers) - auc(labels, other)


def test_the_difference_to_itself_is_nothing():
    labels, answers, user, _ = clicks()
    assert paired(auc, labels, answers, answers, user) == Interval(0.0, 0.0, 0.0)


def test_the_seed_decides_and_nothing_else():
    labels, answers, user, random = clicks()
    once = bootstrap(auc, labels, answers, user)
    np.random.default_rng().random(7)
    assert bootstrap(auc, labels, answers, user) == once
    assert bootstrap(auc, labels, answers, user, seed=1) != once
    mixed = random.permutation(len(labels))
    other = bootstrap(auc, labels[mixed], answers[mixed], user[mixed])
    assert [other.low, other.high] == pytest.approx([once.low, once.high], abs=1e-12)


def test_rows_that_are_unknown_and_users_of_only_such_are_never_drawn():
    labels, answers, user, _ = clicks()
    once = bootstrap(auc, labels, answers, user)
    more = bootstrap(
        auc,
        np.append(labels, [np.nan] * 3),
        np.append(answers, [0.1, 0.2, np.nan]),
        np.append(user, [0, -5, 99]),
    )
    assert more == once


def test_answers_may_be_one_per_class():
    labels, chance, user, _ = clicks()
    both = np.stack([1 - chance, chance], axis=1)
    interval = bootstrap(choice_log_loss, labels, both.clip(0.01, 0.99), user)
    assert interval.low < interval.value < interval.high


def truth_is_inside(seed, *, by_user):
    """Forty users who differ, each with one to six rows that resemble each other; the mean is 0."""
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(40), random.integers(1, 7, 40))
    labels = random.normal(size=40)[user] + random.normal(scale=0.5, size=len(user))
    clusters = user if by_user else np.arange(len(user))
    interval = bootstrap(mean, labels, np.zeros(len(user)), clusters, rounds=100, seed=seed)
    return interval.low <= 0 <= interval.high


def test_an_interval_of_95_percent_holds_the_truth_about_so_often():
    inside = sum(truth_is_inside(seed, by_user=True) for seed in range(200))
    assert 180 <= inside <= 198


def test_drawing_rows_instead_of_users_would_be_too_sure():
    inside = sum(truth_is_inside(seed, by_user=False) for seed in range(80))
    assert inside < 0.85 * 80


def test_a_pair_is_known_better_than_either():
    labels, answers, user, random = clicks()
    other = np.clip(answers + random.normal(scale=0.02, size=len(answers)), 0, 1)
    alone = bootstrap(auc, labels, answers, user)
    together = paired(auc, labels, answers, other, user)
    assert together.high - together.low < (alone.high - alone.low) / 3


def test_rounds_without_a_number_are_left_out():
    # Only one of four users ever clicked: about a third of all rounds have no click at all.
    labels, user = np.array([1.0, 0.0, 0.0, 0.0]), np.arange(4)
    interval = bootstrap(auc, labels, np.array([0.5, 0.1, 0.2, 0.9]), user)
    assert interval.value == pytest.approx(2 / 3)
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_more_than_half_the_rounds_without_a_number_give_no_interval():
    def often_nan(labels, answers, *, weights=None, groups=None):
        return 1.0 if weights is None or weights[0] == 2 else math.nan

    interval = bootstrap(often_nan, np.zeros(9), np.zeros(9), np.arange(9))
    assert interval.value == 1.0
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize("labels", [[1.0, 2.0], [np.nan, 2.0]])
def test_one_user_tells_nothing_of_others(labels):
    interval = bootstrap(mae, np.array(labels), np.array([1.0, 1.0]), np.array([5, 5]))
    assert interval.value == np.nanmean(np.array(labels)) - 1
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_nothing_known_gives_nothing():
    interval = bootstrap(auc, np.array([np.nan]), np.array([1.0]), np.array([5]))
    assert all(math.isnan(end) for end in (interval.value, interval.low, interval.high))


def test_what_is_asked_must_make_sense():
    rows = (np.zeros(2), np.zeros(2), np.arange(2))
    with pytest.raises(DataError, match=r"bootstrap\.rounds: must be 1 or more; received 0"):
        bootstrap(mae, *rows, rounds=0)
    with pytest.raises(DataError, match=r"bootstrap\.level: must lie between 0 and 1; received 95"):
        bootstrap(mae, *rows, level=95)


def test_an_interval_does_not_change():
    with pytest.raises(FrozenInstanceError):
        Interval(0.0, 0.0, 0.0).value = 1.0


@pytest.mark.slow
@pytest.mark.parametrize("metric", [auc, gauc])
def test_a_hundred_thousand_rows_take_seconds(metric):
    labels, answers, user, _ = clicks(rows=100_000, users=20_000)
    start = time.perf_counter()
    bootstrap(metric, labels, answers, user, groups=user)
    assert time.perf_counter() - start < 10


def test_many_metrics_at_once_are_each_what_it_is_alone():
    labels, answers, user, _ = clicks()
    metrics = {"auc": auc, "gauc": gauc, "mae": mae}
    together = drawn(metrics, labels, answers, user, groups=user, rounds=30, seed=5)
    assert list(together) == list(metrics)
    for name, metric in metrics.items():
        alone = bootstrap(metric, labels, answers, user, groups=user, rounds=30, seed=5)
        assert together[name].interval() == alone
        assert len(together[name].rounds) == 30


def test_a_difference_of_what_was_drawn_alike_is_the_paired_one():
    labels, answers, user, _ = clicks()
    other = answers[::-1].copy()
    a, b = (drawn({"m": auc}, labels, x, user, rounds=30, seed=5)["m"] for x in (answers, other))
    assert (a - b).interval() == paired(auc, labels, answers, other, user, rounds=30, seed=5)


def test_rounds_without_a_metric_are_left_out_of_a_difference_too():
    nan = float("nan")
    a = Drawn(1.0, np.array([1.0, nan, 3.0, 4.0]))
    b = Drawn(0.5, np.array([0.0, 0.0, nan, 1.0]))
    assert (a - b).interval() == Interval(0.5, 1.0, 3.0)
    assert (
        repr((a - Drawn(0.5, np.full(4, nan))).interval())
        == "Interval(value=0.5, low=nan, high=nan)"
    )
