"""What holds for every way in which a step of a funnel builds on the one before it."""

from __future__ import annotations

import families
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from jointrec import funnels
from jointrec.functional.funnel import chain
from jointrec.funnels.base import Step

MEMBERS = families.members(funnels, funnels.Funnel)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)
LOGITS = st.lists(st.floats(-60, 60), min_size=1, max_size=8)


def built(cls: type, seed: int = 0) -> Step:
    torch.manual_seed(seed)
    return cls().build(4)


def check_never_widens(step: Step) -> None:
    far = torch.tensor([-1e4, -60.0, -1.0, 0.0, 1.0, 60.0, 1e4])
    earlier, own = far.repeat_interleave(7), far.repeat(7)
    both = step(earlier, own)
    assert both.isfinite().all()
    assert (both <= earlier).all()


def test_all_members_are_listed():
    assert families.unlisted(funnels, funnels.Funnel) == []


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
def test_a_step_is_never_likelier_than_the_one_before(cls):
    check_never_widens(built(cls))


@every
@given(logits=LOGITS, seed=st.integers(0, 99))
@settings(max_examples=40)
def test_more_of_its_own_is_more(cls, logits, seed):
    earlier = torch.tensor(logits, dtype=torch.float64)
    own = torch.randn(len(logits), dtype=torch.float64, generator=torch.manual_seed(seed))
    step = built(cls)
    assert (step(earlier, own + 1) > step(earlier, own)).all()


@every
@given(logit=st.floats(-15, 5), fall=st.floats(0.01, 15))
@settings(max_examples=40)
def test_it_starts_where_it_is_told(cls, logit, fall):
    start = cls().start(logit, logit + fall)
    both = torch.tensor([logit + fall, start], dtype=torch.float64)
    assert built(cls)(both[:1], both[1:]).item() == pytest.approx(logit, abs=0.02)


@every
def test_it_starts_a_little_below_where_it_cannot_be_above(cls):
    for logit in (0.0, 3.0):
        start = torch.tensor([cls().start(logit, 0.0)], dtype=torch.float64)
        assert -0.01 < built(cls)(torch.zeros(1, dtype=torch.float64), start).item() < 0


@every
def test_gradients_are_right_and_reach_all_weights(cls):
    step = families.shaken(built(cls)).double()
    outputs = [torch.randn(3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert gradcheck(step, outputs)
    own, earlier = (torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert gradcheck(step.vector, (own, earlier))
    assert step.vector(own, earlier).shape == (3, 4)
    if list(step.parameters()):
        families.check_gradients_reach(step, step.vector(own, earlier).square().sum())


@every
def test_rows_are_alone(cls):
    step = built(cls)
    own, earlier = torch.randn(5, 4), torch.randn(5, 4)
    together = step.vector(own, earlier)
    for row in range(5):
        alone = step.vector(own[row : row + 1], earlier[row : row + 1])
        torch.testing.assert_close(alone[0], together[row])


# --- each by the slow way ------------------------------------------------------------------------


def test_product_is_the_product_of_chances():
    earlier, own = torch.randn(2, 9, dtype=torch.float64)
    both = funnels.Product().build(4)(earlier, own)
    torch.testing.assert_close(both.sigmoid(), earlier.sigmoid() * own.sigmoid())


def test_resflow_is_the_product_where_chances_are_small():
    earlier, own = torch.linspace(-12, -9, 9), torch.linspace(-3, 3, 9)
    residual = funnels.ResFlow().build(4)(earlier, own)
    torch.testing.assert_close(residual, chain(earlier, own), rtol=0, atol=2e-4)
    two = torch.ones(2, 4)
    assert funnels.ResFlow().build(4).vector(two, two).tolist() == [[2.0] * 4] * 2


def test_aitm_by_the_slow_way():
    step = families.shaken(funnels.AITM().build(4))
    own, earlier = torch.randn(4), torch.randn(4)
    tokens = [torch.relu(step.transfer(earlier)), own]
    fits = torch.stack([step.query(u) @ step.key(u) / 2 for u in tokens]).softmax(0)
    expected = sum(w * step.value(u) for w, u in zip(fits, tokens, strict=True))
    torch.testing.assert_close(step.vector(own[None], earlier[None])[0], expected)


# --- planted faults ------------------------------------------------------------------------------


class Adding(Step):
    """Adds logits, which may rise."""

    def forward(self, earlier, own):
        return earlier + own


def test_a_funnel_that_widens_is_found():
    with pytest.raises(AssertionError):
        check_never_widens(Adding())
