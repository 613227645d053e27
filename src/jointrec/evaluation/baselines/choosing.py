"""Settings are chosen on validation rows, by the metric that decides for the task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Int64

from .base import Question

MOST_ROWS = 2_000
"""So many validation rows choose; of more, every n-th."""
Setting = TypeVar("Setting")


def chosen(
    question: Question,
    settings: Sequence[Setting],
    answers: Callable[[Setting, Int64[np.ndarray, "rows"]], np.ndarray[Any, np.dtype[np.float64]]],
) -> Setting:
    """The setting whose answers are best on the validation rows.

    :param settings: The first is taken without such rows, and before others that are as good.
    :param answers: What a setting answers for rows, as the metrics of the task read them.
    """
    rows = question.valid[:: len(question.valid) // MOST_ROWS + 1]
    if not len(rows) or len(settings) == 1:
        return settings[0]
    deciding = next(iter(question.project.tasks[question.task].metrics.values()))
    labels = question.labels[rows]

    def worth(setting: Setting) -> float:
        found = deciding.measure(labels, answers(setting, rows))
        if np.isnan(found):
            return -np.inf
        return -found if deciding.better == "lower" else found

    return max(settings, key=worth)
