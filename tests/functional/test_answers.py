import math

import pytest
import scipy.integrate
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec.functional import answers, losses


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=5))
def test_a_probability_lies_between_0_and_1_and_odds_give_it(logits):
    chances = answers.probability(torch.tensor(logits))
    assert ((chances >= 0) & (chances <= 1)).all()
    for logit, chance in zip(logits, chances.tolist(), strict=True):
        if abs(logit) < 15:
            assert chance / (1 - chance) == pytest.approx(math.exp(logit), rel=1e-6 * math.exp(15))
            assert chance == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-6)


@given(st.lists(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), min_size=1, max_size=4))
@settings(max_examples=30)
def test_probabilities_of_classes_sum_to_one(logits):
    chances = answers.probabilities(torch.tensor(logits))
    assert ((chances >= 0) & (chances <= 1)).all()
    torch.testing.assert_close(chances.sum(1), torch.ones(len(logits)))
    one_more = answers.probabilities(torch.tensor(logits, dtype=torch.float64) + 1)
    torch.testing.assert_close(one_more.float(), chances, rtol=2e-3, atol=1e-6)


@given(st.floats(-5, 5), st.floats(-3, 3), st.floats(-3, 1.5))
def test_the_expected_amount_is_the_mean_of_the_density_learned(logit, location, raw):
    outputs = torch.tensor([[logit, location, raw]], dtype=torch.float64)
    scale = losses.lognormal_scale(outputs[:, 2]).item()
    chance = 1 / (1 + math.exp(-logit))
    expected = chance * scipy.stats.lognorm.mean(scale, scale=math.exp(location))
    value = answers.zero_inflated_lognormal_mean(outputs).item()
    assert value == pytest.approx(expected, rel=1e-9)


def test_it_is_what_the_loss_integrates_to():
    outputs = torch.tensor([[0.3, 0.5, -0.2]], dtype=torch.float64)

    def amount_times_density(x):
        return x * losses.zero_inflated_lognormal(outputs, torch.tensor([x]).double()).neg().exp()

    area, _ = scipy.integrate.quad(lambda x: amount_times_density(x).item(), 0, math.inf)
    assert answers.zero_inflated_lognormal_mean(outputs).item() == pytest.approx(area, rel=1e-6)


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_nothing_that_ran_away_is_infinite(far):
    outputs = torch.full((1, 3), far)
    assert answers.zero_inflated_lognormal_mean(outputs).isfinite().all()
    assert answers.count_mean(torch.tensor([far])).isfinite().all()


def test_by_eye():
    # The loss floor is the only spread left: e^(0.01² / 2), half of the time.
    value = answers.zero_inflated_lognormal_mean(torch.tensor([[0.0, math.log(8), -99.0]]))
    assert value.item() == pytest.approx(4 * math.exp(0.01**2 / 2))
    assert answers.count_mean(torch.tensor([math.log(7)])).item() == pytest.approx(7)
    assert answers.count_mean(torch.tensor([31.0])).item() == pytest.approx(math.exp(30), rel=1e-6)
