"""How much training a network gets. Joint and alone get the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .errors import ProjectError, nearest

Precision = Literal["auto", "fp32", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)


@dataclass(frozen=True)
class Budget:
    """How long training may take, in passes over the rows.

    :param epochs: The most passes over the training rows.
    :param rows: At most so many rows per optimizer step, over all grains together; small data take
        fewer, so that a pass has steps enough.
    :param patience: A task (with its whole funnel) stops after this many passes without a better
        validation loss, and is served from its best pass. Of a task that ranks a catalogue it is
        the NDCG, with one pass more, and passes in which its loss still falls do not count.
    :param seed: Where all chance comes from: the same seed gives the same bits on one machine.
    :param precision: In which numbers products are computed: ``fp32``, ``bf16`` (half the bits and
        twice as fast where the processor has it; weights and losses stay in fp32) or ``auto``: bf16
        where the processor has it and steps are large enough for it to pay.
    """

    epochs: int = 6
    rows: int = 2048
    patience: int = 1
    seed: int = 0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "rows", "patience"):
            if getattr(self, name) < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{getattr(self, name)}`.")
        if self.seed < 0:
            raise ProjectError(f"`seed` should be 0 or more. Found `{self.seed}`.")
        if self.precision not in PRECISIONS:
            raise ProjectError(
                f"`precision` should be one of {', '.join(PRECISIONS)}. Found "
                f"`{self.precision}`.{nearest(str(self.precision), PRECISIONS)}"
            )
