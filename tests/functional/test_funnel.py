import math
from decimal import Decimal, localcontext

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from jointrec.functional.funnel import chain

LOGITS = st.lists(st.tuples(*[st.floats(-50, 50, width=32)] * 2), min_size=1, max_size=20)


def both(pairs, dtype=torch.float32):
    a, b = torch.tensor(pairs, dtype=dtype).unbind(1)
    return a.clone().requires_grad_(), b.clone().requires_grad_()


def exact(a, b):
    """The logit of the product of two chances, in 60 digits."""
    with localcontext(prec=60):
        a, b = Decimal(a), Decimal(b)
        p = 1 / (1 + (-a).exp()) * (1 / (1 + (-b).exp()))
        return float((p / (1 - p)).ln())


@given(LOGITS)
@settings(max_examples=200)
def test_the_second_thing_is_never_likelier_than_the_first(pairs):
    parent, conditional = both(pairs)
    logit = chain(parent, conditional)
    assert (logit <= parent).all()
    assert (logit <= conditional).all()
    assert (logit.sigmoid() <= parent.sigmoid()).all()


@given(LOGITS)
def test_it_is_the_product_of_the_chances(pairs):
    expected = [exact(a, b) for a, b in pairs]
    single, double = chain(*both(pairs)), chain(*both(pairs, torch.float64))
    assert double.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert single.tolist() == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(LOGITS)
@settings(max_examples=50)
def test_gradients_are_shares(pairs):
    parent, conditional = both(pairs)
    chain(parent, conditional).sum().backward()
    for gradient in (parent.grad, conditional.grad):
        assert gradient.isfinite().all()
        # A logit of 50 has six digits behind the point in float32, and so has its share.
        assert ((gradient >= 0) & (gradient <= 1 + 1e-5)).all()


@given(st.lists(st.tuples(*[st.floats(-6, 6)] * 2), min_size=1, max_size=5))
@settings(max_examples=20)
def test_it_is_log_p_minus_log_of_one_minus_p(pairs):
    a, b = both(pairs, torch.float64)
    log_p = F.logsigmoid(a) + F.logsigmoid(b)
    torch.testing.assert_close(chain(a, b), log_p - torch.log(-torch.expm1(log_p)))
    assert gradcheck(chain, (a, b))


@pytest.mark.parametrize("a", [-1e4, -100.0, 0.0, 100.0, 1e4])
@pytest.mark.parametrize("b", [-1e4, -100.0, 0.0, 100.0, 1e4])
def test_far_beyond_any_logit_it_is_still_finite(a, b):
    parent, conditional = both([(a, b)])
    logit = chain(parent, conditional)
    logit.sum().backward()
    assert logit.isfinite().all()
    assert logit <= min(a, b)
    assert parent.grad.isfinite().all()
    assert conditional.grad.isfinite().all()


def test_by_eye():
    zero, sure = torch.zeros(1), torch.full((1,), 50.0)
    assert chain(zero, zero).item() == pytest.approx(-math.log(3))  # 1/4 against 3/4
    assert chain(zero, sure).item() == pytest.approx(0.0, abs=1e-7)
    assert chain(sure, zero).item() == pytest.approx(0.0, abs=1e-7)
    assert chain(-sure, -sure).item() == -100.0
    three = chain(chain(zero, zero), zero).sigmoid()
    assert three.item() == pytest.approx(1 / 8)
