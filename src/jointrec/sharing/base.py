"""The contract of a sharing: what tasks have in common inside the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from jointrec.errors import ProjectError


@dataclass(frozen=True)
class Sharing(ABC):
    """A way for tasks to share a network.

    :param widths: The widths of the layers of each expert (or trunk); the last is what tasks get.
    :param dropout: The share of activations dropped while training, from 0 to below 1.
    :raises ProjectError: where there is no layer, one narrower than 2, or a share out of range.
    """

    widths: tuple[int, ...] = (128, 64)
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 2:
            raise ProjectError(
                "`widths` should hold a width of at least 2 for each layer, such as [128, 64]. "
                f"Found `{list(self.widths)}`."
            )
        if not 0 <= self.dropout < 1:
            raise ProjectError(f"`dropout` should be from 0 to below 1. Found `{self.dropout}`.")

    @abstractmethod
    def build(self, size: int, tasks: Sequence[str]) -> SharedNetwork:
        """The network for rows of this size and these tasks."""


@dataclass(frozen=True)
class Heard:
    """What tasks get.

    :param vectors: For each task one vector per row.
    :param shares: How much of it comes from each thing that tasks share, such as an expert.
    """

    vectors: dict[str, Float[Tensor, "rows width"]]
    shares: Float[Tensor, "rows tasks things"]


class SharedNetwork(nn.Module, ABC):
    """The part of the network that tasks share."""

    def forward(
        self, x: Float[Tensor, "rows size"], tasks: Sequence[str]
    ) -> dict[str, Float[Tensor, "rows width"]]:
        """One vector per row for each of the tasks asked."""
        return self.heard(x, tasks).vectors

    @abstractmethod
    def heard(self, x: Float[Tensor, "rows size"], tasks: Sequence[str]) -> Heard:
        """What each of the tasks asked gets (those of one grain, or some of them), row by row.

        It does not depend on which others are asked beside it.
        """
