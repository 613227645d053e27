"""A scale and a shift of its own for each group of rows, as far as rows allow."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .base import Place, most_likely

Spread = tuple[float, float]
"""How far the logarithm of a group's own scale, and its own shift, lie from 0 as a rule."""


def pooled(
    whole: Float[Tensor, "rows"],
    at: Int[Tensor, "rows"],
    many: int,
    spread: Spread,
    labels: Float[Tensor, "rows"],
    weights: Float[Tensor, "rows"] | None = None,
    place: Place | None = None,
) -> Float[Tensor, "2 groups"]:
    r"""The likeliest scales, and below them shifts: :math:`z \mapsto e^{a_g} z + b_g` in group g.

    Both are drawn towards 0, where a group is as all others are, so few rows of a group move it
    little: partial pooling (Gelman and Hill 2006, *Data Analysis Using Regression and
    Multilevel/Hierarchical Models*, ch. 12).

    :param whole: Log odds, set right for all groups together.
    :param at: The group of each row, from 0; ``many`` for rows that have none, whose scale is 1 and
        whose shift is 0.
    :param many: How many groups there are.
    :param spread: How far groups differ as a rule.
    :param labels: 1 happened, 0 did not.
    :param weights: How much each row counts. Default: all the same.
    :param place: From own log odds to those of the task. Default: they are the same.
    """
    kept = torch.tensor([*[1.0] * many, 0.0], dtype=torch.float64)
    whole, labels = whole.double(), labels.double()

    def moved(numbers: Tensor) -> Tensor:
        scale, shift = (kept * numbers.view(2, many + 1))[:, at]
        own = whole * scale.exp() + shift
        return own if place is None else place(own)

    each = torch.tensor(spread, dtype=torch.float64).repeat_interleave(many + 1)
    best = kept * most_likely(moved, each, labels, weights).view(2, many + 1)
    return torch.stack([best[0].exp(), best[1]])
