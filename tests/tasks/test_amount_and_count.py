from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from jointrec.errors import ProjectError
from jointrec.functional import losses
from jointrec.tasks import Amount, Count, Earlier


@pytest.mark.parametrize(
    "task", [Amount("t.x"), Count("t.x"), Count("t.x", distribution="poisson")]
)
def test_what_is_below_zero_or_no_number_is_unknown(task) -> None:
    labels = pl.Series([0.0, 2.5, -0.01, float("inf"), float("nan"), None])
    np.testing.assert_array_equal(task.encode(labels, {}), [0, 2.5] + [np.nan] * 4)


@given(st.lists(st.sampled_from([0.0, 0.5, 3.0, 40.0, 1e6]), min_size=3))
def test_amount_starts_at_the_lognormal_that_scipy_fits(labels) -> None:
    amounts = np.array(labels)
    positive = amounts[amounts > 0]
    if len(set(positive)) < 2 or len(positive) == len(amounts):
        return
    logit, mean, raw = Amount("t.x").constant(amounts, {})
    shape, _, scale = stats.lognorm.fit(positive, floc=0)
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(len(positive) / len(amounts), rel=1e-9)
    assert mean == pytest.approx(np.log(scale), rel=1e-5, abs=1e-5)
    assert float(losses.lognormal_scale(torch.tensor(raw))) == pytest.approx(shape, rel=1e-5)


def test_amount_of_nothing_and_of_one_price_only_is_finite() -> None:
    task = Amount("t.x")
    for amounts in (np.zeros(9), np.full(9, 7.0), np.zeros(0)):
        start = task.constant(amounts, {})
        assert np.isfinite(start).all()
        assert np.isfinite(task.answer(torch.from_numpy(start)[None]).numpy()).all()


def test_amount_is_the_mean_of_what_it_says() -> None:
    draws = stats.lognorm(s=0.8, scale=np.exp(2.0)).rvs(200_000, random_state=0)
    draws[::4] = 0.0
    task = Amount("t.x")
    answer = float(task.answer(torch.from_numpy(task.constant(draws, {}))[None])[0])
    assert answer == pytest.approx(draws.mean(), rel=0.01)


def test_size_of_the_amount_loss_has_no_unit() -> None:
    euros = np.array([0.0, 0.0, 1.0, 20.0, 300.0])
    task = Amount("t.x")
    assert task.constant_loss(euros, {}) == task.constant_loss(100 * euros, {})
    normal = stats.norm(0, 1).entropy() * 0.6 + stats.bernoulli(0.6).entropy()
    assert task.constant_loss(euros, {}) == pytest.approx(float(normal), rel=1e-12)


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from([0, 0, 0, 1, 2, 5, 30, 400]), min_size=5, max_size=60).filter(
        lambda counts: np.var(counts) > 1.5 * np.mean(counts) > 0
    )
)
def test_count_starts_at_the_negative_binomial_that_scipy_finds(counts) -> None:
    labels = np.array(counts, dtype=np.float64)
    log_mean, raw = Count("t.x").constant(labels, {})
    mean = labels.mean()
    assert log_mean == pytest.approx(np.log(mean), rel=1e-12)

    def against(log_dispersion: float) -> float:
        size = np.exp(-log_dispersion)
        return -float(stats.nbinom.logpmf(labels, size, size / (size + mean)).sum())

    found = optimize.minimize_scalar(against, bounds=(-9, 9), method="bounded")
    dispersion = float(losses.dispersion(torch.tensor(raw, dtype=torch.float64)))
    assert against(np.log(dispersion)) <= found.fun + 1e-6


def test_count_that_varies_little_is_nearly_poisson() -> None:
    raw = Count("t.x").constant(np.array([4.0, 5.0, 6.0]), {})[1]
    assert float(losses.dispersion(torch.tensor(raw, dtype=torch.float64))) < 1.1e-4


def test_count_of_very_many_different_values_is_found_from_a_sample() -> None:
    rng = np.random.default_rng(0)
    labels = rng.gamma(2.0, 1e5, size=30_000).round()  # a negative binomial of dispersion 1/2
    raw = Count("t.x").constant(labels, {})[1]
    assert float(losses.dispersion(torch.tensor(raw))) == pytest.approx(0.5, rel=0.03)


@given(st.lists(st.integers(0, 50), min_size=1))
def test_poisson_starts_at_the_mean(counts) -> None:
    labels = np.array(counts, dtype=np.float64)
    task = Count("t.x", distribution="poisson")
    start = torch.from_numpy(task.constant(labels, {}))[None]
    assert start.shape == (1, 1)
    wanted = max(labels.mean(), 0.5 / (len(labels) + 1))
    assert float(task.answer(start)[0]) == pytest.approx(wanted, rel=1e-12)


def test_count_with_a_distribution_that_is_not_known() -> None:
    with pytest.raises(ProjectError) as caught:
        Count("t.x", distribution="Poisson")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "`distribution` should be one of negative_binomial, poisson. Found `Poisson`. "
        "Did you mean `poisson`?"
    )


def test_the_mean_of_a_count_learns_as_a_poisson_and_its_spread_as_a_negative_binomial() -> None:
    outputs = torch.tensor([[0.5, -0.2], [3.0, 1.0]], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([4.0, 11.0], dtype=torch.float64)
    (own,) = torch.autograd.grad(Count("t.x").loss(outputs, labels).sum(), outputs)
    (of_mean,) = torch.autograd.grad(losses.poisson(outputs[:, 0], labels).sum(), outputs)
    (of_both,) = torch.autograd.grad(losses.negative_binomial(outputs, labels).sum(), outputs)
    torch.testing.assert_close(own[:, 0], of_mean[:, 0])
    torch.testing.assert_close(own[:, 1], of_both[:, 1])


def test_a_longer_time_starts_at_what_is_added_to_the_shorter() -> None:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(4_000, 2))
    week = generator.poisson(np.exp(0.5 + 0.8 * numbers[:, 0])).astype(np.float64)
    both = week + generator.poisson(np.exp(0.1 + 0.6 * numbers[:, 1]))
    task = Count("t.x")
    first = task.linear(week, numbers)
    np.testing.assert_allclose(first[0], [0.5, 0.8, 0.0], atol=0.06)
    said = torch.from_numpy(first[:, 0] + numbers @ first[:, 1:].T)
    more = task.linear(both, numbers, Earlier(week, said))
    np.testing.assert_allclose(more[0], [0.1, 0.0, 0.6], atol=0.06)
    total = task.grow(said, torch.from_numpy(more[:, 0] + numbers @ more[:, 1:].T))
    assert float(task.answer(total).mean()) == pytest.approx(both.mean(), rel=0.05)
