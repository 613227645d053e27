"""Adam with weights that fade."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import nn

from jointrec.errors import ProjectError

from .base import Optimizer

DECAY = 0.01
"""How fast weights fade where nothing is declared."""
PASSES = 16
"""Over so many passes of a small flat table weights are an average."""


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Moves weights as :class:`Adam` does, and lets them fade towards zero.

    `Loshchilov & Hutter, 2019 <https://arxiv.org/abs/1711.05101>`_, as PyTorch has it.

    Weights are an average of what the last 1 / (lr · weight_decay) steps added, and what
    matters is how many *passes* these are (`Wang & Aitchison, 2024
    <https://arxiv.org/abs/2405.13698>`_): at .01 they are 16 of 6,250 steps each. A pass of a small
    flat table has 64.

    :param lr: The learning rate, above 0: about how far a weight moves in a step.
    :param weight_decay: How fast weights fade, 0 or above: each step by this share of ``lr``. None:
        0.01, and of a small flat table so fast that these are 16 of its passes.
    :raises ProjectError: where ``weight_decay`` is below 0.
    """

    weight_decay: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weight_decay is not None and not 0 <= self.weight_decay < math.inf:
            raise ProjectError(f"`weight_decay` should be 0 or above. Found `{self.weight_decay}`.")

    def for_small(self, steps: int) -> Optimizer:
        if self.weight_decay is not None:
            return self
        return replace(self, weight_decay=max(DECAY, 1 / (self.lr * PASSES * steps)))

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        decay = DECAY if self.weight_decay is None else self.weight_decay
        return torch.optim.AdamW(parameters, lr=self.lr, weight_decay=decay, fused=True)
