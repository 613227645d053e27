"""Rows that give back what another row bought: they are summed, but are no purchase."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64

from jointrec.project import Project

from .tables import Tables

EXACT = 1e-12
"""A sum that is a smaller share than this of what was added and taken away is a rounding error."""


def gives_back(project: Project, tables: Tables, event: str) -> Bool[np.ndarray, "events"]:
    """Which rows of an event give back: those with a negative number where ``returns`` says."""
    column, frame = project.event[event].returns, tables.events[event]
    if column is None:
        return np.zeros(len(frame), dtype=np.bool_)
    negative: Bool[np.ndarray, "events"] = (frame[column] < 0).fill_null(False).to_numpy()
    return negative


def without_rounding(
    sums: Float64[np.ndarray, "rows"], sizes: Float64[np.ndarray, "rows"]
) -> Float64[np.ndarray, "rows"]:
    """Sums that are exactly 0 where all that was bought was given back.

    :param sizes: The sums of the same numbers without their signs.

    >>> bought = np.array([0.1, 0.2, -0.3])
    >>> bought.sum() > 0, without_rounding(bought.sum()[None], np.abs(bought).sum()[None])
    (np.True_, array([0.]))
    """
    return np.where(np.abs(sums) < EXACT * sizes, 0.0, sums)
