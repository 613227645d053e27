"""Plain steps with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from jointrec.errors import ProjectError

from .base import Optimizer


@dataclass(frozen=True)
class SGD(Optimizer):
    """Moves weights straight down the gradient, with momentum.

    :param lr: The learning rate, above 0. Steps grow with the gradient.
    :param momentum: The share of each step that goes on into the next, from 0 to below 1.
    :raises ProjectError: where ``momentum`` is out of range.
    """

    lr: float = 0.01
    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.momentum < 1:
            raise ProjectError(f"`momentum` should be from 0 to below 1. Found `{self.momentum}`.")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum, fused=True)
