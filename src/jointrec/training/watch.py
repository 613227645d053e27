"""What training tells while it runs, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """Where training is, after a step.

    :param epoch: The pass, from 1.
    :param epochs: The most passes there will be.
    :param step: The step within the pass, from 1.
    :param steps: The steps of the pass.
    :param rows_per_second: Rows learned from in a second, in this pass.
    :param seconds_left: To the end of the last pass, if none is left out.
    :param losses: For each task that still learns, the mean training loss of the pass so far.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    rows_per_second: float
    seconds_left: float
    losses: Mapping[str, float]


@dataclass(frozen=True)
class Epoch:
    """What one pass came to.

    :param number: The pass, from 0.
    :param losses: For each task that learned, its mean training loss.
    :param valid: For each task that was measured, its validation loss.
    :param rows: Rows learned from.
    :param seconds: How long the pass took.
    :param ndcg: For each task that ranks a catalogue and was measured, how high it puts the right
        one: the mean of 1 / log₂(1 + rank) over validation rows. It says which pass is best.
    """

    number: int
    losses: Mapping[str, float]
    valid: Mapping[str, float]
    rows: int
    seconds: float
    ndcg: Mapping[str, float] = field(default_factory=dict)


class Watch:
    """Is told how a run goes. This one keeps it to itself; others write or draw it."""

    def stage(self, name: str) -> None:
        """A stage of the run begins."""

    def say(self, text: str) -> None:
        """Something that a person should know."""

    def step(self, progress: Progress) -> None:
        """A step is done."""

    def epoch(self, epoch: Epoch) -> None:
        """A pass is done and measured."""

    def measuring(self, task: str, way: str) -> None:
        """A way of answering a task is about to be measured."""
