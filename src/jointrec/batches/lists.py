"""Lists that are learned whole: what stands side by side stays together in a step.

A list is what the ``list`` of the event says, such as a request; without it what the first entity
sees at one moment, or all rows of that entity where there are no moments.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from jaxtyping import Int64

from jointrec.prepare.prepared import Asked

from .assemble import Assembler, Rows

LONGEST = 1_024
"""A list of more rows than this is learned in parts of so many, for a step must fit into memory
and pairs grow with the square."""


def lists_of(
    assembler: Assembler, asked: Asked, tasks: Collection[str] | None = None
) -> Int64[np.ndarray, "rows"] | None:
    """Which list each row of a grain is in; None where no task learns the order within lists.

    :param tasks: Only these tasks. Default: all that the plan asks.
    """
    grain = assembler.grains[asked.grain.name]
    if not any(task in assembler.listed for task in grain.tasks if tasks is None or task in tasks):
        return None
    return asked.at.get(grain.entities[0]) if asked.lists is None else asked.lists


def list_by_list(
    rows: Rows, lists: Int64[np.ndarray, "rows"]
) -> tuple[Rows, Int64[np.ndarray, "lists"]]:
    """Rows so that those of a list stand together, and where each list begins.

    Lists stand in the order of their first rows, and rows of a list in their own.

    :param rows: Some rows of a grain.
    :param lists: The list of each of them.

    >>> list_by_list(np.array([10, 11, 12, 13]), np.array([7, 5, 7, 5]))
    (array([10, 12, 11, 13]), array([0, 2]))
    """
    _, first, member = np.unique(lists, return_index=True, return_inverse=True)
    seen = first[member]  # the place at which the list of each row is met first
    order = np.argsort(seen, kind="stable")
    seen = seen[order]
    begins = np.flatnonzero(np.diff(seen, prepend=-1))
    inside = np.arange(len(rows)) - np.repeat(begins, np.diff(begins, append=len(rows)))
    return rows[order], np.flatnonzero(inside % LONGEST == 0)


def whole(
    starts: Int64[np.ndarray, "lists"], rows: int, steps: int
) -> Int64[np.ndarray, "steps_and_one"]:
    """Where each of some steps begins, and the end, so that none begins inside a list.

    A step takes its share of the rows and what is left of its last list. Where lists are longer
    than a share, some steps get none.

    :param starts: Where lists begin among the rows.

    >>> whole(np.array([0, 2, 9]), 10, 5).tolist()
    [0, 2, 9, 9, 9, 10]
    """
    wanted = rows * np.arange(steps + 1) // steps
    ends = np.append(starts, rows)
    found: Int64[np.ndarray, "steps_and_one"] = ends[np.searchsorted(ends, wanted)]
    return found
