"""How alike two orders are."""

from __future__ import annotations

import numpy as np
import polars as pl
from jaxtyping import Float64


def rank_correlation(one: Float64[np.ndarray, "rows"], other: Float64[np.ndarray, "rows"]) -> float:
    """Spearman's correlation; 0 where one of them does not vary.

    >>> rank_correlation(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 9.0]))
    1.0
    """
    ranks = [pl.Series(side).rank("average").to_numpy() for side in (one, other)]
    first, second = (side - side.mean() for side in ranks)
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return round(float((first * second).sum()) / size, 12) if size > 0 else 0.0
