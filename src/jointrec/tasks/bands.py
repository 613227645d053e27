"""A mean with the bands around it, as a person reads a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.functional import metrics

from .base import Metric

BANDS = {"low_95": 0.025, "low_80": 0.1, "high_80": 0.9, "high_95": 0.975}
"""Columns, and the chance with which each is not exceeded."""
LEVELS = tuple(BANDS.values())
BAND_METRICS: Mapping[str, Metric] = {
    "coverage_80": Metric(partial(metrics.coverage, low=1, high=2), "none"),
    "coverage_95": Metric(partial(metrics.coverage, low=0, high=3), "none"),
    "band_pinball": Metric(partial(metrics.pinball, levels=LEVELS), "lower"),
}
"""How often the bands hold, which should be .8 and .95 or, where counts are small, more; and the
pinball loss of their four ends."""


def with_bands(
    mean: Float[Tensor, "rows"], quantiles: Float64[Tensor, "rows 4"]
) -> Float64[Tensor, "rows 5"]:
    """The mean, then the quantiles of ``LEVELS``."""
    return torch.cat([mean.double()[:, None], quantiles], dim=1)


def banded_columns(told: Float64[np.ndarray, "rows 5"]) -> dict[str, pl.Series]:
    """The mean as ``answer``, and the ends of the bands of 80 and 95 %.

    >>> list(banded_columns(np.zeros((1, 5))))
    ['answer', 'low_95', 'low_80', 'high_80', 'high_95']
    """
    return {name: pl.Series(told[:, n]) for n, name in enumerate(("answer", *BANDS))}
