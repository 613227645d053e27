"""From the vector of a task to its outputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from .precision import exact

TOWER = 32
"""The width of a task's own layer."""


class Head(nn.Module):
    """A small network of a task's own. Before training it gives the best constant answer.

    Where a linear answer is known it begins with that, and the network learns what is to be added:
    the wide part of Cheng et al. (2016, https://arxiv.org/abs/1606.07792), fitted beforehand.

    :param width: The width of the vector that the task is given.
    :param constant: The outputs that it starts from.
    :param linear: In their place, for each output its value where all of some numbers are 0, and
        what each number adds.
    """

    def __init__(
        self,
        width: int,
        constant: Sequence[float],
        linear: Sequence[Sequence[float]] | None = None,
    ) -> None:
        super().__init__()
        self.inner = nn.Linear(width, TOWER)
        self.outer = nn.Linear(TOWER, len(constant))
        start = torch.tensor([[value] for value in constant] if linear is None else linear)
        self.wide = nn.Linear(start.shape[1] - 1, len(start), bias=False) if linear else None
        with torch.no_grad():
            self.outer.weight.zero_()
            self.outer.bias.copy_(start[:, 0])
            if self.wide is not None:
                self.wide.weight.copy_(start[:, 1:])

    def forward(
        self, x: Float[Tensor, "rows width"], numbers: Float[Tensor, "rows numbers"] | None = None
    ) -> Float[Tensor, "rows size"]:
        """The outputs of each row.

        :param numbers: Those that it is linear in, where it is.
        """
        inner = silu(self.inner(x)).to(self.outer.weight.dtype)
        with exact(x.device.type):  # three digits would not do for a logit
            outputs: Tensor = self.outer(inner)
            if self.wide is not None and numbers is not None:
                outputs = outputs + self.wide(numbers)
        return outputs
