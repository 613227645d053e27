"""Adam with weights that fade."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from jointrec.errors import ProjectError

from .base import Optimizer


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Moves weights as :class:`Adam` does, and lets them fade towards zero.

    `Loshchilov & Hutter, 2019 <https://arxiv.org/abs/1711.05101>`_, as PyTorch has it.

    :param lr: The learning rate, above 0: about how far a weight moves in a step.
    :param weight_decay: How fast weights fade, 0 or above: each step by this share of ``lr``.
    :raises ProjectError: where ``weight_decay`` is below 0.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.weight_decay < math.inf:
            raise ProjectError(f"`weight_decay` should be 0 or above. Found `{self.weight_decay}`.")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=self.lr, weight_decay=self.weight_decay, fused=True)
