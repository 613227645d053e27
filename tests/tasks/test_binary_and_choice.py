from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from jointrec.errors import DataError
from jointrec.tasks import Binary, Choice, Retrieval


@given(st.lists(st.booleans(), min_size=2).filter(lambda labels: 0 < sum(labels) < len(labels)))
def test_binary_starts_at_the_base_rate(labels) -> None:
    task = Binary("t.x")
    encoded = task.encode(pl.Series(labels), {})
    assert expit(task.constant(encoded, {})[0]) == pytest.approx(np.mean(labels), rel=1e-12)
    rate = np.mean(labels)
    entropy = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
    assert task.constant_loss(encoded, {}) == pytest.approx(entropy, rel=1e-12)


def test_binary_never_starts_sure() -> None:
    for label in (0.0, 1.0):
        rate = expit(Binary("t.x").constant(np.full(9, label), {})[0])
        assert rate == pytest.approx(abs(label - 0.05), rel=1e-12)


def test_binary_refuses_to_guess_what_is_neither_yes_nor_no() -> None:
    labels = pl.Series([0.0, 1.0, 0.5, 2.0, -1.0, float("nan"), None])
    encoded = Binary("t.x").encode(labels, {})
    np.testing.assert_array_equal(encoded, [0, 1] + [np.nan] * 5)


def test_binary_takes_numbers_and_booleans_alike() -> None:
    task = Binary("t.x")
    for labels in (pl.Series([1, 0, None]), pl.Series([True, False, None])):
        np.testing.assert_array_equal(task.encode(labels, {}), [1, 0, np.nan])


def test_choice_sorts_numbers_by_size_and_then_words() -> None:
    labels = ["10", "b", "9", "-1", "B", "1.5", "nan", "inf", "10", "9", "１２"]
    state = Choice("t.x").learn(pl.Series(labels))
    assert state["classes"] == ["-1", "1.5", "9", "10", "B", "b", "inf", "nan", "１２"]


@given(
    st.lists(st.text(max_size=3) | st.integers().map(str), min_size=1, max_size=30),
    st.lists(st.text(max_size=3) | st.none()),
)
def test_choice_is_the_place_of_its_class(trained, asked) -> None:
    task = Choice("t.x")
    state = task.learn(pl.Series(trained))
    assert sorted(state["classes"]) == sorted(set(trained))
    encoded = task.encode(pl.Series([*trained, *asked], dtype=pl.String), state)
    for label, place in zip([*trained, *asked], encoded.tolist(), strict=True):
        if label in state["classes"]:
            assert state["classes"][int(place)] == label
        else:
            assert np.isnan(place)


def test_choice_starts_at_the_share_of_each_class() -> None:
    task = Choice("t.x")
    labels = pl.Series(["a"] * 6 + ["b"] * 3 + ["c"])
    state = task.learn(labels)
    encoded = task.encode(labels, state)
    start = torch.from_numpy(task.constant(encoded, state))[None]
    np.testing.assert_allclose(task.answer(start)[0], [0.6, 0.3, 0.1], rtol=1e-12)
    entropy = -(0.6 * np.log(0.6) + 0.3 * np.log(0.3) + 0.1 * np.log(0.1))
    assert task.constant_loss(encoded, state) == pytest.approx(entropy, rel=1e-12)


def test_choice_says_why_there_are_too_many_classes() -> None:
    task = Choice("order.number")
    assert task.size(task.learn(pl.Series([str(i) for i in range(1000)]))) == 1000
    with pytest.raises(DataError) as caught:
        task.learn(pl.Series([str(i) for i in range(1001)]))
    assert str(caught.value) == (
        "`order.number` has 1,001 classes (0, 1, 10, …); a Choice has at most 1,000. "
        "If they are numbers, ask for an Amount or a Count; if they are keys of an entity, "
        "ask for a Retrieval; otherwise group the rare ones."
    )


def test_choice_says_when_there_is_no_class() -> None:
    with pytest.raises(DataError, match=r"`t.x` holds no known label"):
        Choice("t.x").learn(pl.Series([None, None], dtype=pl.String))


def test_retrieval_has_the_entropy_of_popularity_to_learn() -> None:
    task = Retrieval("t.x")
    labels = task.encode(pl.Series([1, 1, 2, 3, 0, None]), {})
    np.testing.assert_array_equal(labels, [1, 1, 2, 3, np.nan, np.nan])
    assert task.constant_loss(labels[:4], {}) == pytest.approx(1.5 * np.log(2), rel=1e-12)
    popular = torch.log(torch.tensor([[1e-30, 0.5, 0.25, 0.25]], dtype=torch.float64))
    loss = task.loss(popular.expand(4, -1), torch.from_numpy(labels[:4])).mean()
    assert float(loss) == pytest.approx(task.constant_loss(labels[:4], {}), rel=1e-12)


def test_retrieval_is_measured_by_rank() -> None:
    metrics = Retrieval("t.x").metrics
    labels, ranks = np.array([4.0, 7.0]), np.array([1.0, 11.0])
    assert metrics["ndcg@10"].measure(labels, ranks) == 0.5
    assert metrics["recall@10"].measure(labels, ranks) == 0.5
    assert metrics["mrr"].measure(labels, ranks) == pytest.approx((1 + 1 / 11) / 2, rel=1e-12)
