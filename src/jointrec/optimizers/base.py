"""The contract of an optimizer: how gradients move the weights of the network."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from jointrec.errors import ProjectError


@dataclass(frozen=True)
class Optimizer(ABC):
    """A way to move weights.

    :param lr: The learning rate, above 0.
    :raises ProjectError: where it is not.
    """

    lr: float = 1e-3

    def __post_init__(self) -> None:
        if not 0 < self.lr < math.inf:
            raise ProjectError(f"`lr` should be above 0. Found `{self.lr}`.")

    def for_small(self, steps: int) -> Optimizer:
        """What moves the weights where a small flat table is learned; the same as a rule.

        :param steps: The steps of a pass.
        """
        return self

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters."""
