"""The cumulative logit against its definition in 50 digits' worth of care: log1p and float128."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from jointrec.functional import answers, losses

OUTPUTS = st.lists(st.lists(st.floats(-8, 8), min_size=3, max_size=3), min_size=1, max_size=6)


def chances(row):
    """The chance of each level by the definition, in extended precision."""
    row = np.array(row, dtype=np.longdouble)
    above = np.concatenate(
        [row[:1], row[0] - np.cumsum(np.logaddexp(0, row[1:]) + np.longdouble("1e-6"))]
    )
    over = np.concatenate([[1], 1 / (1 + np.exp(-above)), [0]])
    return over[:-1] - over[1:]


@given(rows=OUTPUTS, data=st.data())
@settings(max_examples=60)
def test_loss_and_answer_are_the_definition(rows, data):
    labels = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    outputs = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    expected = np.array([chances(row) for row in rows])
    said = answers.grades(outputs).detach().numpy()
    np.testing.assert_allclose(said, expected.astype(float), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(said.sum(1), 1, rtol=1e-12)
    loss = losses.ordinal(outputs, torch.tensor(labels))
    wanted = [-np.log(row[label]) for row, label in zip(expected, labels, strict=True)]
    np.testing.assert_allclose(
        loss.detach().numpy(), np.array(wanted, dtype=float), rtol=1e-9, atol=1e-10
    )
    assert gradcheck(lambda out: losses.ordinal(out, torch.tensor(labels)), outputs)


@given(
    rows=st.lists(
        st.lists(st.sampled_from([-1e4, -50.0, 0.0, 50.0, 1e4]), min_size=3, max_size=3), min_size=1
    )
)
@settings(max_examples=60)
def test_thresholds_never_cross_and_nothing_overflows(rows):
    outputs = torch.tensor(rows, requires_grad=True)
    assert (torch.diff(losses.log_odds_above(outputs), dim=1) <= 0).all()
    for label in range(4):
        outputs.grad = None
        loss = losses.ordinal(outputs, torch.full((len(rows),), label))
        loss.sum().backward()
        assert loss.isfinite().all()
        assert outputs.grad.isfinite().all()
    said = answers.grades(outputs)
    assert (said >= 0).all()
    torch.testing.assert_close(said.sum(1), torch.ones(len(rows)))


def test_two_levels_are_yes_or_no():
    logits = torch.linspace(-5, 5, 11)
    for label in (0, 1):
        labels = torch.full((11,), label)
        torch.testing.assert_close(
            losses.ordinal(logits[:, None], labels), losses.binary(logits, labels.float())
        )


def test_unequal_distances_are_found():
    """Ordered logit data whose cuts are known: the constant answer finds them."""
    rng = np.random.default_rng(0)
    labels = np.searchsorted([-2.0, 0.0, 0.5], rng.logistic(size=200_000))
    from jointrec.tasks import Ordinal

    task = Ordinal("t.x")
    state = {"levels": list("0123"), "values": [0.0, 1.0, 2.0, 3.0]}
    start = torch.from_numpy(task.constant(labels.astype(float), state))[None]
    assert losses.log_odds_above(start)[0].tolist() == pytest.approx([2.0, 0.0, -0.5], abs=0.02)
