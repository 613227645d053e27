"""The contract of a table update: how gradients move the rows of the embedding table."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from jaxtyping import Float, Int64
from torch import Tensor

from jointrec.errors import ProjectError
from jointrec.functional.compiled import Loop, arrays, at_once, compiled, parts_of

WORTH = 8_192
"""The fewest rows of a step for which numba is loaded and a loop compiled: two seconds once. It
pays where a step touches many rows of a table that no cache holds."""


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


def loop_over(
    loop: Loop, table: Tensor, state: Tensor, touched: Tensor, gradients: Tensor
) -> Callable[..., None] | None:
    """A loop over the rows touched as machine code, which takes the settings of an update; None
    where PyTorch does as well, or numba is not installed.

    Threads share the rows: none is touched by two.
    """
    if len(touched) < WORTH or table.device.type != "cpu":
        return None
    made = compiled(loop)
    if made is None:
        return None
    whole = arrays(table, state)
    own = [
        arrays(touched[slice(*part)], gradients[slice(*part)]) for part in parts_of(len(touched))
    ]

    def run(*settings: float) -> None:
        at_once([partial(made, *whole, *rows, *settings) for rows in own])

    return run
