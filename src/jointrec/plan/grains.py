"""From labels to grains: which rows are asked, about whom, and when.

Nobody declares a grain. It follows from the label: a column of an event is asked at each row of the
event; a later label of an entity is asked at snapshot moments; what comes next is asked just before
it happens. Tasks that are asked of the same rows and may see the same entities share a grain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from jointrec.labels import Later, microseconds
from jointrec.project import Project

Asking = Literal["row", "before", "every", "once"]
"""When a grain is asked: at a row, before a row, every so often, or once."""
DEFAULT_EVERY = "7d"
"""How far apart the snapshots of an entity are, where a label does not say."""


@dataclass(frozen=True)
class Grain:
    """Tasks that are asked of the same rows and may see the same entities.

    :param name: How it is called in reports: the table, and what tells it from its neighbours.
    :param table: The event or the entity whose rows are asked.
    :param asking: When: at each ``row`` of an event; just ``before`` each row of an event (its
        features are not to be seen then); of an entity ``every`` so often; of an entity ``once``,
        at no moment, where its label is a column.
    :param entities: The entities that a row leads to.
    :param sees: The entities that the answers may depend on.
    :param tasks: The tasks, each after what it comes after.
    :param every: µs between snapshots, where asked so.
    :param active: µs within which an entity must have had an event, where asked so.
    """

    name: str
    table: str
    asking: Asking
    entities: tuple[str, ...]
    sees: tuple[str, ...]
    tasks: tuple[str, ...]
    every: int | None = None
    active: int | None = None

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of entities whose common past is counted."""
        return tuple(combinations(self.sees, 2))


@dataclass(frozen=True)
class Plan:
    """The grains of a project, and what follows from its labels.

    :param grains: In the order in which tasks first name them.
    :param outcomes: For each event the yes-or-no columns that tasks learn, which become rates.
    :param catalogue: For each task that ranks a catalogue, the entity that it ranks.
    :param summed: For each event the columns, or the products of two, that tasks sum.
    """

    grains: tuple[Grain, ...]
    outcomes: Mapping[str, tuple[str, ...]]
    catalogue: Mapping[str, str]
    summed: Mapping[str, tuple[tuple[str, ...], ...]]

    def grain_of(self, task: str) -> Grain:
        """The grain of a task."""
        return next(grain for grain in self.grains if task in grain.tasks)


def plan_of(project: Project) -> Plan:
    """The plan of a project without problems."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for name in _in_funnel_order(project):
        groups.setdefault(group_of(project, name), []).append(name)
    grains = tuple(grain_asked(project, tuple(tasks)) for tasks in groups.values())
    return Plan(_named(grains), _outcomes(project), _catalogue(project), _summed(project))


def timed(project: Project, table: str) -> bool:
    """Whether the rows of a table have a time."""
    return table in project.event and project.event[table].time is not None


def group_of(project: Project, name: str) -> tuple[object, ...]:
    """What the tasks of one grain have in common."""
    grain = grain_asked(project, (name,))
    return (grain.table, grain.asking, grain.sees, grain.every, grain.active)


def grain_asked(project: Project, tasks: tuple[str, ...]) -> Grain:
    """The grain at which some tasks are asked that belong to one; it has no name of its own yet."""
    task = project.tasks[tasks[0]]
    label = task.label
    if isinstance(label, str):
        table = label.partition(".")[0]
        if table in project.event:
            return _at_rows(project, table, tasks)
        return Grain(table, table, "once", (table,), (table,), tasks)
    if label.of in project.event:
        return _at_rows(project, label.of, tasks)
    if label.verb == "next" and label.every is None:
        return Grain(label.event, label.event, "before", (label.of,), (label.of,), tasks)
    every = microseconds(label.every or DEFAULT_EVERY)
    active = microseconds(label.active) if label.active else None
    return Grain(label.of, label.of, "every", (label.of,), (label.of,), tasks, every, active)


def _at_rows(project: Project, event: str, tasks: tuple[str, ...]) -> Grain:
    """The grain of the rows of an event."""
    entities = project.event[event].entities
    wanted = project.tasks[tasks[0]].sees or entities
    sees = tuple(entity for entity in entities if entity in wanted)
    return Grain(event, event, "row", entities, sees, tasks)


def _named(grains: tuple[Grain, ...]) -> tuple[Grain, ...]:
    """Gives each grain a name of its own that says how it differs."""
    named: list[Grain] = []
    for grain in grains:
        name = {
            "row": grain.table,
            "once": grain.table,
            "before": f"{grain.sees[0]} before {grain.table}",
            "every": f"{grain.table} every {_spell(grain.every)}"
            + (f", active {_spell(grain.active)}" if grain.active else ""),
        }[grain.asking]
        if any(other.name == name for other in named):
            name = f"{name} ({', '.join(grain.sees)})"
        named.append(replace(grain, name=name))
    return tuple(named)


def _spell(length: int | None) -> str:
    """A duration as people write it."""
    seconds = (length or 0) // 1_000_000
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _in_funnel_order(project: Project) -> list[str]:
    """Tasks so that each stands after the one it comes after."""
    order: list[str] = []

    def add(name: str) -> None:
        if name in order:
            return
        after = project.tasks[name].after
        if after is not None:
            add(after)
        order.append(name)

    for name in project.tasks:
        add(name)
    return order


def _outcomes(project: Project) -> dict[str, tuple[str, ...]]:
    outcomes: dict[str, list[str]] = {}
    for task in project.tasks.values():
        label = task.label
        if isinstance(label, Later):
            learned = label.what if label.verb == "steps" else ""
        else:
            learned = label if task.has_chance and task.cell == "flag" else ""
        table, _, column = learned.partition(".")
        if learned and timed(project, table):
            outcomes.setdefault(table, []).append(column)
    return {table: tuple(dict.fromkeys(columns)) for table, columns in outcomes.items()}


def _catalogue(project: Project) -> dict[str, str]:
    ranked: dict[str, str] = {}
    for name, task in project.tasks.items():
        if task.ranks_catalogue and isinstance(task.label, Later):
            ranked[name] = task.label.column or ""
    return ranked


def _summed(project: Project) -> dict[str, tuple[tuple[str, ...], ...]]:
    summed: dict[str, list[tuple[str, ...]]] = {}
    for task in project.tasks.values():
        if isinstance(task.label, Later) and task.label.factors:
            summed.setdefault(task.label.event, []).append(task.label.factors)
    return {event: tuple(dict.fromkeys(columns)) for event, columns in summed.items()}
