"""The past, read as a sequence in which each event knows only what came before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from jointrec.errors import ProjectError
from jointrec.functional.dropout import dropped

from .base import CausalEncoder, History, HistoryEncoder


@dataclass(frozen=True)
class SASRec(History):
    """Reads the past as a language model reads a text: what comes next is said by the last event.

    Self-attention with learned positions (`Kang & McAuley, 2018
    <https://arxiv.org/abs/1808.09781>`_), where an event looks at itself and at earlier ones::

        h ← step + position
        h ← h + SelfAttention(LayerNorm(h))                     of each block
        h ← h + W₂ gelu(W₁ LayerNorm(h) + b₁) + b₂
        vector = LayerNorm(h) of the newest event

    An event says nothing of what follows it, so one pass over what somebody did serves every
    moment in it: where many moments of one thing are asked, as *what comes next* asks before each
    event, that is as much cheaper as pasts are long.

    Where we leave the paper: what goes into a layer is normalised, and the last layer's answer
    (Xiong and others, 2020), W₁ is four times as wide, and positions count from the oldest event
    that is read, so that they do not move with the moment. For *what comes next*, see also
    ``draws`` of :class:`Retrieval`: its cross-entropy over many candidates, where the paper
    takes one, is what makes SASRec strong (Klenitskiy & Vasilev, 2023, `Turning Dross Into Gold
    Loss <https://arxiv.org/abs/2309.07602>`_).

    :param last: How many events are read, the newest ones before the moment.
    :param width: How many numbers an event is read as, and so how wide a past is. Events about
        thousands of things want 128, and a table of 64 (``docs/examples/amazon_beauty.md``).
    :param blocks: How often events look at earlier ones.
    :param heads: In how many ways they do. It divides the width.
    :param dropout: The share of numbers dropped while training, of events and inside the blocks,
        from 0 to below 1.
    :raises ProjectError: where one of them is out of range, or ``heads`` does not divide the width.
    """

    causal: ClassVar[bool] = True

    last: int = 50
    width: int = 64
    blocks: int = 2
    heads: int = 2
    dropout: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("blocks", "heads"):
            if getattr(self, name) < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{getattr(self, name)}`.")
        if not 0 <= self.dropout < 1:
            raise ProjectError(f"`dropout` should be from 0 to below 1. Found `{self.dropout}`.")

    def build(self, width: int) -> HistoryEncoder:
        if width % self.heads:
            fit = ", ".join(str(n) for n in range(1, width + 1) if width % n == 0)
            raise ProjectError(
                f"history.heads: {self.heads} heads cannot share a width of {width}. "
                f"Those that can: {fit}."
            )
        return _SASRec(width, self)


class _SASRec(CausalEncoder):
    def __init__(self, width: int, history: SASRec) -> None:
        super().__init__()
        self.share = history.dropout
        self.positions = nn.Parameter(torch.randn(history.last, width) * 0.02)
        self.blocks = nn.ModuleList(
            _Block(width, history.heads, history.dropout) for _ in range(history.blocks)
        )
        self.last = nn.LayerNorm(width)

    def states(
        self, steps: Float[Tensor, "rows steps width"], there: Bool[Tensor, "rows steps"]
    ) -> Float[Tensor, "rows steps width"]:
        length = steps.shape[1]
        before = torch.ones(length, length, dtype=torch.bool).tril()
        # Where nothing is there, a place sees itself: a softmax over nothing is nan.
        seen = (before & there[:, None, :]) | torch.eye(length, dtype=torch.bool)
        at = (there.cumsum(1) - 1).clamp(min=0, max=len(self.positions) - 1)
        h = steps.masked_fill(~there.unsqueeze(2), 0.0) + F.embedding(at, self.positions)
        h = dropped(h, self.share, self.training)
        for block in self.blocks:
            h = block(h, seen)
        found: Tensor = self.last(h)
        return found


class _Block(nn.Module):
    """Looks at what came before, then thinks."""

    def __init__(self, width: int, heads: int, share: float) -> None:
        super().__init__()
        self.heads, self.share = heads, share
        self.before_looking, self.before_thinking = nn.LayerNorm(width), nn.LayerNorm(width)
        self.look, self.looked = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think, self.thought = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, h: Float[Tensor, "rows steps width"], seen: Bool[Tensor, "rows steps steps"]
    ) -> Float[Tensor, "rows steps width"]:
        rows, length, width = h.shape
        parts = self.look(self.before_looking(h)).view(rows, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4).to(h.dtype)
        # In bf16 the way back through it takes four times as long on a CPU as in float32.
        with torch.autocast(h.device.type, enabled=False):
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen[:, None])
        h = h + self._dropped(self.looked(mixed.transpose(1, 2).reshape(rows, length, width)))
        return h + self._dropped(self.thought(F.gelu(self.think(self.before_thinking(h)))))

    def _dropped(self, x: Tensor) -> Tensor:
        return dropped(x, self.share, self.training)
