from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.metrics import log_loss, roc_auc_score
from torch.autograd import gradcheck

from jointrec.errors import DataError, ProjectError
from jointrec.functional import losses, metrics
from jointrec.tasks import Multi

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4)


@given(st.lists(WORDS | st.none(), min_size=1))
def test_a_number_holds_the_set_and_gives_it_back(lists) -> None:
    column = pl.Series(lists, dtype=pl.List(pl.String))
    numbers = Multi("t.x").encode(column, {"classes": ["a", "b"]})
    for number, words in zip(numbers, lists, strict=True):
        if words is None:
            assert np.isnan(number)
            continue
        bits = losses.members(torch.tensor([number], dtype=torch.float64), 2)[0].tolist()
        assert bits == [float("a" in words), float("b" in words)]


def test_fifty_two_classes_are_exact() -> None:
    words = [f"w{n:02}" for n in range(60)]
    task = Multi("t.x")
    column = pl.Series([words[:52], words[:51], [words[51]]])
    state = task.learn(column)
    numbers = task.encode(column, state)
    assert numbers.tolist() == [2.0**52 - 1, 2.0**51 - 1, 2.0**51]
    assert losses.members(torch.from_numpy(numbers), 52).sum(1).tolist() == [52, 51, 1]
    start = task.constant(numbers, state)
    assert start.shape == (52,)
    assert start[0] == pytest.approx(np.log(2))


def test_only_the_most_frequent_classes_are_asked_about() -> None:
    lists = pl.Series([["z", "z"], ["b", "a"], ["b", "9"], ["9"]])
    assert Multi("t.x", most=2).learn(lists)["classes"] == ["9", "b"]


@given(st.data())
@settings(max_examples=40)
def test_loss_is_the_sum_of_bernoulli_losses(data) -> None:
    rows = data.draw(st.integers(1, 5))
    outputs = np.array(data.draw(st.lists(st.floats(-8, 8), min_size=rows * 3, max_size=rows * 3)))
    labels = np.array(data.draw(st.lists(st.integers(0, 7), min_size=rows, max_size=rows)))
    bits = (labels[:, None] >> np.arange(3)) & 1
    chances = special.expit(outputs.reshape(rows, 3))
    expected = -np.log(np.where(bits == 1, chances, 1 - chances)).sum(1)
    logits = torch.from_numpy(outputs.reshape(rows, 3)).requires_grad_()
    known = torch.from_numpy(labels.astype(float))
    found = losses.multi(logits, known)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-10, atol=1e-10)
    assert gradcheck(lambda out: losses.multi(out, known), logits)


def test_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    bits = rng.random((400, 5)) < np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    labels = (bits @ (1 << np.arange(5))).astype(float)
    chances = np.clip(0.3 * bits + 0.7 * rng.random(bits.shape), 0.01, 0.99)
    weights = rng.integers(1, 4, 400).astype(float)

    def each(measure):
        return np.mean(
            [measure(bits[:, c], chances[:, c], sample_weight=weights) for c in range(5)]
        )

    found = metrics.multi_log_loss(labels, chances, weights=weights)
    assert found == pytest.approx(each(log_loss), abs=1e-10)
    found = metrics.label_auc(labels, chances, weights=weights)
    assert found == pytest.approx(each(roc_auc_score), abs=1e-10)
    one_by_one = [metrics.ece(bits[:, c], chances[:, c], weights=weights) for c in range(5)]
    found = metrics.label_ece(labels, chances, weights=weights)
    assert found == pytest.approx(np.mean(one_by_one))
    expected = (weights @ chances).sum() / (weights @ bits).sum()
    assert metrics.label_pcoc(labels, chances, weights=weights) == pytest.approx(expected)
    happened = Multi("t.x").happened(torch.tensor([*labels, np.nan]), 5).numpy()
    np.testing.assert_array_equal(happened[:-1], bits)
    assert np.isnan(happened[-1]).all()
    some = bits.any(1)
    right = bits[np.arange(400), chances.argmax(1)][some]
    found = metrics.first_right(labels, chances, weights=weights)
    assert found == pytest.approx(np.average(right, weights=weights[some]), abs=1e-10)


def test_a_person_reads_the_likely_classes() -> None:
    said = Multi("t.x").columns(np.array([[0.9, 0.6], [0.1, 0.2]]), {"classes": ["red", "warm"]})
    assert said["answer"].to_list() == ["red, warm", ""]
    assert said["P(warm)"].to_list() == [0.6, 0.2]


def test_what_cannot_be_learned_says_so() -> None:
    with pytest.raises(DataError, match=r"`t\.x` holds no list with a word"):
        Multi("t.x").learn(pl.Series([[], []], dtype=pl.List(pl.String)))
    for most in (0, 53):
        with pytest.raises(ProjectError, match=f"`most` should be 1 to 52. Found `{most}`"):
            Multi("t.x", most=most)
    with pytest.raises(DataError, match="label_auc: labels must be sets of 2 classes"):
        metrics.label_auc(np.array([4.0]), np.array([[0.1, 0.2]]))
