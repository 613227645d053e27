from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jointrec.errors import ProjectError
from jointrec.project import parse
from jointrec.tasks import Quantiles


@given(st.lists(st.lists(st.floats(-40, 40), min_size=3, max_size=3), min_size=1))
def test_quantiles_never_cross_and_are_never_below_zero(outputs) -> None:
    said = Quantiles("t.x").answer(torch.tensor(outputs))
    assert (torch.diff(said, dim=1) >= 0).all()
    assert (said >= 0).all()
    assert said.isfinite().all()


@given(st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.5, 40.0]), min_size=1, max_size=40))
def test_it_starts_at_the_quantiles_of_the_labels(labels) -> None:
    task, amounts = Quantiles("t.x", levels=(0.25, 0.5, 0.75)), np.array(labels)
    said = task.answer(torch.from_numpy(task.constant(amounts, {}))[None])[0].numpy()
    for level, amount in zip(task.levels, said, strict=True):
        assert (amounts <= amount + 1e-9).mean() >= level - 1e-9
        assert (amounts < amount - 1e-9).mean() <= level + 1e-9


def test_a_quantile_of_a_root_is_the_root_of_the_quantile() -> None:
    """Learned by the loss of roots, the levels are those of the amounts themselves."""
    amounts = np.random.default_rng(0).lognormal(1.0, 1.0, 20_000)
    task = Quantiles("t.x", levels=(0.1, 0.5, 0.9))
    outputs = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([outputs], lr=0.02)
    labels = torch.from_numpy(amounts)
    for _ in range(400):
        optimizer.zero_grad()
        task.loss(outputs.expand(len(labels), 3), labels).mean().backward()
        optimizer.step()
    said = task.answer(outputs.detach())[0].numpy()
    np.testing.assert_allclose(said, np.quantile(amounts, task.levels), rtol=0.03)


def test_a_person_reads_the_middle_and_each_level() -> None:
    said = Quantiles("t.x", levels=(0.025, 0.6)).columns(np.array([[1.0, 2.0]]), {})
    assert {name: values.to_list() for name, values in said.items()} == {
        "answer": [2.0], "q2.5": [1.0], "q60": [2.0],
    }  # fmt: skip


@pytest.mark.parametrize("levels", [(), (0.5, 0.1), (0.0, 0.5), (0.5, 1.0), (0.5, 0.5)])
def test_levels_that_are_none(levels) -> None:
    with pytest.raises(ProjectError, match="chances above 0 and below 1, ascending"):
        Quantiles("t.x", levels=levels)


def test_levels_in_the_file() -> None:
    shop = parse("""
        entity.o = { source = "o.csv" }
        tasks.a = { kind = "Quantiles", label = "o.days", levels = [0.5, 0.95] }
    """)
    assert shop.tasks["a"].levels == (0.5, 0.95)
    assert parse(shop.to_toml()) == shop


def test_the_loss_is_that_of_roots_and_stays_finite() -> None:
    """Missing 99 by all of it costs nine times as much as missing 3 by all of it, not three."""
    task = Quantiles("line.pieces", levels=(0.5,))
    losses = task.loss(torch.zeros(2, 1), torch.tensor([3.0, 99.0]))
    assert losses.tolist() == pytest.approx([0.5 * (2 - 1), 0.5 * (10 - 1)])
    far = torch.full((1, 1), 400.0, requires_grad=True)
    loss = task.loss(far, torch.tensor([1.0])).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert far.grad is not None
    assert 0 < float(far.grad) < float("inf")
