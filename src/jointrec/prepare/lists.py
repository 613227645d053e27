"""Which rows were shown together, as the event says."""

from __future__ import annotations

import numpy as np
import polars as pl
from jaxtyping import Int64

from jointrec.plan import Grain
from jointrec.project import Project

from .labels import Rows
from .tables import Tables


def lists_of(
    project: Project, grain: Grain, rows: Rows, tables: Tables
) -> Int64[np.ndarray, "rows"] | None:
    """The list of each row by number; a row whose cell is null is in a list of its own, below 0.

    None where the event has no ``list``, or no task of the grain learns or is judged by lists.
    """
    event = project.event.get(grain.table)
    if event is None or event.list is None or grain.asking != "row":
        return None
    asked = [project.tasks[name] for name in grain.tasks]
    judged = any(metric.in_lists for task in asked for metric in task.metrics.values())
    if not judged and not any(task.list_share for task in asked):
        return None
    cells = tables.events[grain.table][event.list].gather(pl.Series(rows.source))
    codes = cells.rank("dense").cast(pl.Int64)
    alone = -1 - np.arange(len(cells))
    return np.where(codes.is_null().to_numpy(), alone, codes.fill_null(0).to_numpy())
