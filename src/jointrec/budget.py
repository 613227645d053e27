"""How much training a network gets. Joint and alone get the same."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ProjectError


@dataclass(frozen=True)
class Budget:
    """How long training may take, in passes over the rows.

    :param epochs: The most passes over the training rows.
    :param rows: At most so many rows per optimizer step, over all grains together; small data take
        fewer, so that a pass has steps enough.
    :param patience: A task (with its whole funnel) stops after this many passes without a better
        validation loss, and is served from its best pass.
    :param seed: Where all chance comes from: the same seed gives the same bits on one machine.
    """

    epochs: int = 6
    rows: int = 2048
    patience: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "rows", "patience"):
            if getattr(self, name) < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{getattr(self, name)}`.")
        if self.seed < 0:
            raise ProjectError(f"`seed` should be 0 or more. Found `{self.seed}`.")
