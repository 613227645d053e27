"""Loss, answer and metrics of times to events against the definitions, row by row.

The metrics are those of scikit-survival 0.24 (``concordance_index_censored``,
``integrated_brier_score``), written out in numpy.
"""

import numpy as np
import pytest
import torch
from drawn_rows import durations
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from torch.autograd import gradcheck

from jointrec.functional import answers, losses, metrics

EDGES = (0.0, 1.0, 4.0, 9.0)
LOGITS = st.lists(st.lists(st.floats(-8, 8), min_size=3, max_size=3), min_size=1, max_size=5)
TIMES = st.sampled_from([0.0, 0.3, 1.0, 2.5, 4.0, 8.9, 9.0])
few = settings(max_examples=60)


def slow_loss(logits, time, happened):
    """By the chances themselves, bin by bin."""
    hazard, chance = special.expit(np.array(logits, dtype=np.longdouble)), np.longdouble(1)
    for k in range(3):
        start, end = EDGES[k], EDGES[k + 1]
        last = k == 2
        if happened and start <= time and (time < end or last):
            return -np.log(chance * hazard[k])
        share = np.clip((time - start) / (end - start), 0, 1)
        chance = chance * (1 - hazard[k]) ** share
    return -np.log(chance)


@given(LOGITS, st.data())
@few
def test_the_loss_is_its_definition(rows, data):
    times = data.draw(st.lists(TIMES, min_size=len(rows), max_size=len(rows)))
    happened = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    outputs = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    known = (torch.tensor(times, dtype=torch.float64), torch.tensor(happened))
    found = losses.survival(outputs, *known, EDGES)
    expected = [float(slow_loss(*row)) for row in zip(rows, times, happened, strict=True)]
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-10)
    assert gradcheck(lambda out: losses.survival(out, *known, EDGES), outputs)
    said = answers.happened_by(outputs).detach().numpy()
    truth = 1 - np.cumprod(1 - special.expit(np.array(rows)), axis=1)
    np.testing.assert_allclose(said, truth, rtol=1e-9, atol=1e-12)


def test_the_chances_of_all_that_may_happen_sum_to_one():
    logits = torch.randn(1, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    times = torch.tensor([0.5, 2.0, 5.0, 9.0], dtype=torch.float64)
    happened = torch.tensor([True, True, True, False])
    loss = losses.survival(logits.expand(4, 3), times, happened, EDGES)
    assert (-loss).exp().sum().item() == pytest.approx(1.0)


@given(rows=durations(least=2))
@few
def test_the_c_index_is_that_of_all_pairs(rows):
    rows = rows.counted()
    time, happened, risk = (
        np.abs(rows.labels),
        rows.labels >= 0,
        rows.answers[:, -1] if len(rows.labels) else np.zeros(0),
    )
    right = pairs = 0.0
    for i in np.flatnonzero(happened):
        for j in range(len(time)):
            if time[j] > time[i] or (time[j] == time[i] and not happened[j]):
                weight = rows.weights[i] * rows.weights[j]
                pairs += weight
                right += weight * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    found = metrics.c_index(rows.labels, rows.answers, weights=rows.weights)
    assert found == pytest.approx(right / pairs if pairs else np.nan, abs=1e-10, nan_ok=True)


def test_the_c_index_of_many_rows():
    rng = np.random.default_rng(0)
    labels = rng.exponential(size=400) * rng.choice([1, -1], 400)
    said = rng.random((400, 2)).round(2)
    time, happened, risk = np.abs(labels), labels > 0, said[:, 1]
    known = happened[:, None] & (time[:, None] < time)
    right = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
    assert metrics.c_index(labels, said) == pytest.approx((known * right).sum() / known.sum())


def left_after(times, hit, weights, at, *, before=False):
    """Kaplan and Meier, time by time."""
    left = 1.0
    for time in sorted(set(times)):
        if time > at or (before and time == at):
            break
        at_risk = weights[times >= time].sum()
        left *= 1 - weights[(times == time) & hit].sum() / at_risk
    return left


@given(rows=durations(least=2))
@few
def test_the_integrated_brier_score_is_its_definition(rows):
    rows = rows.counted()
    if not len(rows.labels):
        return
    time, happened = np.abs(rows.labels), rows.labels >= 0
    scores = []
    for place, edge in enumerate((1.0, 2.0)):
        said, costs = rows.answers[:, place], np.zeros(len(time))
        for i in range(len(time)):
            if happened[i] and time[i] <= edge:
                stay = left_after(time, ~happened, rows.weights, time[i], before=True)
                costs[i] = (1 - said[i]) ** 2 / stay
            elif time[i] > edge:
                costs[i] = said[i] ** 2 / left_after(time, ~happened, rows.weights, edge)
        scores.append(np.average(costs, weights=rows.weights))
    found = metrics.integrated_brier(rows.labels, rows.answers, weights=rows.weights)
    assert found == pytest.approx(np.mean(scores), abs=1e-10)
    seen = 1 - left_after(time, happened, rows.weights, 3.0, before=True)
    ratio = metrics.incidence_ratio(rows.labels, rows.answers, weights=rows.weights)
    said = np.average(rows.answers[:, -1], weights=rows.weights)
    assert ratio == pytest.approx(said / seen if seen > 0 else np.nan, abs=1e-9, nan_ok=True)


def test_the_truth_is_best_however_many_are_not_followed():
    """Exponential times, half of them cut short at random: no other chances score better."""
    rng = np.random.default_rng(0)
    rate = rng.choice([0.2, 1.0], 20_000)
    time, stay = rng.exponential(1 / rate), rng.exponential(2.0, 20_000)
    labels = np.where(time <= stay, time, -stay)
    edges = (0.5, 1.0, 1.5, 2.0)

    def score(factor):
        said = -np.expm1(-factor * rate[:, None] * np.array(edges))
        return metrics.integrated_brier(labels, said, edges=edges)

    assert score(1.0) < min(score(0.8), score(1.25))
    said = -np.expm1(-rate[:, None] * np.array(edges))
    assert metrics.incidence_ratio(labels, said, edges=edges) == pytest.approx(1, abs=0.03)
    assert metrics.c_index(labels, said) > 0.6
