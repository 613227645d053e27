"""The other ways in which an amount may be spread, and the settings of training of a Binary."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec.errors import ProjectError
from jointrec.tasks import Amount, Binary

OTHERS = ["lognormal", "tweedie", "huber_log"]
each = pytest.mark.parametrize("name", OTHERS)
AMOUNTS = st.lists(st.sampled_from([0.5, 1.0, 3.0, 40.0]), min_size=2, max_size=30)


@each
@given(amounts=AMOUNTS)
@settings(max_examples=30)
def test_no_small_change_makes_the_constant_better(name, amounts) -> None:
    task, labels = Amount("t.x", distribution=name), np.array(amounts)
    if len(set(amounts)) < 2:
        return

    def loss(outputs):
        rows = torch.from_numpy(outputs).expand(len(labels), -1)
        return float(task.loss(rows, torch.from_numpy(labels)).mean())

    best = task.constant(labels, {})
    assert best.shape == (task.size({}),)
    for output in range(len(best)):
        for step in (-0.3, -0.01, 0.01, 0.3):
            moved = best.copy()
            moved[output] += step
            assert loss(moved) >= loss(best) - 1e-9


@each
@pytest.mark.parametrize("size", [0.0, 1.0, 60.0, 1e4])
def test_losses_and_answers_are_finite_at_extremes(name, size) -> None:
    task = Amount("t.x", distribution=name)
    labels = torch.tensor([0.01, 1.0, 1e6])
    for sign in (1.0, -1.0):
        outputs = torch.full((3, task.size({})), sign * size, requires_grad=True)
        loss = task.loss(outputs, labels)
        loss.sum().backward()
        assert loss.isfinite().all()
        assert outputs.grad.isfinite().all()
        assert (task.answer(outputs) >= 0).all()
        assert task.answer(outputs).isfinite().all()


def test_what_each_answers() -> None:
    draws = np.random.default_rng(0).lognormal(2.0, 1.0, 200_000)

    def said(name, labels):
        task = Amount("t.x", distribution=name)
        return float(task.answer(torch.from_numpy(task.constant(labels, {}))[None])[0])

    assert said("lognormal", draws) == pytest.approx(draws.mean(), rel=0.02)
    half = np.where(np.arange(len(draws)) % 2, draws, 0.0)
    assert said("tweedie", half) == pytest.approx(half.mean(), rel=1e-9)
    assert np.median(draws) < said("huber_log", draws) < draws.mean()


def test_only_some_know_of_nothing_at_all_and_may_follow_in_a_funnel() -> None:
    labels = pl.Series([0.0, 2.0])
    assert np.isnan(Amount("t.x", distribution="lognormal").encode(labels, {})[0])
    for name in ("tweedie", "huber_log"):
        assert Amount("t.x", distribution=name).encode(labels, {})[0] == 0.0
        assert not Amount("t.x", distribution=name).chains
    assert Amount("t.x").chains


def test_settings_that_are_out_of_range() -> None:
    with pytest.raises(ProjectError, match="Did you mean `tweedie`"):
        Amount("t.x", distribution="tweedy")
    for name, value in (
        ("positive_weight", 0.0), ("smoothing", 1.0), ("negatives", 0.0), ("negatives", 1.5),
    ):  # fmt: skip
        with pytest.raises(ProjectError, match=f"`{name}` should be .* Found `{value}`"):
            Binary("t.x", **{name: value})


def test_a_sampled_binary_starts_at_the_share_among_all_rows() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(400_000) < 0.02).astype(float)
    task = Binary("t.x", negatives=0.05)
    kept = ~task.left_out(labels, rng.random(len(labels)))
    assert kept[labels == 1].all()
    assert kept[labels == 0].mean() == pytest.approx(0.05, rel=0.05)
    start = torch.from_numpy(task.constant(labels[kept], {}))[None]
    assert float(task.answer(start)[0]) == pytest.approx(0.02, rel=0.02)
    assert task.for_all_rows(labels[kept].mean(keepdims=True))[0] == pytest.approx(0.02, rel=0.02)
