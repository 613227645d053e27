"""Every report carries what applies and takes seconds; what is named runs whatever it takes."""

from __future__ import annotations

from dataclasses import replace

import baseline_shop as shop
import numpy as np
import pytest

import jointrec as jr
from jointrec.errors import ProjectError
from jointrec.evaluation import Ways
from jointrec.evaluation.baselines import EASE, EVERY, ItemKNN, LightGBM, interactions
from jointrec.evaluation.baselines.logistic import thinned


def named(question, *, quick: bool) -> set[str]:
    ways = Ways({}, {}, EVERY, {}, quick)
    return {baseline.name for baseline in ways.applying(question)}


def test_on_a_small_shop_all_that_apply_are_quick():
    for task in shop.TASKS:
        question = shop.question(task)
        assert named(question, quick=True) == named(question, quick=False)


def test_what_scores_too_much_runs_by_name_alone(monkeypatch):
    monkeypatch.setattr(interactions, "FEW", 10)
    question = shop.question("next")
    assert named(question, quick=False) - named(question, quick=True) == {"item_knn", "ease"}


def test_nothing_is_asked_of_a_task_without_test_rows():
    nobody = replace(shop.question("next"), test=np.zeros(0, dtype=np.int64))
    assert not named(nobody, quick=False)


def test_baselines_are_named_or_given():
    ways = jr.Compare(baselines=["EASE", ItemKNN()]).ways()
    assert [type(way) for way in ways] == [EASE, ItemKNN]
    assert [type(way) for way in jr.Compare(baselines="lightgbm").ways()] == [LightGBM]
    assert jr.Compare().ways() == list(EVERY)
    assert not jr.Compare(baselines=()).ways()


@pytest.mark.parametrize("given", [["lightgmb"], [7]])
def test_one_that_is_not_known_is_told_at_once(given):
    with pytest.raises(ProjectError, match="compare: there is no baseline"):
        jr.Compare(baselines=given)


def test_thinned_rows_are_spread_over_all():
    assert thinned(np.arange(10), 100).tolist() == list(range(10))
    assert thinned(np.arange(0), 4).tolist() == []
    kept = thinned(np.arange(1_000), 300)
    assert len(kept) <= 300
    assert np.ptp(np.diff(kept)) == 0
    assert kept[-1] > 990
