"""The batches of an epoch."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from jointrec.prepare.prepared import Asked
from jointrec.splits import TRAIN

from .ahead import ahead
from .assemble import Assembler, Rows, knows
from .batch import Batch
from .order import stream, taken


class Loader:
    """Shuffled batches of the rows that some tasks can learn from. Every batch holds every grain.

    A row belongs to the part if the label of at least one of the tasks is known there.

    :param assembler: Makes a batch of rows.
    :param rows: Rows of a batch over all grains, at most; small data gets smaller batches (see
        `jointrec.batches.order`).
    :param seed: Where the order comes from: it is a function of the seed and the epoch.
    :param part: The part of the split.
    :param tasks: Only rows of these tasks. Default: all that the plan asks.
    """

    def __init__(
        self,
        assembler: Assembler,
        rows: int,
        seed: int,
        *,
        part: int = TRAIN,
        tasks: Collection[str] | None = None,
    ) -> None:
        self._assembler = assembler
        self._seed = seed
        self._part = part
        self._rows = {
            name: rows_of(assembler, assembler.prepared.asked[name], part, tasks)
            for name in assembler.grains
        }
        sizes = [len(found) for found in self._rows.values()]
        self.steps, taken_rows = taken(sizes, rows)
        """How many batches an epoch has."""
        self.taken = dict(zip(self._rows, taken_rows, strict=True))
        """How many rows of each grain an epoch takes."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0; each is made while the one before is in use."""
        order = {
            name: rows[
                stream(len(rows), number * self.taken[name], self.taken[name], (self._seed, place))
            ]
            for place, (name, rows) in enumerate(self._rows.items())
            if len(rows)
        }

        def make(step: int) -> Batch:
            picked = [
                (
                    self._assembler.prepared.asked[name],
                    rows[len(rows) * step // self.steps : len(rows) * (step + 1) // self.steps],
                )
                for name, rows in order.items()
            ]
            seed = (self._seed, number, step)
            return self._assembler(picked, part=self._part, seed=seed, strangers=True)

        return ahead(make, self.steps)


def rows_of(
    assembler: Assembler, asked: Asked, part: int | None, tasks: Collection[str] | None = None
) -> Rows:
    """The rows of a grain where the label of at least one task is known in a part of the split."""
    found = np.zeros(len(asked), dtype=bool)
    for task in assembler.grains[asked.grain.name].tasks:
        if (tasks is None or task in tasks) and task in (asked.labels or {}):
            found |= knows(asked, task, part)
    return np.flatnonzero(found)
