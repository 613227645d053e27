"""The past of an entity that acts: its events, one flat run per thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Int64

from jointrec.labels import microseconds
from jointrec.plan import Plan, timed
from jointrec.project import Project

from .prepared import Past
from .tables import Tables
from .timeline import Index, Timeline
from .versions import Versions
from .workspace import IN_MEMORY, Workspace

NONE = "none"
"""The first kind of event: there is none."""


@dataclass(frozen=True)
class PastOf:
    """The past of an entity, and where to find in it what was before a moment.

    :param past: Its events.
    :param timeline: The same events by thing and time.
    :param kinds: What the kinds of event are called; the first is none.
    :param objects: The entities that its events may be about.
    """

    past: Past
    timeline: Timeline
    kinds: tuple[str, ...]
    objects: tuple[str, ...]

    def before(
        self,
        codes: Int64[np.ndarray, "moments"],
        moments: Int64[np.ndarray, "moments"],
        last: int,
    ) -> tuple[Int64[np.ndarray, "moments"], Int64[np.ndarray, "moments"]]:
        """Where the last few events before each moment start and stop in :attr:`past`."""
        span = self.timeline.before(codes, moments)
        return np.maximum(span.start, span.stop - last), span.stop


def past_of(
    project: Project,
    plan: Plan,
    tables: Tables,
    entity: str,
    workspace: Workspace = IN_MEMORY,
) -> PastOf:
    """The past of an entity: all events with a time in which it is the one who acts.

    An event whose rows carry outcomes (a shown item that is clicked or not) enters only by the rows
    in which something happened, as what happened last in the funnel, and only once that is settled:
    at its time + ``matures``. Everything else enters at its time. Events of the same moment stand
    in an order that does not depend on the order of the tables' rows.
    """
    acted = [
        name
        for name, event in project.event.items()
        if timed(project, name) and event.entities[0] == entity
    ]
    others = [other for name in acted for other in project.event[name].entities[1:]]
    objects = tuple(dict.fromkeys(others))
    kinds = [NONE]
    columns = [[np.zeros(0, dtype=np.int64)] * (3 + len(objects))]
    for name in acted:
        frame = tables.events[name]
        kind, delay = _kinds(project, plan, name, frame, kinds)
        kept = np.flatnonzero((kind > 0) & (frame[f"@{entity}"].to_numpy() > 0))
        parts = [
            frame[f"@{entity}"].to_numpy()[kept],
            frame["@time"].to_numpy()[kept] + delay,
            kind[kept],
        ]
        parts += [
            frame[f"@{other}"].to_numpy()[kept]
            if f"@{other}" in frame.columns
            else np.zeros(len(kept), dtype=np.int64)
            for other in objects
        ]
        columns.append(parts)
    merged = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    del columns
    order = np.lexsort((*merged[:1:-1], merged[1], merged[0]))
    things, times, kind_of, *about = (part[order] for part in merged)
    rows = dict(zip(objects, about, strict=True))
    del merged, order, about
    for other in objects:
        versions = Versions.of(tables, other)
        found = rows[other] if versions is None else versions.at(rows[other], times)
        rows[other] = workspace.keep(found)
    past = Past(workspace.keep(kind_of), rows, workspace.keep(times))
    index = Index.sorted(things, past.times, np.arange(len(times)))
    return PastOf(past, index.timeline({}, workspace), tuple(kinds), objects)


def _kinds(
    project: Project, plan: Plan, name: str, frame: pl.DataFrame, kinds: list[str]
) -> tuple[Int64[np.ndarray, "events"], int]:
    """What kind of event each row is, 0 for none, and how long after its time it is settled."""
    outcomes = sorted(plan.outcomes.get(name, ()), key=lambda c: _depth(project, f"{name}.{c}"))
    if not outcomes:
        kinds.append(name)
        return np.full(len(frame), len(kinds) - 1), 0
    kind = np.zeros(len(frame), dtype=np.int64)
    for column in outcomes:
        kinds.append(f"{name}·{column}")
        yes = frame[column].cast(pl.Float64).fill_null(0.0).to_numpy() > 0
        kind[yes] = len(kinds) - 1
    return kind, microseconds(project.event[name].matures)


def _depth(project: Project, label: str) -> int:
    """How many tasks of a funnel come before the last one that has this label."""
    depths = [0]
    for task in project.tasks.values():
        depth, after = 0, task.after
        while after is not None:
            depth, after = depth + 1, project.tasks[after].after
        depths.append(depth if task.label == label else 0)
    return max(depths)
