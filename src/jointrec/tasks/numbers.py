"""What several kinds of task make of labels."""

from __future__ import annotations

import math
import re

import numpy as np
import polars as pl
from jaxtyping import Float64

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


def place(label: str) -> tuple[bool, float, str]:
    """Where a class stands among the others: 2 before 10 before a word."""
    if _NUMBER.fullmatch(label):
        return False, float(label), label
    return True, 0.0, label


def known_amounts(labels: pl.Series) -> Float64[np.ndarray, "rows"]:
    """Labels as finite numbers of 0 or more; nan for all others."""
    numbers = labels.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(numbers) & (numbers >= 0), numbers, np.nan)


def bounded_share(yes: float, rows: float) -> float:
    """The share of rows that say yes, kept off 0 and 1 so that its logarithm is finite.

    It is at least half a row off none and off all; every share in between is exact.

    >>> [bounded_share(yes, 4) for yes in (0, 1, 4)]
    [0.1, 0.25, 0.9]
    """
    least = 0.5 / (rows + 1)
    return float(min(max(yes / max(rows, 1), least), 1 - least))


def logit(share: float) -> float:
    """The log odds of a share above 0 and below 1."""
    return math.log(share) - math.log1p(-share)
