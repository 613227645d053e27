"""Every kind of task on one table of which the truth is known: it learns, is measured, answers."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from quick import small_grains_seldom

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.prepare import asked_again
from jointrec.sharing import SharedBottom
from jointrec.splits import TEST, TRAIN

ROWS = 1_500


def table() -> pl.DataFrame:
    """What people do depends on `mood` (a category) and `age` (a number), and on chance."""
    rng = np.random.default_rng(0)
    mood, age = rng.integers(0, 3, ROWS), rng.normal(size=ROWS)
    score = 2.0 * (mood - 1) + age + 0.5 * rng.logistic(size=ROWS)
    styles = rng.random((ROWS, 3)) < np.eye(3)[mood] * 0.7 + 0.15
    names = np.array(["bold", "calm", "wild"])
    return pl.DataFrame(
        {
            "id": [f"c{n}" for n in range(ROWS)],
            "mood": np.array(["low", "even", "high"])[mood],
            "age": age,
            "stars": np.searchsorted([-2.0, 0.0, 1.5], score) + 1,
            "styles": [names[row].tolist() for row in styles],
            "loyal": score + rng.logistic(size=ROWS) > 1.5,
            "days": np.exp(1 + score / 2 + 0.5 * rng.normal(size=ROWS)),
        }
    )


TASKS = {
    "stars": t.Ordinal("customer.stars", levels=4),
    "styles": t.Multi("customer.styles"),
    "loyal": t.Binary("customer.loyal"),
    "sampled": t.Binary("customer.loyal", negatives=0.3),
    "weighted": t.Binary("customer.loyal", positive_weight=5.0, smoothing=0.1),
    "days": t.Quantiles("customer.days"),
    "days_lognormal": t.Amount("customer.days", distribution="lognormal"),
    "days_tweedie": t.Amount("customer.days", distribution="tweedie"),
    "days_huber": t.Amount("customer.days", distribution="huber_log"),
}


@pytest.fixture(scope="module")
def model() -> jr.Model:
    features = {"mood": f.Category(), "age": f.Number()}
    shop = jr.Project(
        entity={"customer": jr.Entity(table(), key="id", features=features, id_floor=0)},
        tasks=TASKS,
        sharing=SharedBottom(widths=(32, 16)),
        split=jr.ByEntity(),
        budget=jr.Budget(epochs=12, rows=256, patience=12),
    )
    with small_grains_seldom(rows=1_500):
        return jr.fit(shop, compare=jr.Compare(alone=False, baselines=(), rounds=20))


@pytest.mark.parametrize("name", TASKS)
def test_answers_are_better_than_the_best_constant(model: jr.Model, name: str) -> None:
    """By the metric that decides, on rows that neither trained nor chose, and for sure."""
    asked = asked_again(model.reader, model.plan.grain_of(name))
    labels, parts = asked.labels[name], asked.parts[name]
    test, train = labels[parts == TEST], labels[parts == TRAIN]
    task, state = model.project.tasks[name], model.reader.preparation.tasks[name]
    constant = torch.from_numpy(task.constant(train[~np.isnan(train)], state))[None]
    nothing = task.answer(constant).numpy().repeat(len(test), axis=0)
    metric = next(iter(task.metrics.values()))
    alike = metric.measure(test, nothing)
    found = model.report.tasks[name].systems["joint"][model.report.tasks[name].metric]
    assert found.high < alike if metric.better == "lower" else found.low > alike


def test_a_person_reads_a_table(model: jr.Model) -> None:
    stars = model.predict("stars", customer=["c1", "nobody"])
    assert stars.columns == ["customer", "answer", "level", "P(1)", "P(2)", "P(3)", "P(4)"]
    assert stars["answer"].is_between(1, 4).all()
    styles = model.predict("styles", customer="c1")
    assert styles.columns == ["customer", "answer", "P(bold)", "P(calm)", "P(wild)"]
    days = model.predict("days", customer=["c1", "nobody"])
    assert days.columns == ["customer", "answer", "q10", "q50", "q90"]
    assert (days["q10"] <= days["answer"]).all()


@pytest.mark.parametrize("name", ["loyal", "sampled", "weighted"])
def test_chances_are_right_on_the_whole_whatever_trained(model: jr.Model, name: str) -> None:
    pcoc = model.report.tasks[name].systems["joint"]["pcoc"]
    assert pcoc.low < 1 < pcoc.high


def test_the_validation_loss_is_least_at_the_right_chance() -> None:
    """Rows of no are left out of validation as well: else it would choose chances too low."""
    rng = np.random.default_rng(0)
    labels = (rng.random(200_000) < 0.1).astype(float)
    task = t.Binary("t.x", negatives=0.2)
    kept = torch.from_numpy(labels[~task.left_out(labels, rng.random(len(labels)))])

    def loss(chance: float) -> float:
        logit = np.log(chance / (1 - chance))
        return float(task.loss(torch.full((len(kept), 1), logit), kept).mean())

    assert loss(0.1) < min(loss(0.08), loss(0.12))


def test_rows_of_no_were_left_out_but_not_of_the_test(model: jr.Model) -> None:
    rows = {name: model.report.tasks[name].train_rows for name in ("loyal", "sampled")}
    assert rows["sampled"] < 0.6 * rows["loyal"]
    assert model.report.tasks["sampled"].rows == model.report.tasks["loyal"].rows
