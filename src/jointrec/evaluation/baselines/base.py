"""The contract of a baseline: another way to answer one task, from the same prepared rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.prepare import Asked, Prepared
from jointrec.project import Project


@dataclass(frozen=True)
class Question:
    """A task, with the rows to learn from, to choose by and to answer.

    :param task: The name of the task.
    :param train, valid, test: Rows of ``asked`` whose label is known in that part.
    """

    project: Project
    prepared: Prepared
    asked: Asked
    task: str
    train: Int64[np.ndarray, "train"]
    valid: Int64[np.ndarray, "valid"]
    test: Int64[np.ndarray, "test"]

    @property
    def labels(self) -> Float64[np.ndarray, "rows"]:
        """The labels of all rows of the grain; nan where unknown."""
        return self.asked.labels[self.task]


class Baseline(ABC):
    """Another way to answer a task."""

    name: ClassVar[str]
    """How it is called in reports."""
    packages: ClassVar[tuple[str, ...]] = ()
    """The optional packages that it needs."""

    @abstractmethod
    def applies(self, question: Question) -> bool:
        """Whether it can answer such a task at all."""

    def quick(self, question: Question) -> bool:
        """Whether that takes seconds. Others are asked only where they are named."""
        return True

    @abstractmethod
    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Answers for the test rows, of which there are some, as the metrics of the task read them.

        That is the form of the task's own answers; for a task that ranks a catalogue it is the rank
        of the right one among all, from 1, those level with it before it.

        :raises MissingExtra: where an optional package is not installed.
        """
