"""ItemKNN and EASE are their formulas, over what was had before the moment."""

from __future__ import annotations

from dataclasses import replace

import baseline_shop as shop
import numpy as np
import pytest

from jointrec.errors import MissingExtra
from jointrec.evaluation.baselines import EASE, ItemKNN, Popularity, ease, interactions
from jointrec.evaluation.baselines.ease import weights
from jointrec.evaluation.baselines.interactions import had, learned, ranks_by
from jointrec.evaluation.baselines.item_knn import similarities
from jointrec.functional.metrics import ndcg_at

sparse = pytest.importorskip("scipy.sparse", reason="pip install 'jointrec[baselines]'")


def table(seed: int = 0) -> np.ndarray:
    """Forty people, and which of nine items they had."""
    return (np.random.default_rng(seed).random((40, 9)) < 0.3).astype(np.float64)


def slow_had(question, row: int) -> set[int]:
    """From the table of order lines itself: what the user of a row bought before its moment."""
    lines, people = shop.shop()[0].event["line"].source, question.prepared.things["user"].keys
    moments = question.asked.moments["user"]
    who = people[int(moments.things[question.asked.at["user"][row]])]
    at = int(question.asked.times[row])
    return {
        int(item[1:]) + 1
        for user, item, when in zip(
            lines["user"], lines["item"], lines["at"].cast(int).to_list(), strict=True
        )
        if user == who and when < at
    }


def test_what_was_had_is_that_of_the_table():
    question = shop.question("next")
    rows = np.concatenate([question.test, question.train[::5]])
    found = had(question, rows).toarray()
    keys = question.prepared.things["item"].keys
    for row, line in zip(rows.tolist(), found, strict=True):
        bought = {int(keys[int(code) + 1][1:]) + 1 for code in np.flatnonzero(line)}
        assert bought == slow_had(question, row)


def test_learned_is_what_lies_before_training_rows_and_their_labels():
    question = shop.question("next")
    rows = had(question, question.train).toarray()
    moments = question.asked.moments["user"]
    who = moments.things[question.asked.at["user"][question.train]]
    slow = {int(code): np.zeros(shop.ITEMS) for code in np.unique(who)}
    labels = question.labels[question.train].astype(int)
    for code, line, label in zip(who.tolist(), rows, labels.tolist(), strict=True):
        slow[code] = np.maximum(slow[code], line)
        slow[code][label - 1] = 1
    assert (learned(question).toarray() == np.stack([slow[code] for code in sorted(slow)])).all()


@pytest.mark.parametrize("shrinkage", [0.0, 7.0])
@pytest.mark.parametrize("neighbours", [2, 100])
def test_similarities_are_those_of_the_slow_way(shrinkage, neighbours):
    x = table()
    found = similarities(sparse.csr_array(x.T @ x), shrinkage, neighbours).toarray()
    n = x.sum(axis=0)
    for j in range(9):
        column = [
            0 if i == j else x[:, i] @ x[:, j] / (np.sqrt(n[i] * n[j]) + shrinkage)
            for i in range(9)
        ]
        nearest = sorted(range(9), key=lambda i: (-column[i], i))[:neighbours]
        assert np.allclose(found[:, j], [column[i] if i in nearest else 0 for i in range(9)])


@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_weights_make_the_loss_least(penalty):
    """Column by column: ridge regression of an item on all others, which is what B's is."""
    x = table()
    found = weights(x.T @ x, penalty)
    for j in range(9):
        others = [i for i in range(9) if i != j]
        padded = np.concatenate([x[:, others], np.sqrt(penalty) * np.eye(8)])
        slow = np.linalg.lstsq(padded, np.concatenate([x[:, j], np.zeros(8)]), rcond=None)[0]
        assert found[j, j] == 0
        assert np.allclose(found[others, j], slow)


@pytest.mark.parametrize("own", interactions.OWN)
def test_level_ones_stand_by_popularity_and_what_was_had_where_it_is_put(own):
    question = shop.question("next")
    rows = question.test[:20]
    found = ranks_by(question, rows, lambda before: np.zeros(before.shape), own)
    popularity = question.prepared.popularity["next"]
    before = had(question, rows).toarray()
    for n, row in enumerate(rows.tolist()):
        day = int(question.asked.times[row]) // 86_400_000_000 - popularity.first_day
        counts = popularity.counts[min(day, len(popularity.counts) - 1), 1:, 1]
        keys = [(own * mine, count) for mine, count in zip(before[n], counts, strict=True)]
        right = keys[int(question.labels[row]) - 1]
        assert found[n] == sum(key >= right for key in keys)


@pytest.mark.parametrize("way", [ItemKNN, EASE])
def test_it_finds_what_follows_from_what_was_had(way):
    # Who bought an item buys its neighbour next; popularity knows nothing of that.
    question = shop.question("next")
    labels = question.labels[question.test]
    mine, popular = (one().answer(question, seed=0) for one in (way, Popularity))
    assert ndcg_at(labels, mine) > ndcg_at(labels, popular)


@pytest.mark.parametrize("way", [ItemKNN, EASE])
def test_pieces_change_nothing(way, monkeypatch):
    whole = way().answer(shop.question("next"), seed=0)
    monkeypatch.setattr(interactions, "CELLS", 7 * shop.ITEMS)
    assert (way().answer(shop.question("next"), seed=0) == whole).all()


@pytest.mark.parametrize("way", [ItemKNN, EASE])
def test_it_applies_where_somebody_has_a_past(way, monkeypatch):
    question = shop.question("next")
    assert way().applies(question)
    assert not way().applies(shop.question("gone"))
    assert not way().applies(replace(question, train=question.train[:0]))
    nobody = replace(question.prepared, past={})
    assert not way().applies(replace(question, prepared=nobody))
    monkeypatch.setattr(ease, "MOST_ITEMS", shop.ITEMS - 1)
    assert way().applies(question) is (way is ItemKNN)


@pytest.mark.parametrize("way", [ItemKNN, EASE])
def test_without_its_package_it_says_what_to_install(way, monkeypatch):
    monkeypatch.setattr(interactions, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'jointrec\[baselines\]'"):
        way().answer(shop.question("next"), seed=0)
