"""TF-IDF cosine and LightGBM: what a search team builds in an afternoon, and hard to beat."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int64

from jointrec.errors import missing_extra

from .base import Baseline, Question
from .lightgbm import Rows, boosted, objective
from .matrix import Matrix

READ = (
    "{0} ~ {1}: cosine", "{0} ~ {1}: cosine of pieces", "{0} in {1}: share", "{0} ~ {1}: length",
    "{0} ~ {1}: other length", "{0} ~ {1}: both",
)  # fmt: skip
"""Which of the numbers of two texts it reads (see `jointrec.prepare.matching`)."""


class TfidfLightGBM(Baseline):
    """Gradient boosted trees on how two texts overlap.

    For each two texts of a row: the tf-idf cosine of their words, that of their three-character
    pieces (so that plurals and misspellings count), the share of the first one's words that
    are in the second, and how long both are. No other feature. The trees are those of `LightGBM`:
    the same objective for the task's form, two sizes, stopped early on validation rows.
    """

    name: ClassVar[str] = "tfidf_lightgbm"
    packages: ClassVar[tuple[str, ...]] = ("lightgbm",)

    def applies(self, question: Question) -> bool:
        task = question.project.tasks[question.task]
        return bool(len(question.train) and question.asked.matches) and objective(task) is not None

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        if find_spec("lightgbm") is None:
            raise missing_extra("lightgbm", "baselines", needed_for=f"the {self.name} baseline")
        train, valid, test = (
            Matrix(_overlap(question, rows), (), ())
            for rows in (question.train, question.valid, question.test)
        )
        return boosted(question, train, valid, test, seed)


def _overlap(question: Question, rows: Int64[np.ndarray, "rows"]) -> Rows:
    """The columns that are read of some rows."""
    columns = []
    for texts, numbers in question.asked.matches.items():
        names = question.prepared.layout.matches[texts]
        columns += [numbers[rows, names.index(name.format(*texts))] for name in READ]
    return np.stack(columns, axis=1)
