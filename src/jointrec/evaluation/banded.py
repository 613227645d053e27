"""Whether the bands of a forecast hold as often as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jointrec.functional.intervals import drawn
from jointrec.network import JointNetwork, answers_of

from .baselines import Question
from .report import TaskReport


def with_band_metrics(
    report: TaskReport, question: Question, way: str, network: JointNetwork, *, rounds: int
) -> TaskReport:
    """The report of a task, with what its bands come to: how often they hold, and the pinball loss.

    A task that tells no bands is left as it is.

    :param way: The way of answering that the network is.
    """
    metrics = question.project.tasks[question.task].band_metrics
    if not metrics or not len(question.test):
        return report
    pieces = answers_of(
        network, question.prepared, question.asked, (question.task,), question.test, told=True
    )
    told = np.concatenate([piece[question.task] for piece in pieces])
    found = drawn(
        {name: metric.measure for name, metric in metrics.items()},
        question.labels[question.test],
        told[:, 1:],
        question.asked.clusters[question.test],
        rounds=rounds,
        seed=question.project.budget.seed,
    )
    own = {**report.systems[way], **{name: one.interval() for name, one in found.items()}}
    return replace(report, systems={**report.systems, way: own})
