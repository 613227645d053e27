"""Experts for all, a gate for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from jointrec.errors import ProjectError

from .base import Heard, SharedNetwork, Sharing
from .experts import Experts, Gates


@dataclass(frozen=True)
class MMoE(Sharing):
    """Lets each task choose, row by row, how much it listens to each of some shared experts.

    The multi-gate mixture of experts (`Ma et al., 2018 <https://doi.org/10.1145/3219819.3220007>`_)::

        h_t(x) = Σ_e softmax(W_t x)_e · f_e(x)

    with f_e the experts and W_t the gate of task t. Where we leave the paper: what experts give is
    normalised, against their collapse (:class:`.experts.Experts`), and gates start at zero, so
    that every task first listens to all experts alike.

    :param widths: The widths of the layers of each expert; the last is what tasks get.
    :param dropout: The share of activations dropped while training, from 0 to below 1.
    :param experts: How many experts there are.
    :raises ProjectError: where ``experts`` is below 1.
    """

    experts: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.experts < 1:
            raise ProjectError(f"`experts` should be at least 1. Found `{self.experts}`.")

    def build(self, size: int, tasks: Sequence[str]) -> SharedNetwork:
        experts = Experts(size, self.widths, (self.experts,), self.dropout)
        return _MMoE(experts, Gates(size, len(tasks), self.experts), tasks)


class _MMoE(SharedNetwork):
    def __init__(self, experts: Experts, gates: Gates, tasks: Sequence[str]) -> None:
        super().__init__()
        self.experts, self.gates = experts, gates
        self.places = {task: place for place, task in enumerate(tasks)}

    def heard(self, x: Float[Tensor, "rows size"], tasks: Sequence[str]) -> Heard:
        shares = self.gates([x] * len(tasks), [self.places[task] for task in tasks])
        heard = self.experts([x], [0], shares)
        return Heard(dict(zip(tasks, heard.unbind(1), strict=True)), shares)
