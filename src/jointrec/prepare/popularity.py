"""How often each candidate of a catalogue was chosen lately: what a newcomer would be shown."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from jointrec.labels import DAY, Later
from jointrec.plan import Plan
from jointrec.project import Project

from .prepared import Popularity
from .returns import gives_back
from .tables import Tables

DAYS = (1, 7, 30)
"""The windows, in days."""


def popularity(project: Project, plan: Plan, tables: Tables, task: str, until: int) -> Popularity:
    """The popularity of every candidate on every day, for a task that ranks a catalogue.

    Counted are the events in which a candidate was the answer, over the 1, 7 and 30 days that end
    where the day begins. The first row is the day of the first such event, so it is all zeros and
    stands for every day before; the last one is the day of ``until``. The row of a candidate is
    its code: row 0, of unknown ones, is always zero.

    :param until: The first µs after the last event of the data.
    """
    label = project.tasks[task].label
    assert isinstance(label, Later), "a plan lets only what comes next rank a catalogue"
    frame, entity = tables.events[label.event], plan.catalogue[task]
    bought = ~gives_back(project, tables, label.event)
    codes = frame[f"@{entity}"].to_numpy() * bought
    days = frame["@time"].to_numpy()[codes > 0] // DAY
    last = until // DAY
    first = int(days.min(initial=last))
    chosen = _daily(days - first, codes[codes > 0], last - first + 1, len(tables.entities[entity]))
    before = np.concatenate([np.zeros_like(chosen[:1]), chosen.cumsum(axis=0)])
    starts = np.arange(len(chosen))
    counts = np.empty((*chosen.shape, len(DAYS)), dtype=np.float32)
    for number, window in enumerate(DAYS):
        within = before[starts] - before[np.maximum(starts - window, 0)]
        counts[:, :, number] = np.log1p(within)
    return Popularity(first, counts)


def _daily(
    days: Int64[np.ndarray, "events"],
    codes: Int64[np.ndarray, "events"],
    num_days: int,
    num_things: int,
) -> Int64[np.ndarray, "days candidates"]:
    """How often each candidate was chosen on each day."""
    width = num_things + 1
    return np.bincount(days * width + codes, minlength=num_days * width).reshape(num_days, width)
