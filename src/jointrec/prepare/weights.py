"""How much each row counts while training."""

from __future__ import annotations

import numpy as np
import polars as pl
from jaxtyping import Float64, Int8

from jointrec.plan import Grain
from jointrec.project import Project
from jointrec.splits import TRAIN

from .labels import Rows
from .tables import Tables

CLIP = 10.0
"""A row counts at most so many times the mean, where it counts 1 / propensity."""


def weights_of(
    project: Project,
    task: str,
    grain: Grain,
    rows: Rows,
    tables: Tables,
    parts: Int8[np.ndarray, "rows"],
) -> Float64[np.ndarray, "rows"] | None:
    r"""The weights of the rows of a task, on average 1 over those that train; None without any.

    Inverse propensity scores, :math:`w = \min(1 / p,\ 10\,\overline{1 / p})`: Horvitz and Thompson
    (1952), clipped as by Ionides (2008), for a lower variance at the price of a small bias. A value
    that is no weight (null, below 0) counts nothing, and so does one that is no propensity.

    :param parts: The part of the split of each row.
    """
    declared = project.tasks[task]
    column = declared.weight or declared.propensity
    if column is None:
        return None
    table = grain.table
    frame = tables.events[table] if table in tables.events else tables.entities[table]
    values = frame[column.partition(".")[2]].gather(pl.Series(rows.source))
    numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if declared.weight is None:
        fine = (numbers > 0) & (numbers <= 1)
        numbers = np.divide(1.0, numbers, out=np.zeros(len(numbers)), where=fine)
    weights = np.where(np.isfinite(numbers) & (numbers >= 0), numbers, 0.0)
    mean = _mean(weights, parts)
    if declared.weight is None:
        weights = np.minimum(weights, CLIP * mean)
        mean = _mean(weights, parts)
    return weights / mean if mean > 0 else weights


def _mean(weights: Float64[np.ndarray, "rows"], parts: Int8[np.ndarray, "rows"]) -> float:
    """The mean over the rows that train; over all where none does, as in tables of later days."""
    trained = weights[parts == TRAIN]
    some = trained if len(trained) else weights
    return float(some.mean()) if len(some) else 0.0
