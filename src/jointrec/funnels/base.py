"""The contract of a funnel: how a step builds on the one before it.

A step is a task that comes ``after`` another. What the earlier one gives is read without a
gradient: a rare later step would otherwise bend the earlier ones to its own ends (forward all,
backward own: Su et al., 2024, STEM). Whatever a way does, the chance of a step is never above that
of the one before it, for any outputs: a network cannot contradict itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Funnel(ABC):
    """A way in which a step of a funnel builds on the one before it."""

    @property
    def propensity_share(self) -> tuple[float, float]:
        """How much the loss of a step *given* the one before is added, and its largest weight.

        See :func:`jointrec.functional.losses.inverse_propensity`.
        """
        return 0.0, 1.0

    @abstractmethod
    def build(self, width: int) -> Step:
        """The module of one step, of tasks with vectors of this width."""

    @abstractmethod
    def start(self, logit: float, earlier: float) -> float:
        """What the step's own first output must be, to give ``logit`` after ``earlier``.

        Where ``logit`` is not below ``earlier``, what gives a little less than ``earlier``.
        """


class Step(nn.Module, ABC):
    """One step of a funnel."""

    def vector(
        self, own: Float[Tensor, "rows width"], earlier: Float[Tensor, "rows width"]
    ) -> Float[Tensor, "rows width"]:
        """The vector that the head is given: the task's own, and what it takes of the earlier."""
        return own

    @abstractmethod
    def forward(
        self, earlier: Float[Tensor, "rows"], own: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        """The log odds of the step, never above those of the earlier one.

        :param earlier: The log odds of the earlier step.
        :param own: What the head of this one gives; any finite size.
        """
