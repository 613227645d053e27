"""Whether the bands of a forecast hold as often as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from jointrec.functional.intervals import drawn

from .baselines import Question
from .report import TaskReport


def with_band_metrics(
    report: TaskReport,
    question: Question,
    way: str,
    banded: Float64[np.ndarray, "rows ends"] | None,
    *,
    rounds: int,
) -> TaskReport:
    """The report of a task, with what its bands come to: how often they hold, and the pinball loss.

    A task that tells no bands is left as it is.

    :param way: The way of answering.
    :param banded: What it says of the test rows, the mean first; None where it tells no bands.
    """
    metrics = question.project.tasks[question.task].band_metrics
    if banded is None:
        return report
    found = drawn(
        {name: metric.measure for name, metric in metrics.items()},
        question.labels[question.test],
        banded[:, 1:],
        question.asked.clusters[question.test],
        rounds=rounds,
        seed=question.project.budget.seed,
    )
    own = {**report.systems[way], **{name: one.interval() for name, one in found.items()}}
    return replace(report, systems={**report.systems, way: own})
