"""Any rising curve of log odds, where there are positives enough to tell one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from jointrec.errors import ProjectError

from .base import NOTHING, About, Calibration, Calibrator, Place, most_likely
from .platt import Platt

PIECES = 10
"""Of how many straight pieces the curve is made at most."""
SPREAD = (1.0, 0.3, 0.5)
"""How far the shift, the logarithm of the common scale, and that of each piece's own beside it lie
from 0 as a rule."""


@dataclass(frozen=True)
class Isotonic(Calibration):
    r"""Bends log odds by a rising curve of straight pieces; as ``Platt`` where positives are few.

    Zadrozny and Elkan (2002), `Transforming classifier scores into accurate multiclass probability
    estimates <https://doi.org/10.1145/775047.775151>`_, who take the likeliest rising *steps*.
    Where we leave them: steps say the same of many rows, which loses the order within; and they
    have no place in a funnel, where a step is set right given the one before it. So the curve is
    continuous and rises everywhere, :math:`z \mapsto x_m + b + \int_{x_m}^z e^{a + a_k}`, with a
    slope of its own between two knots. Between knots lie equal shares of the rows, those of both
    labels weighing alike. Slopes and shift are the likeliest, drawn towards 1 and 0.

    :param positives: Of each label there must be so many rows. With fewer the log odds are
        stretched and shifted only, as ``Platt`` does.
    :param each: For each so many of the rarer label there is a piece, and ten at most.

    >>> Isotonic().build()(torch.tensor([-1.0, 2.0])).tolist()
    [-1.0, 2.0]
    """

    positives: int = 300
    each: int = 100

    def __post_init__(self) -> None:
        for name, value in (("positives", self.positives), ("each", self.each)):
            if value < 1:
                raise ProjectError(f"`{name}` should be 1 or more. Found `{value}`.")

    def build(self) -> Calibrator:
        return _Isotonic(self.positives, self.each)


class _Isotonic(Calibrator):
    knots: Tensor
    bends: Tensor
    shift: Tensor

    def __init__(self, positives: int, each: int) -> None:
        super().__init__()
        self.positives, self.each = positives, each
        self.few = Platt().build()
        # Pieces that are not used have no width. The first and the last go on without an end.
        self.register_buffer("knots", torch.zeros(PIECES + 1))
        self.register_buffer("bends", torch.zeros(PIECES))
        self.register_buffer("shift", torch.zeros(()))

    def forward(
        self, logits: Float[Tensor, "rows"], about: About = NOTHING
    ) -> Float[Tensor, "rows"]:
        straight: Tensor = self.few(logits, about)
        return _bent(straight, self.knots, self.bends) + self.shift

    def fit(
        self,
        logits: Float[Tensor, "rows"],
        labels: Float[Tensor, "rows"],
        place: Place,
        weights: Float[Tensor, "rows"] | None = None,
        about: About = NOTHING,
    ) -> None:
        self.few = Platt().build()
        for buffer in (self.knots, self.bends, self.shift):
            buffer.zero_()
        counted = torch.ones(len(labels), dtype=torch.float64) if weights is None else weights
        yes = float((counted * (labels > 0.5)).sum())
        rarer = min(yes, float(counted.sum()) - yes)
        pieces = min(PIECES, int(rarer / self.each))
        if rarer < self.positives or pieces < 2:
            self.few.fit(logits, labels, place, weights, about)
            return
        logits, labels = logits.double(), labels.double()
        # Both labels together weigh alike, so that knots lie where either is.
        share = torch.where(labels > 0.5, yes, float(counted.sum()) - yes)
        knots = _quantiles(logits, counted.double() / share, pieces)
        shift, scale, own = SPREAD
        spread = torch.tensor([shift, scale, *[own] * pieces], dtype=torch.float64)

        def moved(numbers: Tensor) -> Tensor:
            bends = (numbers[1] + numbers[2:]).exp() - 1
            return place(_bent(logits, knots, bends) + numbers[0])

        found = most_likely(moved, spread, labels, weights)
        self.knots.fill_(float(knots[-1]))
        self.knots[: pieces + 1] = knots
        self.bends[:pieces] = (found[1] + found[2:]).exp() - 1
        self.shift.copy_(found[0])

    @property
    def fitted(self) -> str:
        used = int((self.knots.diff() > 0).sum())
        if not used:
            return f"{self.few.fitted} (too few rows of one label for a curve)"
        return f"a rising curve of {used} pieces"


def _bent(
    logits: Float[Tensor, "rows"], knots: Float[Tensor, "knots"], bends: Float[Tensor, "pieces"]
) -> Float[Tensor, "rows"]:
    """Log odds with another slope in each piece; as they are at the middle knot.

    :param bends: By how much the slope of each piece is more than 1.
    """
    # Of few rows each operation takes as long as any other, so the small ones are left to Python.
    ends = knots.tolist()
    used = sum(first < last for first, last in pairwise(ends))
    if not used:
        return logits
    inner = ends[1:used]
    low, high = logits.new_tensor([[-math.inf, *inner], [*inner, math.inf]])[:, :, None]
    middle = logits.new_tensor(ends[used // 2]).clamp(low, high)
    # Rows last: sums over a few neighbours take four times as long. And not as a product of
    # matrices, which may be in bf16 here.
    lengths = logits.clamp(low, high) - middle
    return logits + (lengths * bends[:used, None].to(logits.dtype)).sum(dim=0)


def _quantiles(
    values: Float[Tensor, "rows"], weights: Float[Tensor, "rows"], pieces: int
) -> Float[Tensor, "knots"]:
    """The values between which equal shares of the weight lie, each larger than the one before."""
    order = values.argsort()
    reached = weights[order].cumsum(0) / weights.sum()
    shares = torch.linspace(0, 1, pieces + 1, dtype=torch.float64)
    at = torch.searchsorted(reached, shares).clamp(max=len(values) - 1)
    knots = values[order][at]
    # Apart also as float32, in which they are kept.
    least = torch.arange(pieces + 1, dtype=torch.float64) * 1e-3
    return (knots - least).cummax(0).values + least
