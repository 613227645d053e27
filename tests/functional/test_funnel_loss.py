"""The loss of a step given the one before it, by the chances themselves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from torch.autograd import gradcheck

from jointrec.functional.funnel import chain
from jointrec.functional.losses import inverse_propensity

LOGIT = st.floats(-6, 6)


@given(st.lists(st.tuples(LOGIT, LOGIT, st.booleans(), st.booleans()), min_size=1, max_size=6))
@settings(max_examples=60)
def test_it_is_the_cross_entropy_of_the_share_for_those_who_came_so_far(rows):
    earlier, own, labels, happened = (np.array(column) for column in zip(*rows, strict=True))
    share, weight = special.expit(own), np.minimum(1 / special.expit(earlier), 10.0)
    cost = np.where(labels, -np.log(share), -np.log1p(-share))
    expected = np.where(happened, weight * cost, 0.0)
    given_, step = torch.tensor(earlier), torch.tensor(own, requires_grad=True)
    known = (torch.tensor(labels, dtype=torch.float64), torch.tensor(happened), 10.0)

    def loss(own):
        return inverse_propensity(chain(given_, own), given_, *known)

    np.testing.assert_allclose(loss(step).detach().numpy(), expected, rtol=1e-6, atol=1e-8)
    assert gradcheck(loss, step)


def test_it_is_finite_at_extremes_and_the_earlier_step_feels_nothing():
    earlier = torch.tensor([-1e4, -50.0, 0.0, 50.0, 1e4], requires_grad=True)
    own = torch.tensor([1e4, 50.0, 1e4, -1e4, 1e4], requires_grad=True)
    for label in (0.0, 1.0):
        labels, seen = torch.full((5,), label), torch.ones(5, dtype=torch.bool)
        loss = inverse_propensity(chain(earlier.detach(), own), earlier, labels, seen, 10.0)
        loss.sum().backward()
        assert loss.isfinite().all()
        assert own.grad.isfinite().all()
        assert earlier.grad is None


def test_of_all_rows_it_is_right_where_clicks_are_not_like_the_rest():
    """Two kinds of rows, clicked at .8 and .1: weighed, the share is that of all, not of clicks."""
    rng = np.random.default_rng(0)
    kind = rng.random(400_000) < 0.5
    click = rng.random(len(kind)) < np.where(kind, 0.8, 0.1)
    buy = click & (rng.random(len(kind)) < np.where(kind, 0.7, 0.2))
    earlier = torch.from_numpy(special.logit(np.where(kind, 0.8, 0.1)))
    known = torch.from_numpy(buy.astype(float)), torch.from_numpy(click)
    costs = []
    grid = np.linspace(0.2, 0.9, 71)
    for share in grid:
        own = torch.full_like(earlier, float(special.logit(share)))
        costs.append(inverse_propensity(chain(earlier, own), earlier, *known, 100.0).mean().item())
    assert grid[int(np.argmin(costs))] == pytest.approx((0.7 + 0.2) / 2, abs=0.02)
    assert buy[click].mean() > 0.6
