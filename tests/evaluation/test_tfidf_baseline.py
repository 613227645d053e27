"""TF-IDF and LightGBM reads how texts overlap, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import baseline_shop as shop
import numpy as np
import pytest

from jointrec.errors import MissingExtra
from jointrec.evaluation.baselines import TfidfLightGBM, tfidf
from jointrec.functional.metrics import auc

pytest.importorskip("lightgbm", reason="pip install 'jointrec[baselines]'")


def test_words_in_common_make_it_relevant() -> None:
    question = shop.question("good")
    labels, answers = question.labels[question.test], TfidfLightGBM().answer(question, seed=0)
    assert auc(labels, answers) > 0.95


def test_it_applies_where_texts_are_compared() -> None:
    applies = TfidfLightGBM().applies
    assert [task for task in shop.TASKS if applies(shop.question(task))] == ["grade", "good"]
    question = shop.question("grade")
    assert not applies(replace(question, train=question.train[:0]))
    assert not applies(replace(question, asked=replace(question.asked, matches={})))


def test_nothing_but_the_overlap_is_read() -> None:
    question = shop.question("good")
    said = TfidfLightGBM().answer(question, seed=0)
    moments = {
        name: replace(moment, things=np.zeros_like(moment.things))
        for name, moment in question.asked.moments.items()
    }
    blind = replace(question, asked=replace(question.asked, moments=moments))
    assert np.array_equal(TfidfLightGBM().answer(blind, seed=0), said)
    other = {texts: -numbers for texts, numbers in question.asked.matches.items()}
    changed = replace(question, asked=replace(question.asked, matches=other))
    rows = tfidf._overlap(changed, question.test)
    assert np.array_equal(rows, -tfidf._overlap(question, question.test))
    assert rows.shape[1] == len(tfidf.READ)


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'jointrec\[baselines\]'"):
        TfidfLightGBM().answer(shop.question("good"), seed=0)
