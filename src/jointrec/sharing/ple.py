"""Experts for all and experts of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from jointrec.errors import ProjectError

from .base import Heard, SharedNetwork, Sharing
from .experts import Experts, Gates


@dataclass(frozen=True)
class PLE(Sharing):
    """Gives each task experts of its own beside those that all share, so that it can differ.

    Progressive layered extraction (`Tang et al., 2020 <https://doi.org/10.1145/3383313.3412236>`_);
    with one level it is the paper's customized gate control. Task t gets at each level::

        x_t ← Σ_e softmax(W_t x_t)_e · f_e      over the experts of t, and the shared ones

    where experts of t read x_t and shared experts read what the shared gate gave one level below.
    Only the experts of the tasks asked are computed: a row costs nothing for tasks of other grains.

    Where we leave the paper: below the last level its shared gate listens to the experts of every
    task, ours to the shared ones only. Then what a task gets depends neither on which others are
    asked beside it, nor on weights that are another task's own. What experts give is normalised
    (:class:`.experts.Experts`), and gates start at zero.

    :param widths: The widths of the layers of each expert; the last is what tasks get.
    :param dropout: The share of activations dropped while training, from 0 to below 1.
    :param shared: How many experts all tasks share, at each level.
    :param own: How many experts each task has for itself, at each level.
    :param levels: How often experts follow each other.
    :raises ProjectError: where one of these three is below 1.
    """

    shared: int = 2
    own: int = 1
    levels: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("shared", "own", "levels"):
            if getattr(self, name) < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{getattr(self, name)}`.")

    def build(self, size: int, tasks: Sequence[str]) -> SharedNetwork:
        sizes = [size] + [self.widths[-1]] * (self.levels - 1)
        counts = [self.shared] + [self.own] * len(tasks)
        levels = []
        for number, inner in enumerate(sizes, 1):
            experts = Experts(inner, self.widths, counts, self.dropout)
            gates = Gates(inner, len(tasks), self.own + self.shared)
            between = Gates(inner, 1, self.shared) if number < self.levels else None
            levels.append(_Level(experts, gates, between))
        return _PLE(levels, tasks)


class _PLE(SharedNetwork):
    def __init__(self, levels: Sequence[_Level], tasks: Sequence[str]) -> None:
        super().__init__()
        self.levels = nn.ModuleList(levels)
        self.groups = {task: group for group, task in enumerate(tasks, 1)}

    def heard(self, x: Float[Tensor, "rows size"], tasks: Sequence[str]) -> Heard:
        groups = [0, *(self.groups[task] for task in tasks)]
        given = [x] * len(groups)
        for level in self.levels:
            given, shares = level(given, groups)
        return Heard(dict(zip(tasks, given, strict=True)), shares)


class _Level(nn.Module):
    """One level of extraction. Group 0 is what tasks share; the last level gives none of it."""

    def __init__(self, experts: Experts, gates: Gates, between: Gates | None) -> None:
        super().__init__()
        self.experts, self.gates, self.between = experts, gates, between

    def forward(
        self, inputs: Sequence[Float[Tensor, "rows size"]], groups: Sequence[int]
    ) -> tuple[list[Float[Tensor, "rows width"]], Float[Tensor, "rows readers shared"]]:
        num_shared, readers = len(self.experts.gains[0]), len(groups) - 1
        shares = self.gates(inputs[1:], [group - 1 for group in groups[1:]])
        num_own = shares.shape[2] - num_shared
        owns = num_shared + torch.arange(readers * num_own, device=shares.device)
        shareds = torch.arange(num_shared, device=shares.device).expand(readers, -1)
        listens = torch.cat([owns.view(readers, num_own), shareds], dim=1)
        shared_shares = shares[:, :, num_own:]
        if self.between is not None:
            # One reader more, who hears what all share and nothing of what is a task's own.
            below = F.pad(self.between(inputs[:1], [0]), (num_own, 0))
            shares = torch.cat([below, shares], dim=1)
            listens = torch.cat([listens[:1], listens])
        heard = self.experts(inputs, groups, shares, listens).unbind(1)
        return list(heard), shared_shares
