"""BM25 is its formula over what the network reads of texts, and training rows say what it means."""

from __future__ import annotations

from dataclasses import replace

import baseline_shop as shop
import numpy as np
import pytest

from jointrec.errors import MissingExtra
from jointrec.evaluation.baselines import BM25, logistic
from jointrec.evaluation.baselines.bm25 import SETTINGS, Overlap, _sides
from jointrec.functional.metrics import auc, log_loss

pytest.importorskip("sklearn", reason="pip install 'jointrec[baselines]'")


def slow_score(question, row: int, k1: float, b: float) -> float:
    """One pair of texts, piece by piece."""

    def pieces(entity: str, code: int) -> set[int]:
        (bag,) = question.prepared.things[entity].fields.bags
        return set(bag.values[bag.offsets[code] : bag.offsets[code + 1]].tolist())

    def of(entity: str) -> int:
        return int(question.asked.moments[entity].things[question.asked.at[entity][row]])

    things = [pieces("item", code) for code in range(1, shop.ITEMS + 1)]
    mean = sum(map(len, things)) / len(things)
    mine, score = pieces("item", of("item")), 0.0
    for piece in pieces("query", of("query")) & mine:
        seen = sum(piece in thing for thing in things)
        rarity = np.log(1 + (len(things) - seen + 0.5) / (seen + 0.5))
        score += rarity * (k1 + 1) / (1 + k1 * (1 - b + b * len(mine) / mean))
    return score


@pytest.mark.parametrize(("k1", "b"), SETTINGS[::4])
def test_the_score_is_its_formula(k1, b):
    question = shop.question("grade")
    rows = question.train[:60]
    found = Overlap(*_sides(question)).scores(k1, b, rows)
    assert np.allclose(found, [slow_score(question, int(row), k1, b) for row in rows])
    assert len(np.unique(found)) > 5


def test_words_in_common_make_it_relevant():
    question = shop.question("good")
    labels, answers = question.labels[question.test], BM25().answer(question, seed=0)
    assert auc(labels, answers) > 0.95
    constant = np.full(len(labels), question.labels[question.train].mean())
    assert log_loss(labels, answers) < log_loss(labels, constant)
    grades = BM25().answer(shop.question("grade"), seed=0)
    right = shop.question("grade").labels[shop.question("grade").test]
    assert (grades.argmax(axis=1) == right).mean() > 0.8


@pytest.mark.parametrize("task", ["good", "grade"])
def test_of_one_answer_alone_it_says_so(task):
    question = shop.question(task)
    labels = {**question.asked.labels, task: np.zeros(len(question.asked))}
    answers = BM25().answer(replace(question, asked=replace(question.asked, labels=labels)), seed=0)
    assert (answers < 0.01).all() if task == "good" else (answers[:, 0] > 0.99).all()


def test_a_class_that_training_rows_lack_has_no_chance():
    question = shop.question("grade")
    lacking = replace(question, train=question.train[question.labels[question.train] != 1])
    answers = BM25().answer(lacking, seed=0)
    assert (answers[:, 1] == 0).all()
    assert np.allclose(answers.sum(axis=1), 1)


def test_it_applies_where_both_sides_have_texts():
    assert [task for task in shop.TASKS if BM25().applies(shop.question(task))] == ["grade", "good"]
    question = shop.question("grade")
    assert not BM25().applies(replace(question, train=question.train[:0]))
    alone = replace(question.asked, grain=replace(question.asked.grain, sees=("item",)))
    assert not BM25().applies(replace(question, asked=alone))


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(logistic, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'jointrec\[baselines\]'"):
        BM25().answer(shop.question("good"), seed=0)
