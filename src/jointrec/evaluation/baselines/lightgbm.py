"""LightGBM, one model per task: what most shops use today (Ke et al., 2017)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from jointrec.errors import missing_extra
from jointrec.tasks import Task

from .base import Baseline, Question
from .matrix import Matrix, matrix

ROUNDS, STOP_AFTER, MOST_CODES = 600, 40, 1_000


class LightGBM(Baseline):
    """Gradient boosted trees on the same features as the network, counters included.

    Two sizes of tree are tried, each stopped early on the validation rows; the better one answers.
    A column of codes is read as categories up to 1,000 of them, else as the rank of its frequency.
    """

    name: ClassVar[str] = "lightgbm"
    packages: ClassVar[tuple[str, ...]] = ("lightgbm",)

    def applies(self, question: Question) -> bool:
        return _objective(question.project.tasks[question.task]) is not None

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        if find_spec("lightgbm") is None:
            raise missing_extra("lightgbm", "baselines", needed_for="the lightgbm baseline")
        import lightgbm

        objective = _objective(question.project.tasks[question.task])
        train = matrix(question.prepared, question.asked, question.train)
        valid = matrix(question.prepared, question.asked, question.valid)
        codes = _small_codes(train)
        labels = question.labels
        data = lightgbm.Dataset(
            train.values, labels[question.train], categorical_feature=codes, free_raw_data=False
        )
        chosen = lightgbm.Dataset(valid.values, labels[question.valid], reference=data)
        best: tuple[float, Any] | None = None
        for leaves in (15, 63):
            settings = {
                "objective": objective,
                "learning_rate": 0.05,
                "num_leaves": leaves,
                "min_data_in_leaf": 50 if len(question.train) > 5_000 else 10,
                "feature_fraction": 0.8,
                "bagging_fraction": 0.8,
                "bagging_freq": 1,
                "lambda_l2": 1.0,
                "max_cat_to_onehot": 4,
                "seed": seed,
                "deterministic": True,
                "force_row_wise": True,
                "verbosity": -1,
            }
            if objective == "multiclass":
                settings["num_class"] = question.prepared.layout.sizes[question.task]
            stop = [lightgbm.early_stopping(STOP_AFTER, verbose=False)] if len(question.valid) else []
            sets = [chosen] if len(question.valid) else []
            rounds = ROUNDS if sets else ROUNDS // 4
            booster = lightgbm.train(settings, data, rounds, valid_sets=sets, callbacks=stop)
            loss = next(iter(booster.best_score["valid_0"].values())) if sets else 0.0
            if best is None or loss < best[0]:
                best = (loss, booster)
        assert best is not None
        test = matrix(question.prepared, question.asked, question.test)
        return np.asarray(best[1].predict(test.values), dtype=np.float64)


def _objective(task: Task) -> str | None:
    """What LightGBM calls the task's kind of answer; None where it has none."""
    if task.ranks_catalogue:
        return None
    if task.cell == "id":
        return "multiclass"
    if task.has_chance:
        return "binary" if task.cell == "flag" else "tweedie"
    return "poisson"


def _small_codes(data: Matrix) -> list[int]:
    """The columns of codes that are few enough to be categories."""
    return [n for n in data.categories if np.ptp(data.values[:, n]) < MOST_CODES]
