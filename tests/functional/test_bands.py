"""Quantiles of the distributions that are learned, against scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from jointrec.functional import bands, losses

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


@given(st.lists(st.floats(0.0, 290.0), min_size=5, max_size=15))
@settings(max_examples=8)
@pytest.mark.parametrize("dispersion", [0.0, 1e-4, 0.1, 1.0, 20.0])
def test_counts_are_those_of_scipy(dispersion, means):
    found = bands.count_quantiles(
        torch.tensor(means, dtype=torch.float64),
        torch.full((len(means),), dispersion, dtype=torch.float64),
        LEVELS,
    ).numpy()
    mean = np.array(means)[:, None]
    if dispersion:
        size = 1 / dispersion
        truth = stats.nbinom(size, size / (size + mean))
    else:
        truth = stats.poisson(mean)
    # At a chance that is met to the last digit either count is right.
    assert (truth.cdf(found) >= np.array(LEVELS) - 1e-9).all()
    assert (truth.cdf(found - 1) <= np.array(LEVELS) + 1e-9).all()


@pytest.mark.parametrize("dispersion", [0.0, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("mean", [350.0, 2_000.0, 1e6])
def test_large_counts_are_nearly_those_of_scipy(mean, dispersion):
    found = bands.count_quantiles(
        torch.tensor([mean], dtype=torch.float64),
        torch.tensor([dispersion], dtype=torch.float64),
        LEVELS,
    )[0].numpy()
    size = 1 / dispersion if dispersion else 1e12
    truth = stats.nbinom(size, size / (size + mean))
    assert (truth.cdf(found) >= np.array(LEVELS) - 0.004).all()
    assert (truth.cdf(found - 1) <= np.array(LEVELS) + 0.004).all()


@given(st.floats(-6, 6), st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=60)
def test_amounts_are_those_of_scipy(logit, location, raw):
    outputs = torch.tensor([[logit, location, raw]], dtype=torch.float64)
    found = bands.zero_inflated_lognormal_quantiles(outputs, LEVELS)[0].numpy()
    chance, scale = 1 / (1 + np.exp(-logit)), np.logaddexp(0, raw) + losses.SCALE_FLOOR
    share = (np.array(LEVELS) - (1 - chance)) / chance
    expected = stats.lognorm.ppf(np.clip(share, 0, 1), scale, scale=np.exp(location))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
    certain = bands.lognormal_quantiles(outputs[:, 1:], LEVELS)[0].numpy()
    expected = stats.lognorm.ppf(LEVELS, scale, scale=np.exp(location))
    np.testing.assert_allclose(certain, expected, rtol=1e-9)


def test_nothing_is_finite_at_extremes():
    far = torch.tensor([[a, b, c] for a in (-1e4, 1e4) for b in (-1e4, 1e4) for c in (-1e4, 1e4)])
    said = bands.zero_inflated_lognormal_quantiles(far, LEVELS)
    assert said.isfinite().all()
    assert (said >= 0).all()
    wide = torch.tensor([0.0, 299.0, 1e13], dtype=torch.float64)
    said = bands.count_quantiles(wide, torch.full_like(wide, 1e4), LEVELS)
    assert said.isfinite().all()
