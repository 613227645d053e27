"""Which vectors a row is made of, in a fixed order, and which of them a grain has."""

from __future__ import annotations

from typing import Literal, NamedTuple

from jointrec.plan import Grain, Plan, texts_beside, timed
from jointrec.prepare.edges import numbers_name
from jointrec.prepare.prepared import FieldsLayout, Layout
from jointrec.prepare.reader import group_name
from jointrec.project import Project

Kind = Literal[
    "vectors", "numbers", "moment", "history", "context", "shown", "clock", "pair", "match"
]

COUNTED = ("moment", "pair", "match")
"""The kinds of parts that are numbers without a limit, read piece by piece of their range."""

TOLD = ("numbers", "shown")
"""The kinds of parts that are numbers told by a table: read so where training rows are few."""


class Part(NamedTuple):
    """One vector of a row.

    :param kind: Of an entity its field ``vectors``, its ``numbers``, its counters at the
        ``moment``, its ``history``; of an event its ``context`` vectors and the numbers ``shown``;
        the ``clock``; of two entities what was counted of the ``pair``; of two text columns how
        well they ``match``.
    :param of: The entity, the event, the two entities or columns; empty for the clock.
    """

    kind: Kind
    of: tuple[str, ...] = ()


def edges_of(part: Part, layout: Layout) -> tuple[tuple[float, ...], ...] | None:
    """Where the pieces of each number of a part begin and end; None where it is not read so."""
    if part.kind in COUNTED:
        return layout.edges[group_name(part.of)]
    return layout.edges.get(numbers_name(part.of[0])) if part.kind in TOLD else None


def sizes_of(project: Project, plan: Plan, layout: Layout) -> dict[Part, int]:
    """The parts that at least one grain has, in a fixed order, with their widths."""
    every: dict[Part, int] = {}
    width = project.history.width
    for entity in project.entity:
        _add_fields(
            every, layout.things.get(entity), project.table.width, "vectors", "numbers", entity
        )
        every[Part("moment", (entity,))] = len(layout.moments.get(entity, ()))
        every[Part("history", (entity,))] = width if layout.kinds.get(entity) else 0
    for event, fields in layout.context.items():
        _add_fields(every, fields, project.table.width, "context", "shown", event)
    every[Part("clock")] = len(layout.clock)
    for pair, names in layout.pairs.items():
        every[Part("pair", pair)] = len(names)
    for columns, names in layout.matches.items():
        every[Part("match", columns)] = len(names)
    had = {part for grain in plan.grains for part in parts_of(project, grain)}
    return {part: size for part, size in every.items() if size and part in had}


def parts_of(project: Project, grain: Grain) -> set[Part]:
    """The parts that a grain may have: only of what its tasks may see."""
    parts = {Part(kind, (entity,)) for entity in grain.sees for kind in ("vectors", "numbers")}
    if grain.asking == "row":
        parts |= {Part("context", (grain.table,)), Part("shown", (grain.table,))}
    parts |= {Part("match", columns) for columns in texts_beside(project, grain)}
    if has_moments(project, grain):
        parts |= {Part(kind, (entity,)) for entity in grain.sees for kind in ("moment", "history")}
        parts |= {Part("pair", pair) for pair in grain.pairs} | {Part("clock")}
    return parts


def has_moments(project: Project, grain: Grain) -> bool:
    """Whether the rows of a grain are asked at a moment, so that there is a past."""
    return grain.asking in ("before", "every") or timed(project, grain.table)


def _add_fields(
    sizes: dict[Part, int],
    fields: FieldsLayout | None,
    width: int,
    vectors: Kind,
    numbers: Kind,
    of: str,
) -> None:
    fields = fields or FieldsLayout()
    sizes[Part(vectors, (of,))] = width * (len(fields.ids) + len(fields.bags))
    sizes[Part(numbers, (of,))] = len(fields.numbers)
