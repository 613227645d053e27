"""Logistic regression is that of its formula, and validation chooses how strongly it shrinks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shop_prepared as shop

from jointrec.errors import MissingExtra
from jointrec.evaluation.baselines import LogisticRegression
from jointrec.evaluation.baselines import logistic as ours
from jointrec.evaluation.baselines.matrix import matrix
from jointrec.evaluation.evaluate import question_of
from jointrec.functional.metrics import auc, log_loss
from jointrec.tasks import Multi, Sequence

optimize = pytest.importorskip("scipy.optimize")
pytest.importorskip("sklearn", reason="pip install 'jointrec[baselines]'")


@pytest.fixture(scope="module")
def world():
    return shop.prepared()


def question(world, name="click", grain="impression"):
    project, _, prepared = world
    return question_of(project, prepared, prepared.asked[grain], name)


def slow_chances(question, strength: float, rows: np.ndarray) -> np.ndarray:
    """Inputs made by hand and the formula minimised as it stands."""

    def inputs(which):
        found = matrix(question.prepared, question.asked, which)
        seen = matrix(question.prepared, question.asked, question.train).values
        columns = []
        for n in range(len(found.names)):
            if n in found.categories:
                values, counts = np.unique(seen[:, n], return_counts=True)
                often = values[counts >= ours.LEAST_ROWS]
                columns += [found.values[:, n] == value for value in often]
                if len(often) < len(values):
                    columns.append(~np.isin(found.values[:, n], often))
            else:
                spread = seen[:, n].std()
                columns.append((found.values[:, n] - seen[:, n].mean()) / (spread or 1))
        return np.stack(columns, axis=1).astype(np.float64)

    train, labels = inputs(question.train), question.labels[question.train]

    def loss(w):
        z = train @ w[1:] + w[0]
        return strength * np.logaddexp(0, np.where(labels == 1, -z, z)).sum() + w[1:] @ w[1:] / 2

    def slope(w):
        wrong = 1 / (1 + np.exp(-(train @ w[1:] + w[0]))) - labels
        return np.concatenate([[strength * wrong.sum()], strength * train.T @ wrong + w[1:]])

    start = np.zeros(train.shape[1] + 1)
    found = optimize.minimize(loss, start, jac=slope, method="L-BFGS-B", options={"maxiter": 3000})
    return 1 / (1 + np.exp(-(inputs(rows) @ found.x[1:] + found.x[0])))


def test_it_is_its_formula_and_validation_chooses_the_strength(world):
    asked = question(world, "buy")
    judged = [slow_chances(asked, strength, asked.valid) for strength in ours.STRENGTHS]
    losses = [log_loss(asked.labels[asked.valid], chances) for chances in judged]
    best = ours.STRENGTHS[losses.index(min(losses))]
    answers = LogisticRegression().answer(asked, seed=0)
    assert np.allclose(answers, slow_chances(asked, best, asked.test), atol=0.01)
    assert auc(asked.labels[asked.test], answers) > 0.6


def test_of_one_answer_alone_it_says_so(world):
    asked = question(world)
    same = replace(asked.asked, labels={**asked.asked.labels, "click": np.zeros(len(asked.asked))})
    answers = LogisticRegression().answer(replace(asked, asked=same), seed=0)
    assert answers.tolist() == [0.5 / (len(asked.train) + 1)] * len(asked.test)


def test_a_row_of_weight_two_is_two_rows(world):
    asked = replace(question(world), valid=np.zeros(0, dtype=np.int64))
    weights = np.where(np.arange(len(asked.asked)) % 3 == 0, 2.0, 1.0)
    weighed = replace(asked, asked=replace(asked.asked, weights={"click": weights}))
    first = LogisticRegression().answer(weighed, seed=0)
    assert not np.allclose(first, LogisticRegression().answer(asked, seed=0))
    doubled = replace(asked.asked, weights={"click": np.full(len(asked.asked), 1.0)})
    alike = LogisticRegression().answer(replace(asked, asked=doubled), seed=0)
    assert np.allclose(alike, LogisticRegression().answer(asked, seed=0))


def test_it_answers_chances_and_sets(world):
    assert LogisticRegression().applies(question(world))
    assert not LogisticRegression().applies(question(world, "spent"))
    asked = question(world)
    project = replace(
        asked.project, tasks={**asked.project.tasks, "click": Multi("impression.clicked")}
    )
    both = LogisticRegression().answer(replace(asked, project=project), seed=0)
    assert both.shape == (len(asked.test), asked.prepared.layout.sizes["click"])


def test_a_row_that_does_not_know_a_step_is_one_that_weighs_nothing(world):
    asked = question(world)
    unknown = np.arange(len(asked.labels)) % 3 == 0
    # A second step that all rows know, so that the row itself is a known one.
    first = np.where(unknown, 0.0, 1.0 + (asked.labels > 0))
    steps = np.where(np.isnan(asked.labels), np.nan, first + 3.0)
    tasks = {**asked.project.tasks, "click": Sequence("impression.clicked")}
    layout = replace(asked.prepared.layout, sizes={**asked.prepared.layout.sizes, "click": 2})
    changed = replace(
        asked,
        project=replace(asked.project, tasks=tasks),
        prepared=replace(asked.prepared, layout=layout),
        asked=replace(asked.asked, labels={**asked.asked.labels, "click": steps}),
    )
    assert LogisticRegression().applies(changed)
    answers = LogisticRegression().answer(changed, seed=0)
    weighed = replace(asked.asked, weights={"click": 1.0 - unknown})
    alike = LogisticRegression().answer(replace(asked, asked=weighed), seed=0)
    assert np.allclose(answers[:, 0], alike, atol=1e-3)
    assert (answers[:, 1] < 0.05).all()


def test_without_its_package_it_says_what_to_install(world, monkeypatch):
    monkeypatch.setattr(ours, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'jointrec\[baselines\]'"):
        LogisticRegression().answer(question(world), seed=0)
