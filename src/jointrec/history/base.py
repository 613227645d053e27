"""The contract of a history encoder: how past events become one vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn

from jointrec.errors import ProjectError


@dataclass(frozen=True)
class History(ABC):
    """A way to read the past.

    :param last: How many events are read, the newest ones before the moment.
    :raises ProjectError: where ``last`` is below 1.
    """

    last: int = 30

    def __post_init__(self) -> None:
        if self.last < 1:
            raise ProjectError(f"`last` should be at least 1. Found `{self.last}`.")

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
