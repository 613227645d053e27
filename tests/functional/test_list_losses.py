"""Losses of lists against the definition, list by list and pair by pair."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from torch.autograd import gradcheck

from jointrec.functional import losses

ROWS = st.lists(
    st.tuples(st.floats(-8, 8), st.sampled_from([0.0, 1.0, 0.5]), st.integers(-3, 3)),
    min_size=1,
    max_size=12,
)
BOTH = {"softmax": losses.softmax_in_lists, "pairs": losses.pairs_in_lists}
both = pytest.mark.parametrize("name", BOTH)


def slow(name, scores, gains, lists):
    found = np.zeros(len(scores))
    for i in range(len(scores)):
        mine = np.flatnonzero(lists == lists[i])
        if name == "pairs":
            worse = mine[gains[mine] < gains[i]]
            found[i] = np.logaddexp(0, scores[worse] - scores[i]).sum() / len(mine)
        elif gains[mine].min() < gains[mine].max():
            found[i] = gains[i] * (special.logsumexp(scores[mine]) - scores[i])
    return found


@both
@given(rows=ROWS)
@settings(max_examples=60)
def test_they_are_the_definition(name, rows):
    scores, gains, lists = (np.array(column) for column in zip(*rows, strict=True))
    outputs = torch.tensor(scores, requires_grad=True)
    known = (torch.tensor(gains), torch.tensor(lists))
    found = BOTH[name](outputs, *known)
    expected = slow(name, scores, gains, lists)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-10, atol=1e-10)
    assert gradcheck(lambda out: BOTH[name](out, *known), outputs)


@both
@given(rows=ROWS, shift=st.floats(-5, 5))
@settings(max_examples=30)
def test_what_all_of_a_list_have_in_common_does_not_count(name, rows, shift):
    scores, gains, lists = (np.array(column) for column in zip(*rows, strict=True))
    moved = torch.tensor(scores + shift * (lists == lists[0]))
    known = (torch.tensor(gains), torch.tensor(lists))
    torch.testing.assert_close(BOTH[name](moved, *known), BOTH[name](torch.tensor(scores), *known))


@both
def test_extremes_and_nothing_at_all(name):
    scores = torch.tensor([1e4, -1e4, 0.0, 50.0], requires_grad=True)
    loss = BOTH[name](scores, torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([1, 1, 1, 1]))
    loss.sum().backward()
    assert loss.isfinite().all()
    assert scores.grad.isfinite().all()
    nothing = torch.zeros(0)
    assert len(BOTH[name](nothing, nothing, nothing.long())) == 0
