"""How the past events of a moment become one vector."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jointrec.batches import HistoryBatch
from jointrec.history import History

from .parts import STEP
from .table import gathered

AGES = 32
"""Buckets of age; each is twice as long as the one before."""


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
        steps = gathered(shapes, past.kinds * AGES + past.ages)
        for name, project in zip(self.objects, self.project, strict=True):
            about = project(things[name])
            about = torch.cat([about.new_zeros(1, STEP), about[1:]])  # the first is the unknown one
            steps = steps + gathered(about, past.objects[name])
        read: Tensor = self.encoder(steps, past.there)
        return read
