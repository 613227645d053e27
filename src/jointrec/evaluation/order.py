"""Whether answers of a funnel contradict each other: a purchase likelier than its own click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from jointrec.functional import metrics
from jointrec.functional.intervals import drawn

from .baselines import Question
from .report import TaskReport

NAME = "order_violations"
Answers = np.ndarray[Any, np.dtype[np.float64]]


def with_order(
    report: TaskReport,
    question: Question,
    answered: Mapping[str, Answers],
    before: tuple[Question, Mapping[str, Answers]],
    *,
    rounds: int,
) -> TaskReport:
    """The report of a step of a funnel, with the share of rows where it is likelier than the last.

    It is 0 for a joint network by construction, and not for ways that answer each step by itself.

    :param before: The step before it, and the answers to it.
    """
    earlier, said = before
    rows, own, other = np.intersect1d(
        question.test, earlier.test, assume_unique=True, return_indices=True
    )
    systems = {way: dict(found) for way, found in report.systems.items()}
    for way, answers in answered.items():
        if way not in said or not len(rows):
            continue
        # Rounding of the last digit is no contradiction.
        likelier = (answers[own] > said[way][other] * (1 + 1e-6)).astype(np.float64)
        clusters = question.asked.clusters[rows]
        seed = question.project.budget.seed
        # The mean distance from 0 of what is 0 or 1 is how often it is 1.
        share = drawn(
            {NAME: metrics.mae}, np.zeros(len(rows)), likelier, clusters, rounds=rounds, seed=seed
        )
        systems[way][NAME] = share[NAME].interval()
    return replace(report, systems=systems)
