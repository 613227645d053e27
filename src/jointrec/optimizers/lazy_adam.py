"""Adam for the rows of a batch alone."""

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
class LazyAdam(TableUpdate):
    """Moves each number of a row by its mean gradient in units of its usual size.

    Adam (`Kingma & Ba, 2015 <https://arxiv.org/abs/1412.6980>`_), at 8 bytes a number and 4 a row.
    With g the gradient of the row w in a step that touches it, and n the steps that have::

        m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  w ← w − lr · m̂ / (√v̂ + eps)

    where ``m̂ = m / (1 − β₁ⁿ)`` and ``v̂ = v / (1 − β₂ⁿ)``. Where we leave Adam: in a step that does
    not touch a row, Adam lets m and v fade and still moves w by what is left of m; here all three
    stay, and n counts the row's own steps (in ``torch.optim.SparseAdam`` the steps of all). A row
    of every step moves as in Adam; a rare one moves less between its steps and forgets more slowly.

    :param lr: The learning rate, above 0: about how far a number moves in a step.
    :param beta1: How much of the mean gradient stays, from 0 to below 1.
    :param beta2: How much of the mean square stays, from 0 to below 1.
    :param eps: Keeps a row without a gradient from a division by zero. Above 0.
    :raises ProjectError: where one of them is out of range.

    >>> update, table = LazyAdam(lr=0.5), torch.zeros(3, 2)
    >>> update.apply(table, update.state(3, 2), torch.tensor([1]), torch.tensor([[4.0, -1.0]]))
    >>> table.tolist()
    [[0.0, 0.0], [-0.5, 0.5], [0.0, 0.0]]
    """

    lr: float = 0.003
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ProjectError(
                    f"`{name}` should be from 0 to below 1. Found `{getattr(self, name)}`."
                )
        if not 0 < self.eps < math.inf:
            raise ProjectError(f"`eps` should be above 0. Found `{self.eps}`.")

    def state(self, rows: int, width: int) -> Float[Tensor, "rows memory"]:
        """The steps of each row, then m, then v."""
        return torch.zeros(rows, 1 + 2 * width)

    @torch.no_grad()
    def apply(
        self,
        table: Float[Tensor, "rows width"],
        state: Float[Tensor, "rows memory"],
        touched: Int64[Tensor, "touched"],
        gradients: Float[Tensor, "touched width"],
    ) -> None:
        settings = (self.lr, self.beta1, self.beta2, self.eps)
        loop = loop_over(_loop, table, state, touched, gradients)
        if loop is not None:
            loop(*settings)
            return
        width = table.shape[1]
        own = state.index_select(0, touched)
        steps, mean, square = own[:, :1], own[:, 1 : 1 + width], own[:, 1 + width :]
        steps += 1
        mean.lerp_(gradients, 1 - self.beta1)
        square.lerp_(gradients.square(), 1 - self.beta2)
        state.index_copy_(0, touched, own)
        # In double: float32 knows only four digits of 1 − β₂.
        first, second = ((1 - beta ** steps.double()).float() for beta in (self.beta1, self.beta2))
        size = (square / second).sqrt_() + self.eps
        table.index_add_(0, touched, mean / first / size, alpha=-self.lr)


def _loop(
    table: np.ndarray,
    state: np.ndarray,
    touched: np.ndarray,
    gradients: np.ndarray,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """The same, row by row, for :func:`.table_update.loop_over`."""
    width = table.shape[1]
    for place in range(len(touched)):
        row = touched[place]
        state[row, 0] += np.float32(1)
        first = np.float32(1 / (1 - beta1 ** state[row, 0]))
        second = np.float32(1 / (1 - beta2 ** state[row, 0]))
        for number in range(width):
            g = gradients[place, number]
            mean = state[row, 1 + number]
            mean += np.float32(1 - beta1) * (g - mean)
            square = state[row, 1 + width + number]
            square += np.float32(1 - beta2) * (g * g - square)
            state[row, 1 + number], state[row, 1 + width + number] = mean, square
            size = np.sqrt(square * second) + np.float32(eps)
            table[row, number] -= np.float32(lr) * (mean * first) / size
