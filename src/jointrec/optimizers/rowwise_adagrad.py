"""One learning rate per row, which falls as the row learns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from jointrec.errors import ProjectError

from .table_update import TableUpdate, loop_over


@dataclass(frozen=True)
class RowwiseAdagrad(TableUpdate):
    """Moves a rare row far each time it is seen and a frequent one little, at 4 bytes a row.

    Adagrad (`Duchi et al., 2011 <https://jmlr.org/papers/v12/duchi11a.html>`_) with one memory a
    row instead of one a number (as in `Lerer et al., 2019 <https://arxiv.org/abs/1903.12287>`_)::

        s ← s + mean(g²),  w ← w − lr · g / (√s + eps)

    with g the gradient of the row w, and s what is remembered of it, 0 at first. The first step of
    a row is thus of root mean square ``lr``, whatever the size of its gradient.

    :param lr: The learning rate, above 0.
    :param eps: Keeps a row without a gradient from a division by zero. Above 0.
    :raises ProjectError: where one of them is not.

    >>> update, table = RowwiseAdagrad(lr=0.5), torch.zeros(3, 2)
    >>> update.apply(table, update.state(3, 2), torch.tensor([1]), torch.tensor([[4.0, -4.0]]))
    >>> table.tolist()
    [[0.0, 0.0], [-0.5, 0.5], [0.0, 0.0]]
    """

    eps: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.eps < math.inf:
            raise ProjectError(f"`eps` should be above 0. Found `{self.eps}`.")

    def state(self, rows: int, width: int) -> Float[Tensor, "rows 1"]:
        return torch.zeros(rows, 1)

    @torch.no_grad()
    def apply(
        self,
        table: Float[Tensor, "rows width"],
        state: Float[Tensor, "rows 1"],
        touched: Int64[Tensor, "touched"],
        gradients: Float[Tensor, "touched width"],
    ) -> None:
        loop = loop_over(_loop, table, state, touched, gradients)
        if loop is not None:
            loop(self.lr, self.eps)
            return
        squares = torch.linalg.vecdot(gradients, gradients) / gradients.shape[1]
        remembered = state.index_select(0, touched) + squares.unsqueeze(1)
        state.index_copy_(0, touched, remembered)
        table.index_add_(0, touched, gradients * (-self.lr / (remembered.sqrt() + self.eps)))


def _loop(
    table: np.ndarray,
    state: np.ndarray,
    touched: np.ndarray,
    gradients: np.ndarray,
    lr: float,
    eps: float,
) -> None:
    """The same, row by row, for :func:`.table_update.loop_over`."""
    width = table.shape[1]
    for place in range(len(touched)):
        row, squares = touched[place], np.float32(0)
        for number in range(width):
            squares += gradients[place, number] * gradients[place, number]
        state[row, 0] += squares / np.float32(width)
        step = np.float32(lr) / (np.sqrt(state[row, 0]) + np.float32(eps))
        for number in range(width):
            table[row, number] -= step * gradients[place, number]
