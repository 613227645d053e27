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

    :param width: The width of the vector that the task is given.
    :param constant: The outputs that it starts from.
    """

    def __init__(self, width: int, constant: Sequence[float]) -> None:
        super().__init__()
        self.inner = nn.Linear(width, TOWER)
        self.outer = nn.Linear(TOWER, len(constant))
        with torch.no_grad():
            self.outer.weight.zero_()
            self.outer.bias.copy_(torch.tensor(constant))

    def forward(self, x: Float[Tensor, "rows width"]) -> Float[Tensor, "rows size"]:
        """The outputs of each row."""
        inner = silu(self.inner(x)).to(self.outer.weight.dtype)
        with exact(x.device.type):  # three digits would not do for a logit
            outputs: Tensor = self.outer(inner)
        return outputs
