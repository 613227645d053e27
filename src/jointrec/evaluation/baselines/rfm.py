"""Recency and frequency: the two numbers by which shops have always judged their customers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64

from .base import Baseline, Question
from .habits import Habits, asks_return, habits, strangers
from .logistic import chances_of, need_sklearn
from .parts import Part


class RFM(Baseline):
    """Says whether somebody comes back by a logistic regression on recency and frequency.

    Inputs are the logarithms of the days since the last event, of the days on which there was one
    and of the days since the first, which part of its fifths each lies in, and of the first two the
    product. Its shrinkage is chosen on validation rows. The M, money, is left out: the history of
    somebody holds no amounts. Who has no history is answered with the mean of training rows alike.
    """

    name: ClassVar[str] = "rfm"
    packages: ClassVar[tuple[str, ...]] = ("sklearn",)

    def applies(self, question: Question) -> bool:
        return asks_return(question)

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        need_sklearn(self.name)
        parts = (question.train, question.valid, question.test)
        train, valid, test = (habits(question, rows) for rows in parts)
        answers = np.full(len(question.test), strangers(question, train))
        if not (train.some.any() and test.some.any()):
            return answers
        # Only those with a history are learned from, chosen by and answered.
        rows = [rows[known.some] for rows, known in zip(parts, (train, valid, test), strict=True)]
        some = Question(question.project, question.prepared, question.asked, question.task, *rows)
        logs = [_logs(known) for known in (train, valid, test)]
        cuts = np.quantile(logs[0], [0.2, 0.4, 0.6, 0.8], axis=0)
        mean, spread = logs[0].mean(axis=0), np.maximum(logs[0].std(axis=0), 1e-9)
        inputs = [_inputs(one, cuts, mean, spread) for one in logs]
        weights = question.asked.weights.get(question.task)
        said = chances_of(
            some, Part(question.labels, weights), inputs[0], inputs[2],
            inputs[1] if len(rows[1]) else None, seed,
        )  # fmt: skip
        answers[test.some] = question.project.tasks[question.task].for_all_rows(said)
        return answers


def _logs(known: Habits) -> Float64[np.ndarray, "some 3"]:
    some = known.some
    days = known.age - known.last, known.repeats, known.age
    logs: Float64[np.ndarray, "some 3"] = np.log1p(np.stack([one[some] for one in days], axis=1))
    return logs


def _inputs(
    logs: Float64[np.ndarray, "some 3"],
    cuts: Float64[np.ndarray, "4 3"],
    mean: Float64[np.ndarray, "3"],
    spread: Float64[np.ndarray, "3"],
) -> Float64[np.ndarray, "some inputs"]:
    """Standardised logarithms, the product of the first two, and where each lies by fifths."""
    scaled = (logs - mean) / spread
    above = (logs[:, None, :] > cuts).reshape(len(logs), cuts.size).astype(np.float64)
    return np.concatenate([scaled, scaled[:, :1] * scaled[:, 1:2], above], axis=1)
