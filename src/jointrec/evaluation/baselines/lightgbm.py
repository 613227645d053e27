"""LightGBM, one model per task: what most shops use today (Ke et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float32

from jointrec.errors import missing_extra
from jointrec.tasks import Task

from .base import Baseline, Question
from .matrix import Matrix, matrix
from .parts import Part, always, parts_of, together

Rows = Float32[np.ndarray, "rows columns"]
Some = Bool[np.ndarray, "rows"]

ROUNDS, STOP_AFTER = 600, 40
MOST_CODES = 1_000
"""A column of more codes than this is read as a number: codes stand in order of frequency."""
LEAVES = (15, 63)
OBJECTIVES = {
    "chance": "binary", "classes": "multiclass", "amount": "tweedie", "count": "poisson",
    "quantiles": "quantile", "set": "binary", "steps": "binary", "times": "binary",
}  # fmt: skip
"""What LightGBM calls each form of answer."""


class LightGBM(Baseline):
    """Gradient boosted trees on the same features as the network, counters included.

    Two sizes of tree are tried, each stopped early by its loss on the validation rows; the better
    one answers. Classes are not reweighted: that moves no AUC and spoils the probabilities. What
    has several answers (quantiles, members of a set, steps, bins of time) is a model for each.
    """

    name: ClassVar[str] = "lightgbm"
    packages: ClassVar[tuple[str, ...]] = ("lightgbm",)

    def applies(self, question: Question) -> bool:
        return bool(len(question.train)) and objective(_task(question)) is not None

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        if find_spec("lightgbm") is None:
            raise missing_extra("lightgbm", "baselines", needed_for="the lightgbm baseline")
        train, valid, test = (
            matrix(question.prepared, question.asked, rows)
            for rows in (question.train, question.valid, question.test)
        )
        return boosted(question, train, valid, test, seed)


def boosted(
    question: Question, train: Matrix, valid: Matrix, test: Matrix, seed: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The answers of trees to the test rows of a question, from the columns of any matrix."""
    settings = _settings(question, seed)
    said = [
        _predicted(question, part, {**settings, **part.settings}, train, valid, test)
        for part in parts_of(question)
    ]
    return _task(question).for_all_rows(together(question, said))


def _predicted(
    question: Question,
    part: Part,
    settings: dict[str, Any],
    train: Matrix,
    valid: Matrix,
    test: Matrix,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the better of two sizes of tree says of the test rows."""
    import lightgbm

    learned, judged = (~np.isnan(part.labels[rows]) for rows in (question.train, question.valid))
    labels, judging = part.labels[question.train][learned], part.labels[question.valid][judged]
    constant = always(labels) if settings["objective"] == "binary" else None
    if constant is not None:
        return np.full(len(test.values), constant)
    weights = part.weights
    small = {**settings, "num_leaves": LEAVES[0]}
    data = lightgbm.Dataset(
        _kept(train.values, learned),
        labels,
        weight=None if weights is None else weights[question.train][learned],
        categorical_feature=few_codes(train),
        params=small,
        free_raw_data=False,
    )
    if not len(judging):
        booster = lightgbm.train(small, data, ROUNDS // 5)
        return np.asarray(booster.predict(test.values), dtype=np.float64)
    judge = lightgbm.Dataset(
        _kept(valid.values, judged),
        judging,
        weight=None if weights is None else weights[question.valid][judged],
        reference=data,
        free_raw_data=False,
    )
    tried = []
    for leaves in LEAVES:
        stop: list[Callable[..., Any]] = [lightgbm.early_stopping(STOP_AFTER, verbose=False)]
        sized = {**settings, "num_leaves": leaves}
        booster = lightgbm.train(sized, data, ROUNDS, valid_sets=[judge], callbacks=stop)
        (loss,) = booster.best_score["valid_0"].values()
        tried.append((loss, booster))
    best = min(tried, key=lambda one: one[0])[1]
    return np.asarray(best.predict(test.values), dtype=np.float64)


def objective(task: Task) -> str | None:
    """What LightGBM calls the task's kind of answer; None where it has none."""
    return OBJECTIVES.get(task.form)


def _kept(values: Rows, rows: Some) -> Rows:
    """Some of the rows; without a copy where it is all of them."""
    return values if rows.all() else values[rows]


def few_codes(data: Matrix) -> list[int]:
    """The columns of codes that are few enough to be categories."""
    return [n for n in data.categories if np.ptp(data.values[:, n]) < MOST_CODES]


def _task(question: Question) -> Task:
    return question.project.tasks[question.task]


def _settings(question: Question, seed: int) -> dict[str, Any]:
    """The settings that all models of a task share."""
    settings: dict[str, Any] = {
        "objective": objective(_task(question)),
        "learning_rate": 0.05,
        "min_data_in_leaf": 50 if len(question.train) > 5_000 else 10,
        "feature_pre_filter": False,  # else the data remember the first `min_data_in_leaf`
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": torch.get_num_threads(),
        "verbosity": -1,
    }
    if settings["objective"] == "multiclass":
        outputs = torch.zeros(1, question.prepared.layout.sizes[question.task])
        settings["num_class"] = _task(question).answer(outputs).shape[1]
    return settings
