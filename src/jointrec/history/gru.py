"""The past, read event by event into a state that remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from jointrec.errors import ProjectError
from jointrec.functional.dropout import dropped

from .base import CausalEncoder, History, HistoryEncoder


@dataclass(frozen=True)
class GRU(History):
    """Reads the past one event after the other, and keeps what matters in a state.

    GRU4Rec (`Hidasi and others, 2016 <https://arxiv.org/abs/1511.06939>`_): a gated recurrent unit
    (Cho and others, 2014), whose state after the newest event is the vector of the past::

        r = σ(W_r x + U_r h),  z = σ(W_z x + U_z h)              x: the event, h: the state before
        n = tanh(W_n x + r ∘ (U_n h))
        h ← (1 − z) ∘ n + z ∘ h                                  biases left out here

    What is far back fades unless the gates hold it, so the order and the recency of events are
    heard without positions. An event says nothing of what follows it: as for :class:`SASRec`, one
    pass over what somebody did serves all moments in it. Events are read one by one, which many
    cores cannot share; on one core it takes a third of the time of the two blocks of SASRec.

    Where we leave the paper: an event is its kind, its age and what it is about, not an item alone;
    the loss is that of the tasks, not TOP1 or BPR; and pasts are read from their first event that
    counts, not in parallel sessions whose states go on from batch to batch.

    :param last: How many events are read, the newest ones before the moment.
    :param width: How many numbers an event is read as, and so how wide a past is.
    :param layers: How many units stand on each other; the paper found one best.
    :param dropout: The share of numbers dropped while training, of events and of the states that
        are read, from 0 to below 1.
    :raises ProjectError: where one of them is out of range.
    """

    causal: ClassVar[bool] = True

    last: int = 50
    width: int = 64
    layers: int = 1
    dropout: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers < 1:
            raise ProjectError(f"`layers` should be at least 1. Found `{self.layers}`.")
        if not 0 <= self.dropout < 1:
            raise ProjectError(f"`dropout` should be from 0 to below 1. Found `{self.dropout}`.")

    def build(self, width: int) -> HistoryEncoder:
        return _GRU(width, self)


class _GRU(CausalEncoder):
    def __init__(self, width: int, history: GRU) -> None:
        super().__init__()
        self.share = history.dropout
        self.unit = nn.GRU(width, width, history.layers, batch_first=True)

    def states(
        self, steps: Float[Tensor, "rows steps width"], there: Bool[Tensor, "rows steps"]
    ) -> Float[Tensor, "rows steps width"]:
        # Events that are there stand first, so that no state passes through a gap.
        order = torch.argsort(~there, dim=1, stable=True)[:, :, None].expand_as(steps)
        events = steps.masked_fill(~there.unsqueeze(2), 0.0).gather(1, order)
        events = dropped(events, self.share, self.training)
        # Recurrent layers have no mixed precision on a CPU: they want what their weights are.
        with torch.autocast(steps.device.type, enabled=False):
            found, _ = self.unit(events.to(next(self.parameters()).dtype))
        found = dropped(found, self.share, self.training)
        return torch.zeros_like(found).scatter(1, order, found)
