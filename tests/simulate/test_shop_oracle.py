"""The oracle's answers are the truth: what happens, happens as often as it says."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from jointrec.errors import DataError
from jointrec.simulate import Shop
from jointrec.simulate.words import CATEGORIES, wordings

SHOP = Shop(users=1200, items=160, days=100, seed=5)
OUTCOMES = {
    "click": "clicked", "favourite": "favourited", "cart": "carted", "buy": "bought",
    "returned": "returned",
}  # fmt: skip


def z_of(labels, chances):
    """How many standard errors the labels are from what was to be expected."""
    return (labels - chances).sum() / np.sqrt((chances * (1 - chances)).sum())


@pytest.fixture(scope="module")
def shown():
    return SHOP.tables()["impressions"]


@pytest.mark.parametrize("task", OUTCOMES)
def test_outcomes_of_impressions_are_calibrated_overall_and_by_decile(shown, task):
    rows = shown.filter(pl.col(OUTCOMES[task]).is_not_null())
    chances, labels = SHOP.oracle(task, rows), rows[OUTCOMES[task]].to_numpy()
    assert len(rows) > 500
    assert abs(z_of(labels, chances)) < 4
    for part in np.array_split(np.argsort(chances), 10):
        assert abs(z_of(labels[part], chances[part])) < 4


def test_the_impression_oracle_leaves_something_to_learn_and_something_to_chance(shown):
    assert 0.75 < roc_auc_score(shown["clicked"], SHOP.oracle("click", shown)) < 0.88
    assert 0.80 < roc_auc_score(shown["bought"], SHOP.oracle("buy", shown)) < 0.93


def test_chances_fall_down_the_funnel(shown):
    click, favourite, cart, buy = (
        SHOP.oracle(task, shown) for task in ("click", "favourite", "cart", "buy")
    )
    assert (favourite < click).all() and (cart < click).all() and (buy < cart).all()


def test_revenue_is_calibrated(shown):
    expected, revenue = SHOP.oracle("revenue", shown), shown["revenue"].to_numpy()
    error = (revenue - expected).std() / np.sqrt(len(revenue))
    assert abs(revenue.mean() - expected.mean()) < 4 * error
    bought = shown["bought"].to_numpy() == 1
    order = np.argsort((expected / SHOP.oracle("buy", shown))[bought])
    for part in np.array_split(order, 4):
        paid = revenue[bought][part]
        told = (expected / SHOP.oracle("buy", shown))[bought][part]
        assert abs(paid.mean() - told.mean()) < 4 * (paid - told).std() / np.sqrt(len(part))


def test_answers_follow_the_rows_not_their_order(shown):
    rows = shown.sample(200, seed=1)
    answers = dict(zip(shown["impression_id"], SHOP.oracle("click", shown), strict=True))
    assert SHOP.oracle("click", rows).tolist() == [answers[key] for key in rows["impression_id"]]


def test_grades_are_calibrated():
    rows = SHOP.tables()["judgements"]
    chances, grades = SHOP.oracle("relevance", rows), rows["grade"].to_numpy()
    assert chances.shape == (len(rows), 4)
    assert np.abs(chances.sum(axis=1) - 1).max() < 1e-12
    for grade in range(4):
        assert abs(z_of(grades == grade, chances[:, grade])) < 4
        for part in np.array_split(np.argsort(chances[:, grade]), 5):
            assert abs(z_of((grades == grade)[part], chances[part, grade])) < 4


def test_intent_is_the_share_of_each_category_among_those_who_ask_in_the_same_words():
    """Asks again many times with other luck, and counts."""
    needs, rng = SHOP._world.needs, np.random.default_rng(0)
    names = sorted(name for name, _ in CATEGORIES)
    truth = dict(
        zip(needs.queries.words, SHOP.oracle("intent", SHOP.tables()["queries"]), strict=True)
    )
    counts = {words: np.zeros(len(names)) for words in truth}
    by_need = dict(
        zip(needs.queries.need.tolist(), SHOP.tables()["queries"]["category"], strict=True)
    )
    for need, ways in enumerate(_ways(needs)):
        for pick in rng.choice(len(ways), 400, p=[way.chance for way in ways]):
            if ways[pick].words in counts:
                counts[ways[pick].words][names.index(by_need[need])] += 1
    seen = {words: count for words, count in counts.items() if count.sum() >= 20}
    assert len(seen) > 100
    mixed = 0
    for words, count in seen.items():
        error = np.sqrt(np.maximum(truth[words] * (1 - truth[words]) * count.sum(), 1e-9))
        assert (np.abs(count - truth[words] * count.sum()) < 4.5 * error + 1e-9).all()
        mixed += truth[words].max() < 0.9
    assert mixed > 5


def _ways(needs):
    """All ways to ask for each need."""
    return [wordings(*need) for need in zip(needs.type, needs.brand, needs.colour, strict=True)]


@pytest.mark.parametrize(
    ("task", "rows", "told"),
    [
        ("clik", {"impression_id": ["v1"]}, "Did you mean `click`"),
        ("click", {"id": ["v1"]}, "no column `impression_id`"),
        ("click", {"impression_id": ["v1", "x"]}, "1 rows have a `impression_id`.*`x`"),
        ("churn", {"user_id": ["u1"]}, "no column `moment`"),
        ("churn", {"user_id": ["u1"], "moment": ["today"]}, "should be a Datetime"),
        ("churn", {"user_id": ["u1"], "moment": [datetime(2024, 1, 1)]}, "1 rows have a moment"),
        ("sales", {"item_id": ["i1"], "moment": [datetime(2027, 1, 1)]}, "1 rows have a moment"),
        ("spend", {"user_id": ["u1"], "moment": [None]}, "should be a Datetime"),
    ],
)
def test_questions_that_have_no_answer_are_refused(task, rows, told):
    with pytest.raises(DataError, match=told):
        SHOP.oracle(task, pl.DataFrame(rows))


def test_a_moment_may_be_written_in_several_ways():
    at = datetime(2025, 2, 3, 15, 30)
    rows = pl.DataFrame({"user_id": ["u1", "u2"], "moment": [at, at + timedelta(days=1)]})
    told = SHOP.oracle("orders", rows)
    ways = [
        pl.col("moment").cast(pl.Int64),
        pl.col("moment").cast(pl.Datetime("ms")),
        pl.col("moment").dt.replace_time_zone("UTC"),
        pl.col("moment").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Shanghai"),
    ]
    for way in ways:
        assert SHOP.oracle("orders", rows.with_columns(way)).tolist() == told.tolist()
