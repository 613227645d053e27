"""Popularity ranks by what was chosen lately, counted up to the day of the question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shop_prepared as shop

from jointrec.evaluation.baselines import Popularity
from jointrec.evaluation.baselines.popularity import ranks
from jointrec.evaluation.evaluate import question_of
from jointrec.functional.metrics import ndcg_at
from jointrec.prepare import Popularity as Counts

DAY = 86_400_000_000


def question(name: str = "next", grain: str = "user before purchase", **changes):
    project, _, prepared = shop.prepared()
    asked = prepared.asked[grain]
    return question_of(project, replace(prepared, **changes), asked, name)


def slow_ranks(asked, rows, window: int) -> list[float]:
    """One row at a time: how many candidates were chosen at least as often as the right one."""
    popularity = asked.prepared.popularity["next"]
    found = []
    for row in rows.tolist():
        day = int(asked.asked.times[row]) // DAY - popularity.first_day
        day = min(max(day, 0), len(popularity.counts) - 1)
        counts = popularity.counts[day, 1:, window].tolist()
        right = counts[int(asked.labels[row]) - 1]
        found.append(float(sum(count >= right for count in counts)))
    return found


@pytest.mark.parametrize("window", [0, 1, 2])
@pytest.mark.parametrize("first_day", [0, 5, -40])
def test_ranks_are_those_of_the_slow_way(window, first_day):
    counts = replace(shop.popularity(), first_day=first_day)
    asked = question(popularity={"next": counts})
    found = ranks(asked, asked.test, window)
    assert found.tolist() == slow_ranks(asked, asked.test, window)
    assert len(set(found.tolist())) > 1


def test_the_window_that_ranks_validation_best_answers():
    asked = question()
    labels = asked.labels[asked.valid]
    good = [ndcg_at(labels, np.array(slow_ranks(asked, asked.valid, w)), k=10) for w in range(3)]
    assert len(set(good)) == 3
    best = good.index(max(good))
    answers = Popularity().answer(asked, seed=0)
    assert answers.tolist() == slow_ranks(asked, asked.test, best)


def test_without_validation_rows_it_is_seven_days():
    asked = replace(question(), valid=np.zeros(0, dtype=np.int64))
    answers = Popularity().answer(asked, seed=0)
    assert answers.tolist() == slow_ranks(asked, asked.test, 1)


def test_what_nobody_ever_chose_finds_nothing():
    nothing = Counts(0, np.zeros((3, shop.ITEMS + 1, 3), dtype=np.float32))
    asked = question(popularity={"next": nothing})
    assert set(Popularity().answer(asked, seed=0).tolist()) == {float(shop.ITEMS)}


def test_it_answers_for_catalogues_only():
    assert Popularity().applies(question())
    assert not Popularity().applies(question("click", "impression"))
