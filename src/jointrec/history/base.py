"""The contract of a history encoder: how past events become one vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from jointrec.errors import ProjectError


@dataclass(frozen=True)
class History(ABC):
    """A way to read the past.

    :param last: How many events are read, the newest ones before the moment.
    :param width: How many numbers an event is read as, and so how wide a past is.
    :raises ProjectError: where one of them is below 1.
    """

    last: int = 30
    width: int = 32

    causal: ClassVar[bool] = False
    """Whether events look at earlier ones alone (:class:`CausalEncoder`): one pass over what
    somebody did then serves all moments in it."""

    def __post_init__(self) -> None:
        for name in ("last", "width"):
            if getattr(self, name) < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{getattr(self, name)}`.")

    @abstractmethod
    def build(self, width: int) -> HistoryEncoder:
        """The module for steps of this width."""


class HistoryEncoder(nn.Module, ABC):
    """Reads the steps of a past, oldest first."""

    @abstractmethod
    def forward(
        self, steps: Float[Tensor, "rows steps width"], there: Bool[Tensor, "rows steps"]
    ) -> Float[Tensor, "rows width"]:
        """One vector per row; exactly zero where nothing is there.

        What is not there has no effect, whatever its numbers are.
        """


class CausalEncoder(HistoryEncoder):
    """Reads the past as far as each of its events: what follows an event has no effect on it."""

    @abstractmethod
    def states(
        self, steps: Float[Tensor, "rows steps width"], there: Bool[Tensor, "rows steps"]
    ) -> Float[Tensor, "rows steps width"]:
        """For each event the vector of the past that ends with it; any number where none is."""

    def forward(
        self, steps: Float[Tensor, "rows steps width"], there: Bool[Tensor, "rows steps"]
    ) -> Float[Tensor, "rows width"]:
        rows, length, width = steps.shape
        if not rows or not length:
            return steps.new_zeros(rows, width)
        newest = (there * torch.arange(1, length + 1)).argmax(dim=1)
        read = self.states(steps, there)[torch.arange(rows), newest]
        return read.masked_fill(~there.any(dim=1, keepdim=True), 0.0)
