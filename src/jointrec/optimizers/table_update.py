"""The contract of a table update: how gradients move the rows of the embedding table."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor

from jointrec.errors import ProjectError


@dataclass(frozen=True)
class TableUpdate(ABC):
    """A way to move rows of a table. Only the rows of a batch are read or written.

    :param lr: The learning rate, above 0.
    :raises ProjectError: where it is not.
    """

    lr: float = 0.02

    def __post_init__(self) -> None:
        if not 0 < self.lr < math.inf:
            raise ProjectError(f"`lr` should be above 0. Found `{self.lr}`.")

    @abstractmethod
    def state(self, rows: int, width: int) -> Float[Tensor, "rows memory"]:
        """What is remembered of each row of a table of this shape, before the first step."""

    @abstractmethod
    def apply(
        self,
        table: Float[Tensor, "rows width"],
        state: Float[Tensor, "rows memory"],
        touched: Int64[Tensor, "touched"],
        gradients: Float[Tensor, "touched width"],
    ) -> None:
        """Moves the rows that a batch touched, and what is remembered of them, in place.

        :param touched: Which rows, each at most once.
        :param gradients: The gradient of each.
        """
