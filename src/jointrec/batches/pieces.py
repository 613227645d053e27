"""Rows in their own order, piece by piece: for scoring, where nothing is shuffled or left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int64

from jointrec.prepare.prepared import Asked

from .ahead import ahead
from .assemble import Assembler, Rows
from .batch import Batch
from .lists import whole

PIECE = 4_096
"""The most rows of a piece. What it leaves is memory for the next: more is given back to the system
in between, and cleared again (docs/log.md, 2026-11-26)."""
SCORES = 1 << 24
"""The most scores of candidates that a piece may lead to: 64 MiB of them."""


def pieces(
    assembler: Assembler,
    asked: Asked,
    rows: Rows,
    *,
    part: int | None = None,
    seed: Sequence[int] | None = None,
    starts: Int64[np.ndarray, "lists"] | None = None,
) -> Iterator[Batch]:
    """Batches that hold these rows of a grain, in this order.

    :param part: Only labels of this part of the split are known. None: all that there are.
    :param seed: As for :class:`Assembler`: None reads every catalogue whole.
    :param starts: Where lists begin, of rows that stand list by list: no piece cuts one.
    """
    size = piece_size(assembler, asked)
    cuts = np.append(np.arange(0, len(rows), size), len(rows))
    if starts is not None and len(rows):
        cuts = np.unique(whole(starts, len(rows), len(cuts) - 1))

    def make(number: int) -> Batch:
        piece = rows[cuts[number] : cuts[number + 1]]
        own = None if seed is None else (*seed, number)
        return assembler([(asked, piece)], part=part, seed=own)

    return ahead(make, len(cuts) - 1)


def piece_size(assembler: Assembler, asked: Asked) -> int:
    """How many rows are scored at once: fewer where each gets a score for every candidate."""
    ranked = [
        assembler.num_candidates(task)
        for task in assembler.plan.catalogue
        if task in assembler.grains[asked.grain.name].tasks
    ]
    return max(1, min([PIECE, *(SCORES // max(size, 1) for size in ranked)]))
