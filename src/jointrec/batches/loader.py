"""The batches of an epoch."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from jointrec.durable import array_of, collected, pieces_of
from jointrec.prepare.prepared import Asked
from jointrec.splits import TRAIN

from .ahead import ahead
from .assemble import Assembler, Rows, knows
from .batch import Batch
from .lists import list_by_list, lists_of, whole
from .order import Stream, stream_of_lists, taken


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
        self._rows: dict[str, Rows] = {}
        self._starts: dict[str, Rows] = {}
        for name in assembler.grains:
            found, starts = rows_in_lists(assembler, assembler.prepared.asked[name], part, tasks)
            self._rows[name] = found
            if starts is not None:
                self._starts[name] = starts
        sizes = [len(found) for found in self._rows.values()]
        self.steps, taken_rows = taken(sizes, rows)
        """How many batches an epoch has; fewer where whole lists leave nothing for some."""
        self.taken = {
            # Whole passes, so that no epoch ends inside a list.
            name: -(-number // size) * size if name in self._starts and size else number
            for name, number, size in zip(self._rows, taken_rows, sizes, strict=True)
        }
        """How many rows of each grain an epoch takes."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0; each is made while the one before is in use."""
        order: dict[str, Stream | Rows] = {}
        cuts = {}
        for place, (name, rows) in enumerate(self._rows.items()):
            if not len(rows):
                continue
            many, starts = self.taken[name], self._starts.get(name)
            at = len(rows), number * many, many, (self._seed, place)
            if starts is None:
                order[name] = Stream(*at)
                cuts[name] = many * np.arange(self.steps + 1) // self.steps
            else:
                order[name] = lists = stream_of_lists(*at, starts)
                cuts[name] = whole(np.flatnonzero(np.isin(lists, starts)), many, self.steps)
        some = np.any([np.diff(cut) > 0 for cut in cuts.values()], axis=0)
        steps = np.flatnonzero(some) if cuts else np.zeros(0, dtype=np.int64)

        def make(made: int) -> Batch:
            step = int(steps[made])
            picked = [
                (
                    self._assembler.prepared.asked[name],
                    self._rows[name][at[cuts[name][step] : cuts[name][step + 1]]],
                )
                for name, at in order.items()
            ]
            seed = (self._seed, number, step)
            return self._assembler(picked, part=self._part, seed=seed, strangers=True)

        return ahead(make, len(steps))


def rows_in_lists(
    assembler: Assembler, asked: Asked, part: int | None, tasks: Collection[str] | None = None
) -> tuple[Rows, Rows | None]:
    """:func:`rows_of`; list by list and with the place where each list begins, where one of the
    tasks learns the order within lists."""
    rows, lists = rows_of(assembler, asked, part, tasks), lists_of(assembler, asked, tasks)
    return (rows, None) if lists is None else list_by_list(rows, lists[rows])


def rows_of(
    assembler: Assembler, asked: Asked, part: int | None, tasks: Collection[str] | None = None
) -> Rows:
    """The rows of a grain where the label of at least one task is known in a part of the split."""
    own = [
        task
        for task in assembler.grains[asked.grain.name].tasks
        if (tasks is None or task in tasks) and task in (asked.labels or {})
    ]

    def some(piece: slice) -> Rows:
        found = np.zeros(len(asked.clusters[piece]), dtype=bool)
        for task in own:
            found |= knows(asked, task, part, piece)
        rows: Rows = np.flatnonzero(found) + piece.start
        return rows

    # In a file where they are many: eight bytes a row would be much of the memory.
    return collected(map(some, pieces_of(len(asked))), array_of(len(asked), np.int64))
