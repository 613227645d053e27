"""The contract of a balancing method: it writes one function, `combine`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Balancing(ABC):
    """A method for balancing tasks."""

    @abstractmethod
    def build(self, scales: Mapping[str, float]) -> Balancer:
        """The balancer for these tasks, in this order.

        :param scales: For each task the training loss of its best constant answer (above 0).
        """


class Balancer(nn.Module, ABC):
    """Makes one loss of many. It may hold parameters that are learned with the network."""

    reads_pulls: ClassVar[bool] = False
    """Whether :meth:`combine` wants to know how tasks pull on what they share, which costs a little
    to find out."""

    @abstractmethod
    def combine(
        self,
        losses: Float[Tensor, "tasks"],
        pulls: Float[Tensor, "tasks tasks"] | None = None,
    ) -> Float[Tensor, ""]:
        """One loss from one mean loss per task, in the order of the tasks.

        A task without a known row in the batch has a loss of 0 that leads to no parameter.

        :param pulls: Inner products of the gradients of the losses at what tasks share, where the
            method reads them: above 0 where two tasks pull alike, below 0 where they conflict.
        """
