"""The past, read by attention."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from jointrec.errors import ProjectError

from .base import History, HistoryEncoder


@dataclass(frozen=True)
class Attention(History):
    """Lets past events look at each other, then asks them one learned question.

    One block of SASRec (`Kang & McAuley, 2018 <https://arxiv.org/abs/1808.09781>`_), with
    h = steps + positions, where attention is over the events that are there::

        h ← h + SelfAttention(LayerNorm(h))
        h ← h + W₂ relu(W₁ LayerNorm(h) + b₁) + b₂
        vector = Attention(query, keys = values = LayerNorm(h))

    Where we leave the paper: an event may look at later ones, for all of them are before the
    moment; positions count from the newest event, so that a longer past moves none of them; and a
    learned query reads all events, where SASRec takes the last one for the whole past.

    :param last: How many events are read, the newest ones before the moment.
    :param width: How many numbers an event is read as, and so how wide a past is.
    :param heads: In how many ways events look at each other. It divides the width of an event.
    :raises ProjectError: where ``heads`` is below 1, or does not divide the width.
    """

    heads: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.heads < 1:
            raise ProjectError(f"`heads` should be at least 1. Found `{self.heads}`.")

    def build(self, width: int) -> HistoryEncoder:
        if width % self.heads:
            fit = ", ".join(str(n) for n in range(1, width + 1) if width % n == 0)
            raise ProjectError(
                f"history.heads: {self.heads} heads cannot share a width of {width}. "
                f"Those that can: {fit}."
            )
        return _Attention(width, self.heads, self.last)


class _Attention(HistoryEncoder):
    def __init__(self, width: int, heads: int, last: int) -> None:
        super().__init__()
        self.heads = heads
        self.positions = nn.Parameter(torch.randn(last, width) * 0.1)
        self.before_looking, self.before_thinking, self.before_reading = (
            nn.LayerNorm(width) for _ in range(3)
        )
        self.look = nn.Linear(width, 3 * width)
        self.looked = nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.query = nn.Parameter(torch.randn(1, 1, width) * 0.1)
        self.read = nn.Linear(width, 2 * width)
        self.answer = nn.Linear(width, width)

    def forward(
        self, steps: Float[Tensor, "rows steps width"], there: Bool[Tensor, "rows steps"]
    ) -> Float[Tensor, "rows width"]:
        some = there.any(dim=1, keepdim=True)
        # A softmax over nothing is nan, in the gradient too. Where nothing is there, all steps are
        # read as zeros, and what comes of them is dropped below.
        open_ = there | ~some
        h = steps.masked_fill(~there.unsqueeze(2), 0.0)
        h = h + F.embedding(recency(there).clamp(max=len(self.positions) - 1), self.positions)
        query, key, value = self.look(self.before_looking(h)).chunk(3, dim=2)
        h = h + self.looked(self._attend(query, key, value, open_))
        h = h + self.think(self.before_thinking(h))
        key, value = self.read(self.before_reading(h)).chunk(2, dim=2)
        pooled = self._attend(self.query.expand(len(h), -1, -1), key, value, open_)
        answer: Tensor = self.answer(pooled.squeeze(1))
        return answer.masked_fill(~some, 0.0)

    def _attend(
        self,
        query: Float[Tensor, "rows queries width"],
        key: Float[Tensor, "rows steps width"],
        value: Float[Tensor, "rows steps width"],
        there: Bool[Tensor, "rows steps"],
    ) -> Float[Tensor, "rows queries width"]:
        def split(x: Tensor) -> Tensor:
            return x.view(*x.shape[:2], self.heads, x.shape[2] // self.heads).transpose(1, 2)

        # In bf16 the way back through it takes four times as long on a CPU as in float32.
        with torch.autocast(query.device.type, enabled=False):
            query, key, value = (split(x.to(self.query.dtype)) for x in (query, key, value))
            mixed = F.scaled_dot_product_attention(
                query, key, value, attn_mask=there[:, None, None, :]
            )
        return mixed.transpose(1, 2).flatten(2)


def recency(there: Bool[Tensor, "rows steps"]) -> Int[Tensor, "rows steps"]:
    """How many newer events are there: 0 for the newest. Meaningless where none is there.

    >>> recency(torch.tensor([[False, True, False, True]]))[0, [1, 3]]
    tensor([1, 0])
    """
    newest_first = there.flip(1).cumsum(1).flip(1)
    return (newest_first - 1).clamp(min=0)
