"""Popularity: what was chosen most often lately. On honest time splits it beats many networks."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .base import Baseline, Question

DAY = 86_400_000_000
WINDOW = 1
"""Which of the popularity windows is taken: the second, 7 days."""


class Popularity(Baseline):
    """Ranks a catalogue by how often each candidate was the answer in the 7 days before the day."""

    name: ClassVar[str] = "popularity"

    def applies(self, question: Question) -> bool:
        return question.project.tasks[question.task].ranks_catalogue

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        popularity = question.prepared.popularity[question.task]
        assert question.asked.times is not None
        days = question.asked.times[question.test] // DAY - popularity.first_day
        scores = popularity.counts[np.clip(days, 0, len(popularity.counts) - 1), 1:, WINDOW]
        return scores.astype(np.float64)
