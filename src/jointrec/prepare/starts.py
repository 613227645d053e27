"""Where heads start: answers that are linear in what was counted, fitted to the training rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64

from jointrec.project import Project
from jointrec.splits import TRAIN
from jointrec.tasks import Earlier

from .answers import Answered
from .preparation import Scale
from .reader import Raw

MOST = 200_000
"""So many training rows are fitted, evenly spread, where there are more."""
Start = tuple[tuple[float, ...], ...]
Linear = Float64[np.ndarray, "size numbers_and_one"]


def learn_starts(
    project: Project,
    raws: Mapping[str, Raw],
    answered: Mapping[str, Answered],
    scales: Mapping[str, Scale],
) -> tuple[dict[str, Start], dict[str, Start]]:
    """For tasks that start so, each output where all numbers are 0 and what each number adds.

    Only of what is asked every so often. There rows are few and counters say most, and a network of
    a few hundred steps would hardly come to what a regression finds at once.

    :returns: Of each task by itself; and of those that lengthen another, what is added to that.
    """
    starts: dict[str, Linear] = {}
    more: dict[str, Linear] = {}
    for name, raw in raws.items():
        if raw.grain.asking != "every" or not raw.moments[raw.grain.table].numbers.shape[1]:
            continue
        numbers = scales[raw.grain.table].apply(raw.moments[raw.grain.table].numbers.copy())
        for task in raw.grain.tasks:
            rows = _trained(answered[name], task)
            if len(rows):
                at = raw.at[raw.grain.table][rows]
                _start(project, task, answered[name], rows, numbers[at], starts, more)
    return _plain(starts), _plain(more)


def _start(
    project: Project,
    name: str,
    answered: Answered,
    rows: Int64[np.ndarray, "some"],
    numbers: Float32[np.ndarray, "some numbers"],
    starts: dict[str, Linear],
    more: dict[str, Linear],
) -> None:
    """Notes where a task starts, after those that it lengthens."""
    task, after, inputs = project.tasks[name], project.tasks[name].after, numbers.astype(np.float64)
    labels = answered.labels[name][rows]
    start = task.linear(labels, inputs)
    if start is not None and np.isfinite(start).all():
        starts[name] = start
    if after not in starts or not task.lengthens(project.tasks[after]):
        return
    said = torch.from_numpy(_told(project, after, inputs, starts, more))
    added = task.linear(labels, inputs, Earlier(answered.labels[after][rows], said))
    if added is not None and np.isfinite(added).all():
        more[name] = added


def _trained(answered: Answered, name: str) -> Int64[np.ndarray, "some"]:
    """Some training rows, evenly spread."""
    labels = answered.labels[name]
    rows = np.flatnonzero((answered.parts[name] == TRAIN) & ~np.isnan(labels))
    return rows[:: -(-len(rows) // MOST) or 1]


def _told(
    project: Project,
    name: str,
    inputs: Float64[np.ndarray, "rows numbers"],
    starts: Mapping[str, Linear],
    more: Mapping[str, Linear],
) -> Float64[np.ndarray, "rows size"]:
    """The outputs of a task at its start."""
    start, after = more.get(name, starts[name]), project.tasks[name].after
    own: Float64[np.ndarray, "rows size"] = start[:, 0] + inputs @ start[:, 1:].T
    if name not in more or after is None:
        return own
    earlier = torch.from_numpy(_told(project, after, inputs, starts, more))
    return project.tasks[name].grow(earlier, torch.from_numpy(own)).numpy()


def _plain(found: Mapping[str, Linear]) -> dict[str, Start]:
    return {name: tuple(tuple(row) for row in start.tolist()) for name, start in found.items()}
