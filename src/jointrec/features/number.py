"""A column of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64

from jointrec.durable import PIECE, array_of, collected, pieces_of
from jointrec.errors import ProjectError, nearest

from .base import Feature, Numbers, State

CLIP = 5.0
"""A number is cut off this many standard deviations from the mean."""
KNOTS = 256
"""How many quantiles are learned at most."""
LARGEST = 1e150
"""What is larger is read as this, so that no difference and no ratio overflows."""
SCALES = ("standard", "log", "quantile")


@dataclass(frozen=True)
class Number(Feature):
    """A column of numbers: a price, a rating, a weight.

    The value comes out on a scale of the order of 1, 0 where it is missing. Null, nan and ±inf are
    missing. A second number is 1 where it is missing, if it was so in a training row: from a flag
    that never changes nothing can be learned.

    :param scale: ``standard``: (x − mean) / deviation, cut off at ±5. ``log``: the same of
        sign(x) · log(1 + |x|), for what spans several powers of ten, such as prices. ``quantile``:
        the share of training values below, from −1 (the least) to 1 (the most), for all else.
    :raises ProjectError: for any other scale.

    >>> prices = pl.Series([1.0, 3.0, None])
    >>> state = Number().learn(prices)
    >>> state
    {'missing': True, 'mean': 2.0, 'deviation': 1.0}
    >>> Number().encode(prices, state).values.tolist()
    [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    >>> Number().encode(prices, Number().learn(prices[:2])).values.tolist()
    [[-1.0], [1.0], [0.0]]
    """

    scale: Literal["standard", "log", "quantile"] = "standard"

    cell: ClassVar[Literal["number"]] = "number"

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ProjectError(
                f"`scale` should be one of {', '.join(SCALES)}. Found `{self.scale}`."
                f"{nearest(str(self.scale), SCALES)}"
            )

    def learn(self, values: pl.Series) -> State:
        known = _ascending(values)
        missing = {"missing": len(known) < len(values)}
        if self.scale == "quantile":
            return {**missing, **_quantiles(known)}
        if self.scale == "log":
            for piece in pieces_of(len(known)):
                known[piece] = _log(known[piece])
        return {**missing, **_moments(known)}

    def encode(self, values: pl.Series, state: State) -> Numbers:
        numbers, missing = _read(values)
        if self.scale == "quantile":
            scaled = np.interp(numbers, state["values"], state["ranks"])
        else:
            numbers = _log(numbers) if self.scale == "log" else numbers
            mean, most = state["mean"], CLIP * state["deviation"]
            # Cut off before it is divided: a large number by a small deviation would overflow.
            off = np.clip(numbers - mean, -most, most)
            scaled = np.clip(off / state["deviation"], -CLIP, CLIP)
        scaled[missing] = 0.0
        both = [scaled, missing][: self.num_numbers(state)]
        return Numbers(np.stack(both, axis=1).astype(np.float32))

    def num_numbers(self, state: State) -> int:
        return 2 if state["missing"] else 1


def _read(
    values: pl.Series,
) -> tuple[Float64[np.ndarray, "rows"], Bool[np.ndarray, "rows"]]:
    """The values as finite numbers, 0 where missing, and which are missing."""
    numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    missing = ~np.isfinite(numbers)
    return np.where(missing, 0.0, np.clip(numbers, -LARGEST, LARGEST)), missing


def _log(numbers: Float64[np.ndarray, "rows"]) -> Float64[np.ndarray, "rows"]:
    logs: Float64[np.ndarray, "rows"] = np.copysign(np.log1p(np.abs(numbers)), numbers)
    return logs


def _ascending(values: pl.Series) -> Float64[np.ndarray, "known"]:
    """The known numbers, sorted: so sums do not depend on the order of the rows, to the last bit.

    They are a copy, which lives in a file where it is long.
    """
    read = (_read(values[piece]) for piece in pieces_of(len(values)))
    some = (numbers[~missing] for numbers, missing in read)
    known = collected(some, array_of(len(values), np.float64))
    known.sort()
    return known


def _moments(known: Float64[np.ndarray, "known"]) -> State:
    """Mean and standard deviation of ascending numbers; 1 for the deviation of equal ones."""
    size = float(np.abs(known[[0, -1]]).max()) if len(known) else 0.0
    if size == 0.0:
        return {"mean": 0.0, "deviation": 1.0}
    # In units of the largest: values that are all the same then deviate by exactly nothing.
    mean = _sum(known, lambda some: some / size) / len(known)
    variance = _sum(known, lambda some: np.square(some / size - mean)) / len(known)
    deviation = math.sqrt(variance) if variance else 0.0
    deviation = deviation * size if deviation > 1e-9 else 0.0
    return {"mean": float(mean * size), "deviation": float(deviation or 1.0)}


def _sum(known: Float64[np.ndarray, "known"], of: Callable[[np.ndarray], np.ndarray]) -> float:
    """The sum of what is made of numbers, halved as numpy halves: the very bits of its own sum.

    What is made of all of them is never in memory.
    """
    if len(known) <= PIECE:
        return float(of(known).sum())
    half = len(known) // 2
    half -= half % 8
    return _sum(known[:half], of) + _sum(known[half:], of)


def _quantiles(known: Float64[np.ndarray, "known"]) -> State:
    """Distinct quantiles of ascending numbers, and the rank from −1 to 1 in the middle of each."""
    if len(known) == 0:
        return {"values": [0.0], "ranks": [0.0]}
    knots = known[np.floor((len(known) - 1) * np.linspace(0.0, 1.0, KNOTS)).astype(np.int64)]
    values = np.unique(knots)
    below = np.searchsorted(known, values, side="left")
    up_to = np.searchsorted(known, values, side="right")
    ranks = (below + up_to - 1) / max(len(known) - 1, 1) - 1.0
    ranks = ranks if len(values) > 1 else np.zeros(1)
    return {"values": values.tolist(), "ranks": ranks.tolist()}
