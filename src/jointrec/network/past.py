"""How the past events of a moment become one vector."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from jointrec.batches import HistoryBatch, Reads
from jointrec.history import CausalEncoder, History

from .precision import exact
from .table import gathered

AGES = 32
"""Buckets of age; each is twice as long as the one before."""

BUCKETS = 4
"""In how many lengths pasts are read."""
SHORTEST = 4
"""No bucket of a large batch is shorter: its operations would take longer than what they save."""
WORTH = 4_096
"""Below so many steps in a batch all pasts are read at once."""
NARROW = 96
"""Narrower events are read in float32 on a CPU: their products are so small that casting to bf16
takes longer than what it saves (docs/log.md, 2026-11-26)."""


class PastReader(nn.Module):
    """Reads the history of one kind of entity: each event is what it was, about what, how long ago.

    Where the history is causal, several moments read one run of events, in which an event says how
    long after the one before it was; how long ago the newest was is said to the moment itself.

    :param history: How the events become one vector.
    :param kinds: How many kinds of event there are, the one for none included.
    :param objects: For each entity that an event may be about, the width of its fields.
    """

    def __init__(self, history: History, kinds: int, objects: Mapping[str, int]) -> None:
        super().__init__()
        self.width = history.width
        # As in SASRec: vectors stay short, as scores want them, and are heard beside positions.
        self.loud = math.sqrt(self.width) if history.causal else 1.0
        self.kind = nn.Parameter(torch.randn(kinds, self.width) * 0.1)
        self.age = nn.Parameter(torch.randn(AGES, self.width) * 0.1)
        self.objects = tuple(objects)
        self.project = nn.ModuleList(
            nn.Linear(size, self.width, bias=False) for size in objects.values()
        )
        self.encoder = history.build(self.width)
        if history.causal:
            self.since = nn.Parameter(torch.zeros(AGES, self.width))

    def about(self, name: str, things: Float[Tensor, "things _"]) -> Float[Tensor, "things width"]:
        """What events about some things add; nothing for the first, which is the unknown one.

        :param things: The fields of the things of an entity in the batch, side by side.
        """
        with self._precision(things):
            known: Tensor = self.project[self.objects.index(name)](things)
        return torch.cat([known.new_zeros(1, self.width), known[1:]])

    def forward(
        self, past: HistoryBatch, about: Mapping[str, Float[Tensor, "things width"]]
    ) -> Float[Tensor, "moments width"]:
        """One vector per moment, zero where there is no past.

        :param about: For each entity what :meth:`about` gives.
        """
        of = self._by_moments if past.reads is None else self._by_runs
        places, read = [past.kinds.new_zeros(0)], [self.age.new_zeros(0, self.width)]
        with self._precision(self.age):
            for rows, vectors in of(past, about):
                places.append(rows)
                read.append(vectors.to(self.age.dtype))
        moments = len(past.there if past.reads is None else past.reads.run)
        nothing = self.age.new_zeros(moments, self.width)
        return nothing.index_copy(0, torch.cat(places), torch.cat(read))

    def _precision(self, x: Tensor) -> AbstractContextManager[object]:
        narrow = self.width < NARROW and x.device.type == "cpu"
        return exact("cpu") if narrow else nullcontext()

    def _by_moments(
        self, past: HistoryBatch, about: Mapping[str, Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Which moments have which vectors, bucket by bucket."""
        for rows, steps, there in self._steps(past, about):
            yield rows, self.encoder(steps, there)

    def _by_runs(
        self, past: HistoryBatch, about: Mapping[str, Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The same, where moments share runs: each reads the state at its own newest event."""
        reads, encoder = past.reads, self.encoder
        assert isinstance(reads, Reads)
        assert isinstance(encoder, CausalEncoder)
        for runs, steps, there in self._steps(past, about):
            here = torch.full((len(past.there) + 1,), -1)  # the last, which no run has, is no past
            here[runs] = torch.arange(len(runs))
            place, length = here[reads.run], steps.shape[1]
            mine = torch.nonzero(place >= 0).squeeze(1)
            at = place[mine] * length + length - 1 - reads.back[mine]
            states = gathered(encoder.states(steps, there).flatten(0, 1), at)
            yield mine, states + gathered(self.since, reads.ages[mine])

    def _steps(
        self, past: HistoryBatch, about: Mapping[str, Tensor]
    ) -> Iterator[tuple[Int[Tensor, "some"], Tensor, Bool[Tensor, "some steps"]]]:
        """Rows of about one length: which they are, their steps, and which of these are there."""
        shapes = (self.kind[:, None] + self.age[None]).flatten(0, 1)
        for rows, length in buckets(past.there):
            steps = gathered(shapes, (past.kinds * AGES + past.ages)[rows, -length:])
            for name in self.objects:
                own = gathered(about[name], past.objects[name][rows, -length:])
                steps = steps + own * self.loud
            yield rows, steps, past.there[rows, -length:]


def buckets(there: Bool[Tensor, "moments steps"]) -> list[tuple[Int[Tensor, "_"], int]]:
    """Moments with a past of about the same length, and how many steps hold it.

    Who has looked once need not be read as slowly as who has for years: a bucket is read at the
    length of its longest past, and each is at most half as long as the one before. Moments without
    a past are in none.

    >>> there = torch.tensor([[False, True], [True, True], [False, False]])
    >>> [(rows.tolist(), length) for rows, length in buckets(there)]
    [([0, 1], 2)]
    """
    lengths = there.sum(dim=1)
    longest = int(lengths.max()) if len(lengths) else 0
    least = longest if there.numel() < WORTH else min(longest, SHORTEST)
    found, below = [], 0
    for length in sorted({max(longest >> halves, least) for halves in range(BUCKETS)} - {0}):
        rows = torch.nonzero((lengths > below) & (lengths <= length)).squeeze(1)
        if len(rows):
            found.append((rows, length))
        below = length
    return found
