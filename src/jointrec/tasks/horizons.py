"""The same question over several lengths of time: sales in 7, 14 and 28 days.

A task whose label names several horizons is short for one task for each, named after it:
``sales_7d``, ``sales_14d`` after it, ``sales_28d`` after that. Each has its own labels, which are
unknown where its own window passes the end of the data, its own metrics and its own comparison.
Each adds to the one before, so that forecasts cannot cross: what is sold in 14 days is what is sold
in 7, and more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from jointrec.errors import ProjectError
from jointrec.labels import Later, microseconds

from .base import Task

LEAST_MORE = 1e-4
"""A longer time starts with at least this share more than the shorter one."""
Asked = TypeVar("Asked", bound=Task)


def unfolded(tasks: Mapping[str, Task]) -> dict[str, Task]:
    """The tasks, with one for each horizon in place of one with several.

    :raises ProjectError: where a kind has no horizons, or names are taken.

    >>> from jointrec.labels import later
    >>> from jointrec.tasks import Count
    >>> week = later.sum("line.pieces", of="item", within=["14d", "7d"])
    >>> [(name, task.after) for name, task in unfolded({"sales": Count(week)}).items()]
    [('sales_7d', None), ('sales_14d', 'sales_7d')]
    """
    found: dict[str, Task] = {}
    for name, task in tasks.items():
        several = isinstance(task, Task) and isinstance(task.label, Later)
        for key, one in (_each(name, task) if several else {name: task}).items():
            if key in found or (key != name and key in tasks):
                raise ProjectError(
                    f"tasks.{name}: its horizons make a task `{key}`, but there is one already. "
                    "Rename one of the two."
                )
            found[key] = one
    return found


def _each(name: str, task: Asked) -> dict[str, Asked]:
    label = task.label
    assert isinstance(label, Later)
    if label.within is None or isinstance(label.within, str):
        return {name: task}
    horizons = label.horizons
    if not horizons:
        raise ProjectError(f"tasks.{name}.label.within: name at least one duration.")
    if len(horizons) > 1 and not task.grows:
        raise ProjectError(
            f"tasks.{name}.label.within: {type(task).__name__} has one horizon. Ask a task for "
            f"each of {', '.join(horizons)}."
        )
    if len(horizons) > 1 and task.after is not None:
        raise ProjectError(
            f"tasks.{name}.after: a task with several horizons comes after nothing but its own "
            "shorter ones. Leave `after` out, or name one horizon."
        )
    found: dict[str, Asked] = {}
    before = task.after
    for within in horizons:
        one = replace(task, label=replace(label, within=within), after=before)
        before = f"{name}_{within.replace(' ', '')}"
        found[before] = one
    return found


def horizons_of(tasks: Mapping[str, Task], name: str) -> dict[str, str]:
    """For each horizon of a task that was declared with several, the task that asks it.

    >>> from jointrec.labels import later
    >>> from jointrec.tasks import Count
    >>> week = later.sum("line.pieces", of="item", within=["14d", "7d"])
    >>> horizons_of(unfolded({"sales": Count(week)}), "sales")
    {'7d': 'sales_7d', '14d': 'sales_14d'}
    """
    found = {
        one.label.within: key
        for key, one in tasks.items()
        if isinstance(one.label, Later) and isinstance(one.label.within, str)
        if key == f"{name}_{one.label.within.replace(' ', '')}"
    }
    return dict(sorted(found.items(), key=lambda item: microseconds(item[0])))


def log_more(total: float, part: float) -> float:
    """The log of what has to be added to e^part to make e^total; a little where that is less.

    >>> round(log_more(math.log(5.0), math.log(3.0)), 6) == round(math.log(2.0), 6)
    True
    """
    share = -math.expm1(part - total) if total > part else 0.0
    return max(total, part) + math.log(max(share, LEAST_MORE))


def logit_given(logit: float, of: float) -> float:
    """The logit of a chance as a share of a larger one, a little off none and off all of it."""
    share = _chance(logit) / max(_chance(of), 1e-12)
    share = min(max(share, 1e-12), 1 - LEAST_MORE)
    return math.log(share) - math.log1p(-share)


def _chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0
