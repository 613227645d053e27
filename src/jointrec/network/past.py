"""How the past events of a moment become one vector."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from jointrec.batches import HistoryBatch
from jointrec.history import History

from .parts import STEP
from .table import gathered

AGES = 32
"""Buckets of age; each is twice as long as the one before."""

BUCKETS = 4
"""In how many lengths pasts are read."""
SHORTEST = 4
"""No bucket of a large batch is shorter: its operations would take longer than what they save."""
WORTH = 4_096
"""Below so many steps in a batch all pasts are read at once."""


class PastReader(nn.Module):
    """Reads the history of one kind of entity: each event is what it was, about what, how long ago.

    :param history: How the events become one vector.
    :param kinds: How many kinds of event there are, the one for none included.
    :param objects: For each entity that an event may be about, the width of its fields.
    """

    def __init__(self, history: History, kinds: int, objects: Mapping[str, int]) -> None:
        super().__init__()
        self.kind = nn.Parameter(torch.randn(kinds, STEP) * 0.1)
        self.age = nn.Parameter(torch.randn(AGES, STEP) * 0.1)
        self.objects = tuple(objects)
        self.project = nn.ModuleList(nn.Linear(size, STEP, bias=False) for size in objects.values())
        self.encoder = history.build(STEP)

    def forward(
        self, past: HistoryBatch, things: Mapping[str, Float[Tensor, "things _"]]
    ) -> Float[Tensor, "moments width"]:
        """One vector per moment, zero where there is no past.

        :param things: For each entity the fields of the things in the batch, side by side.
        """
        shapes = (self.kind[:, None] + self.age[None]).flatten(0, 1)
        about = {}
        for name, project in zip(self.objects, self.project, strict=True):
            known = project(things[name])
            # The first is the unknown one.
            about[name] = torch.cat([known.new_zeros(1, STEP), known[1:]])
        read, places = [shapes.new_zeros(0, STEP)], [past.kinds.new_zeros(0)]
        for rows, length in buckets(past.there):
            steps = gathered(shapes, (past.kinds * AGES + past.ages)[rows, -length:])
            for name, known in about.items():
                steps = steps + gathered(known, past.objects[name][rows, -length:])
            read.append(self.encoder(steps, past.there[rows, -length:]).to(shapes.dtype))
            places.append(rows)
        nothing = shapes.new_zeros(len(past.there), STEP)
        return nothing.index_copy(0, torch.cat(places), torch.cat(read))


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
