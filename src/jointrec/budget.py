"""How much training a network gets. Joint and alone get the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .errors import ProjectError, nearest

Precision = Literal["auto", "fp32", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)

EPOCHS, PATIENCE = 6, 1
"""Passes at most, and without anything better, where nothing is declared."""
STEPS, PATIENT_STEPS = 2_560, 320
"""Of a small flat table as many passes as give so many steps: a pass of it has 64, after which
little is learned, and the loss of a few hundred validation rows jumps about (docs/log.md)."""


@dataclass(frozen=True)
class Budget:
    """How long training may take, in passes over the rows.

    :param epochs: The most passes over the training rows. None: 6, and of a small flat table (at
        most 100,000 rows train, none of them asked at a moment) so many that there are 2,560 steps.
    :param rows: At most so many rows per optimizer step, over all grains together; small data take
        fewer, so that a pass has steps enough.
    :param patience: A task (with its whole funnel) stops after this many passes without a better
        validation loss, and is served from its best pass. Of a task that ranks a catalogue it is
        the NDCG, with one pass more, and passes in which its loss still falls do not count. None:
        1, and of a small flat table so many passes that they have 320 steps.
    :param seed: Where all chance comes from: the same seed gives the same bits on one machine.
    :param precision: In which numbers products are computed: ``fp32``, ``bf16`` (half the bits and
        twice as fast where the processor has it; weights and losses stay in fp32) or ``auto``: bf16
        where the processor has it and steps are large enough for it to pay.
    """

    epochs: int | None = None
    rows: int = 2048
    patience: int | None = None
    seed: int = 0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "rows", "patience"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{number}`.")
        if self.seed < 0:
            raise ProjectError(f"`seed` should be 0 or more. Found `{self.seed}`.")
        if self.precision not in PRECISIONS:
            raise ProjectError(
                f"`precision` should be one of {', '.join(PRECISIONS)}. Found "
                f"`{self.precision}`.{nearest(str(self.precision), PRECISIONS)}"
            )

    def passes(self, steps: int, *, small: bool) -> tuple[int, int]:
        """The most passes, and after how many without anything better a task stops.

        :param steps: The steps of a pass.
        :param small: Whether what is learned from is a small flat table.

        >>> Budget().passes(64, small=True), Budget().passes(64, small=False)
        ((40, 5), (6, 1))
        """
        most, patient = EPOCHS, PATIENCE
        if small:
            most, patient = max(most, -(-STEPS // steps)), max(patient, -(-PATIENT_STEPS // steps))
        return (
            most if self.epochs is None else self.epochs,
            patient if self.patience is None else self.patience,
        )
