"""Whether answers contradict each other: a purchase above its click, a month below its week."""

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
    """The report of a task, with the share of rows where it contradicts the one it comes after.

    A step of a funnel may not be likelier than the step before it; the same over a longer time may
    not be less. It is 0 for a joint network by construction, and not for ways that answer each task
    by itself.

    :param before: The task that it comes after, and the answers to it.
    """
    earlier, said = before
    rows, own, other = np.intersect1d(
        question.test, earlier.test, assume_unique=True, return_indices=True
    )
    task, tasks = question.project.tasks[question.task], question.project.tasks
    grows = task.lengthens(tasks[earlier.task]) and not task.fades
    systems = {way: dict(found) for way, found in report.systems.items()}
    for way, answers in answered.items():
        if way not in said or not len(rows):
            continue
        wrong = _contradicts(answers[own], said[way][other], grows=grows)
        clusters = question.asked.clusters[rows]
        seed = question.project.budget.seed
        # The mean distance from 0 of what is 0 or 1 is how often it is 1.
        share = drawn(
            {NAME: metrics.mae}, np.zeros(len(rows)), wrong, clusters, rounds=rounds, seed=seed
        )
        systems[way][NAME] = share[NAME].interval()
    return replace(report, systems=systems)


def _contradicts(answers: Answers, earlier: Answers, *, grows: bool) -> Answers:
    """Rows that are above the earlier answer, or below it, by more than the last digit rounds."""
    low, high = (answers, earlier) if grows else (earlier, answers)
    wrong = (high > low * (1 + 1e-6) + 1e-12).reshape(len(answers), -1)
    rows: Answers = np.asarray(wrong.any(axis=1), dtype=np.float64)
    return rows
