"""The average of the weights over the last steps: less noise than any one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

KEPT = 0.99
"""How much of the average stays at a step: it reaches about 100 steps back."""


class Average:
    """An exponential moving average of the dense weights of a network (`Polyak & Juditsky, 1992
    <https://doi.org/10.1137/0330046>`_; exponential as in `Tarvainen & Valpola, 2017
    <https://arxiv.org/abs/1703.01780>`_).

    With ``a`` the average, ``w`` the weights and ``n`` the steps so far,
    ``a ← k·a + (1 − k)·w`` where ``k = min(0.99, (1 + n) / (10 + n))``, so that the first steps,
    which are far from anything, are soon forgotten. Rows of the embedding table are not averaged:
    each moves at few steps only, and a copy of the table would double the memory.

    >>> layer = nn.Linear(1, 1)
    >>> average = Average(layer)
    >>> before = layer.weight.item()
    >>> _ = layer.weight.data.add_(10.0)
    >>> average.update()
    >>> with average.in_place():
    ...     averaged = layer.weight.item()
    >>> before < averaged < layer.weight.item()
    True
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        # Kept: looking for them takes longer than averaging them.
        self._own = [weight.detach() for weight in network.parameters()]
        self.steps = 0
        self.weights = {n: w.detach().clone() for n, w in network.named_parameters()}

    def update(self) -> None:
        """Takes the weights of a step into the average."""
        kept = min(KEPT, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.weights.values()), self._own, 1.0 - kept)
        self.steps += 1

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network has the averaged weights while this lasts, and its own again after it."""
        own = {n: w.detach().clone() for n, w in self._network.named_parameters()}
        self._put(self.weights)
        try:
            yield
        finally:
            self._put(own)

    def load(self, weights: Mapping[str, Tensor], steps: int) -> None:
        """Goes on from an average that was kept."""
        self.weights = {name: weights[name].clone() for name in self.weights}
        self.steps = steps

    def _put(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, weight in self._network.named_parameters():
                weight.copy_(weights[name])
