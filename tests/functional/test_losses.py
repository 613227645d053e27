import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss, mean_tweedie_deviance
from torch.autograd import gradcheck

from jointrec.functional import losses

OUTPUT = st.floats(-8, 8)
POSITIVE = st.sampled_from([0.01, 1.0, 19.9, 1e6])
COUNT = st.sampled_from([0.0, 1.0, 2.0, 17.0, 1000.0])
AMOUNT = st.sampled_from([0.0, 0.01, 1.0, 19.9, 1e6])

REGRESSIONS = {
    "binary": (losses.binary, 1, st.sampled_from([0.0, 1.0])),
    "zero_inflated_lognormal": (losses.zero_inflated_lognormal, 3, AMOUNT),
    "lognormal": (losses.lognormal, 2, POSITIVE),
    "tweedie": (losses.tweedie, 1, AMOUNT),
    "huber_log": (losses.huber_log, 1, AMOUNT),
    "poisson": (losses.poisson, 1, COUNT),
    "negative_binomial": (losses.negative_binomial, 2, COUNT),
}
every_loss = pytest.mark.parametrize("name", REGRESSIONS)


def drawn(data, name, outputs=OUTPUT, dtype=torch.float64):
    """Outputs and labels of a few rows; a single output per row has no axis of its own."""
    _, size, label = REGRESSIONS[name]
    rows = data.draw(st.integers(1, 5))
    numbers = data.draw(st.lists(outputs, min_size=rows * size, max_size=rows * size))
    table = torch.tensor(numbers, dtype=dtype).reshape(rows, size)
    labels = data.draw(st.lists(label, min_size=rows, max_size=rows))
    return (table.squeeze(1) if size == 1 else table), torch.tensor(labels, dtype=dtype)


def oracle(name, outputs, label):
    """The negative log likelihood of one row, by scipy; of the others the formula, by numpy."""
    if name == "binary":
        return -scipy.stats.bernoulli.logpmf(label, scipy.special.expit(outputs))
    if name == "poisson":
        return -scipy.stats.poisson.logpmf(label, math.exp(outputs))
    if name == "negative_binomial":
        log_mean, raw = outputs
        size = 1 / (np.logaddexp(0, raw) + losses.DISPERSION_FLOOR)
        chance = size / (size + math.exp(log_mean))
        return -scipy.stats.nbinom.logpmf(label, size, chance)
    if name == "lognormal":
        scale = np.logaddexp(0, outputs[1]) + losses.SCALE_FLOOR
        return -scipy.stats.lognorm.logpdf(label, scale, scale=math.exp(outputs[0]))
    if name == "tweedie":  # scikit-learn's deviance is twice what is above the best
        mean = math.exp(outputs)
        best = 4 * math.sqrt(label)
        return best + 0.5 * mean_tweedie_deviance([label], [mean], power=1.5)
    if name == "huber_log":
        return scipy.special.huber(1.0, np.log1p(label) - outputs)
    logit, location, raw = outputs
    happens = -scipy.stats.bernoulli.logpmf(int(label > 0), scipy.special.expit(logit))
    if label == 0:
        return happens
    scale = np.logaddexp(0, raw) + losses.SCALE_FLOOR
    return happens - scipy.stats.lognorm.logpdf(label, scale, scale=math.exp(location))


@every_loss
@given(data=st.data())
@settings(max_examples=25)
def test_a_loss_is_the_likelihood_by_scipy(name, data):
    outputs, labels = drawn(data, name)
    loss = REGRESSIONS[name][0](outputs, labels)
    expected = [
        oracle(name, row, label)
        for row, label in zip(outputs.tolist(), labels.tolist(), strict=True)
    ]
    assert loss.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@every_loss
@given(data=st.data())
@settings(max_examples=25)
def test_the_gradient_is_the_slope(name, data):
    outputs, labels = drawn(data, name, outputs=st.floats(-4, 4))
    outputs.requires_grad_()
    # Amounts and counts are brought near, where differences still tell a slope.
    assert gradcheck(lambda out: REGRESSIONS[name][0](out, labels.clamp(max=20.0)), outputs)


@every_loss
@given(data=st.data())
@settings(max_examples=25)
def test_loss_and_gradient_stay_finite_at_extremes(name, data):
    far = st.sampled_from([-1e4, -200.0, -50.0, 0.0, 50.0, 200.0, 1e4])
    outputs, labels = drawn(data, name, outputs=far, dtype=torch.float32)
    outputs.requires_grad_()
    loss = REGRESSIONS[name][0](outputs, labels)
    loss.sum().backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite().all()
    assert outputs.grad.isfinite().all()


@every_loss
@given(data=st.data())
@settings(max_examples=25)
def test_a_row_does_not_know_of_the_others(name, data):
    outputs, labels = drawn(data, name)
    loss = REGRESSIONS[name][0]
    together = loss(outputs, labels)
    assert together.shape == labels.shape
    for row in range(len(labels)):
        alone = loss(outputs[row : row + 1], labels[row : row + 1])
        torch.testing.assert_close(alone, together[row : row + 1], rtol=1e-12, atol=1e-12)


@every_loss
@given(data=st.data())
@settings(max_examples=25)
def test_float32_is_as_right_as_float32_can_be(name, data):
    outputs, labels = drawn(data, name, dtype=torch.float32)
    loss = REGRESSIONS[name][0]
    exact = loss(outputs.double(), labels.double()).float()
    torch.testing.assert_close(loss(outputs, labels), exact, rtol=2e-5, atol=2e-5)


@given(st.lists(st.lists(OUTPUT, min_size=3, max_size=3), min_size=1, max_size=5), st.data())
@settings(max_examples=25)
def test_choice_is_the_log_softmax_by_scipy(logits, data):
    size = len(logits)
    labels = data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    outputs = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    loss = losses.choice(outputs, torch.tensor(labels))
    expected = -scipy.special.log_softmax(np.array(logits), axis=1)[np.arange(size), labels]
    assert loss.tolist() == pytest.approx(expected, abs=1e-9)
    assert gradcheck(lambda out: losses.choice(out, torch.tensor(labels)), outputs)


def test_choice_takes_any_whole_numbers_and_any_finite_logits():
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = losses.choice(logits, torch.tensor([0, 0], dtype=torch.int32))
    loss.sum().backward()
    assert loss.tolist() == [0.0, 2e4]
    assert logits.grad.isfinite().all()


def test_a_rate_that_ran_away_is_still_pulled_back():
    rate = torch.tensor([31.0, 80.0, 1e4], requires_grad=True)
    losses.poisson(rate, torch.tensor([0.0, 0.0, 1e9])).sum().backward()
    assert rate.grad[:2].tolist() == pytest.approx([math.exp(30)] * 2)
    assert (rate.grad > 0).all()


def test_nothing_bought_says_nothing_of_how_much():
    outputs = torch.tensor([[0.5, 3.0, 1.0]], requires_grad=True)
    losses.zero_inflated_lognormal(outputs, torch.tensor([0.0])).sum().backward()
    assert outputs.grad[0, 1:].tolist() == [0.0, 0.0]
    assert outputs.grad[0, 0] > 0


def test_little_dispersion_is_nearly_a_poisson():
    log_mean, counts = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([0.0, 3.0, 9.0])
    outputs = torch.stack([log_mean, torch.full((3,), -99.0)], dim=1)
    difference = losses.negative_binomial(outputs, counts) - losses.poisson(log_mean, counts)
    assert 0 < difference.abs().max() < 0.005


@pytest.mark.parametrize(
    ("floor", "function"),
    [
        (losses.SCALE_FLOOR, losses.lognormal_scale),
        (losses.DISPERSION_FLOOR, losses.dispersion),
    ],
)
@given(value=st.floats(0.02, 1e3))
def test_raw_of_finds_the_raw_output(floor, function, value):
    raw = torch.tensor([losses.raw_of(value, floor=floor)], dtype=torch.float64)
    assert function(raw).item() == pytest.approx(value, rel=1e-8)


def test_raw_of_what_is_below_the_floor_is_just_above_it():
    raw = torch.tensor([losses.raw_of(0.0, floor=losses.SCALE_FLOOR)], dtype=torch.float64)
    assert losses.lognormal_scale(raw).item() == pytest.approx(losses.SCALE_FLOOR * 1.001)


def test_by_eye():
    zero = torch.zeros(1)
    assert losses.binary(zero, zero).item() == pytest.approx(math.log(2))
    assert losses.choice(torch.zeros(1, 4), torch.tensor([3])).item() == pytest.approx(math.log(4))
    # A rate of one that counts nothing: log of e^-1.
    assert losses.poisson(zero, zero).item() == pytest.approx(1.0)
    # Mean one and dispersion one is a fair coin thrown until it falls.
    raw = losses.raw_of(1.0, floor=losses.DISPERSION_FLOOR)
    coins = losses.negative_binomial(torch.tensor([[0.0, raw]] * 3), torch.tensor([0.0, 1.0, 2.0]))
    assert coins.tolist() == pytest.approx([math.log(2), math.log(4), math.log(8)])
    # An amount of one under a standard lognormal, after a fair coin.
    raw = losses.raw_of(1.0, floor=losses.SCALE_FLOOR)
    loss = losses.zero_inflated_lognormal(torch.tensor([[0.0, 0.0, raw]]), torch.ones(1))
    assert loss.item() == pytest.approx(math.log(2) + 0.5 * math.log(2 * math.pi))


@given(st.lists(st.tuples(OUTPUT, OUTPUT), min_size=1, max_size=5), st.data())
@settings(max_examples=40)
def test_pinball_is_that_of_scikit_learn(quantiles, data):
    size = len(quantiles)
    labels = data.draw(st.lists(st.floats(-8, 8), min_size=size, max_size=size))
    outputs = torch.tensor(quantiles, dtype=torch.float64, requires_grad=True)
    seen, levels = torch.tensor(labels, dtype=torch.float64), (0.25, 0.9)
    found = losses.pinball(outputs, seen, levels)
    expected = [
        np.mean([mean_pinball_loss([y], [q], alpha=t) for q, t in zip(row, levels, strict=True)])
        for y, row in zip(labels, quantiles, strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-10)
    if (seen[:, None] - outputs).abs().min() > 1e-3:
        assert gradcheck(lambda out: losses.pinball(out, seen, levels), outputs)


@given(
    st.lists(st.tuples(OUTPUT, st.sampled_from([0.0, 1.0])), min_size=1, max_size=5),
    st.sampled_from([0.5, 1.0, 3.0]),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([0.02, 0.5, 1.0]),
)
@settings(max_examples=60)
def test_binary_in_training_is_its_formula(rows, weight, smoothing, negatives):
    logits, labels = np.array(rows).T
    chance = scipy.special.expit(logits + np.log(weight / negatives))
    chance = (1 - smoothing) * chance + smoothing / 2
    seen = (1 - smoothing) * labels + smoothing / 2
    expected = np.where(labels == 1, weight, 1.0) * (
        -seen * np.log(chance) - (1 - seen) * np.log1p(-chance)
    )
    outputs = torch.tensor(logits, requires_grad=True)
    settings_ = (torch.from_numpy(labels), weight, smoothing, negatives)
    found = losses.binary_in_training(outputs, *settings_)
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-10)
    assert gradcheck(lambda out: losses.binary_in_training(out, *settings_), outputs)


@pytest.mark.parametrize(
    ("weight", "smoothing", "negatives"), [(7, 0, 1), (1, 0.2, 1), (3, 0.1, 0.1)]
)
def test_what_changes_training_does_not_change_the_best_chance(weight, smoothing, negatives):
    """Of rows of which 2 % are yes, the best single logit is that of 2 %."""
    logits = torch.linspace(-8, 4, 2401, dtype=torch.float64)
    one = torch.ones_like(logits)
    settings_ = (weight, smoothing, negatives)
    total = 0.02 * losses.binary_in_training(logits, one, *settings_)
    total += 0.98 * negatives * losses.binary_in_training(logits, 0 * one, *settings_)
    assert logits[total.argmin()].sigmoid().item() == pytest.approx(0.02, rel=0.01)
