"""From labels to grains: which rows are asked, about whom, and when.

Nobody declares a grain. It follows from the label: a column of an event is asked at each row of the
event; a later label of an entity is asked at snapshot moments; what comes next is asked just before
it happens. Tasks that are asked of the same rows and may see the same entities share a grain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from .errors import ProjectError, together, unknown_name
from .labels import Later, microseconds
from .project import Project

Asking = Literal["row", "before", "every", "once"]
DEFAULT_EVERY = "7d"


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
    """

    grains: tuple[Grain, ...]
    outcomes: Mapping[str, tuple[str, ...]]
    catalogue: Mapping[str, str]

    def grain_of(self, task: str) -> Grain:
        """The grain of a task."""
        return next(grain for grain in self.grains if task in grain.tasks)


def plan(project: Project) -> Plan:
    """The plan of a project, from its declarations alone.

    :raises ProjectError: with all problems at once.
    """
    problems = _problems(project)
    if problems:
        raise ProjectError(together(problems, of="The project"))
    groups: dict[tuple[object, ...], list[str]] = {}
    for name in _in_funnel_order(project):
        groups.setdefault(_group(project, name), []).append(name)
    grains = tuple(_grain(project, tuple(tasks)) for tasks in groups.values())
    return Plan(_named(grains), _outcomes(project), _catalogue(project))


def timed(project: Project, table: str) -> bool:
    """Whether the rows of a table have a time."""
    return table in project.event and project.event[table].time is not None


def _group(project: Project, name: str) -> tuple[object, ...]:
    grain = _grain(project, (name,))
    return (grain.table, grain.asking, grain.sees, grain.every, grain.active)


def _grain(project: Project, tasks: tuple[str, ...]) -> Grain:
    task = project.tasks[tasks[0]]
    label = task.label
    if isinstance(label, str):
        table = label.partition(".")[0]
        if table in project.event:
            entities = project.event[table].entities
            return Grain(table, table, "row", entities, task.sees or entities, tasks)
        return Grain(table, table, "once", (table,), (table,), tasks)
    if label.of in project.event:
        entities = project.event[label.of].entities
        return Grain(label.of, label.of, "row", entities, task.sees or entities, tasks)
    if label.verb == "next" and label.every is None:
        return Grain(label.event, label.event, "before", (label.of,), (label.of,), tasks)
    every = microseconds(label.every or DEFAULT_EVERY)
    active = microseconds(label.active) if label.active else None
    return Grain(label.of, label.of, "every", (label.of,), (label.of,), tasks, every, active)


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
        named.append(
            Grain(
                name, grain.table, grain.asking, grain.entities, grain.sees, grain.tasks,
                grain.every, grain.active,
            )
        )  # fmt: skip
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
        if isinstance(task.label, str) and task.has_chance and task.cell == "flag":
            table, _, column = task.label.partition(".")
            if timed(project, table):
                outcomes.setdefault(table, []).append(column)
    return {table: tuple(dict.fromkeys(columns)) for table, columns in outcomes.items()}


def _catalogue(project: Project) -> dict[str, str]:
    ranked: dict[str, str] = {}
    for name, task in project.tasks.items():
        if task.ranks_catalogue and isinstance(task.label, Later):
            ranked[name] = task.label.column or ""
    return ranked


def _problems(project: Project) -> list[str]:
    """Everything that is wrong with the declarations, each with its place."""
    problems: list[str] = []
    for name, event in project.event.items():
        here = f"event.{name}"
        if name in project.entity:
            problems.append(f"{here}: an entity has the same name. Rename one of the two.")
        if not event.entities:
            problems.append(f"{here}.entities: name at least one entity.")
        problems += [
            unknown_name("entity", entity, project.entity, at=f"{here}.entities")
            for entity in event.entities
            if entity not in project.entity
        ]
        problems += [
            f"{here}.entities: the rows of `{entity}` have no key, so an event cannot name one. "
            f"Give `entity.{entity}` a `key`."
            for entity in event.entities
            if entity in project.entity and project.entity[entity].key is None
        ]
        problems += [
            unknown_name("entity", entity, event.entities, at=f"{here}.keys")
            for entity in event.keys
            if entity not in event.entities
        ]
        problems += _bad_durations({f"{here}.matures": event.matures})
    if not project.tasks:
        problems.append("tasks: there is nothing to learn. Name at least one task.")
    problems += _bad_durations({"counters": window for window in project.counters})
    for name in project.tasks:
        found = _label_problems(project, name)
        problems += found if found else _task_problems(project, name)
    return problems


def _bad_durations(durations: Mapping[str, str | None]) -> list[str]:
    problems = []
    for at, duration in durations.items():
        try:
            if duration is not None:
                microseconds(duration)
        except ProjectError as error:
            problems.append(f"{at}: {error}")
    return problems


def _label_problems(project: Project, name: str) -> list[str]:
    """What is wrong with a label by itself."""
    task, here = project.tasks[name], f"tasks.{name}.label"
    tables = [*project.entity, *project.event]
    if isinstance(task.label, str):
        table, dot, column = task.label.partition(".")
        if not dot or not column:
            return [f"{here}: `{task.label}` is not a column. Write `table.column`."]
        if table not in tables:
            return [unknown_name("table", table, tables, at=here)]
        if task.ranks_catalogue:
            return [
                f"{here}: {type(task).__name__} learns what comes next. "
                f'Write label = {{ next = "event.entity", of = "entity" }}.'
            ]
        features = (project.entity.get(table) or project.event[table]).features
        if column in features:
            return [
                f"{here}: `{task.label}` is also a feature, so the answer would be given away. "
                f"Take `{column}` out of the features of `{table}`."
            ]
        return []
    return _later_problems(project, task.label, here) or _verb_problems(project, name, here)


def _later_problems(project: Project, label: Later, here: str) -> list[str]:
    events, tables = [e for e in project.event if timed(project, e)], [*project.entity, *project.event]
    problems = _bad_durations(
        {f"{here}.{key}": getattr(label, key) for key in ("within", "active", "every")}
    )
    if label.event not in project.event:
        return [*problems, unknown_name("event", label.event, project.event, at=here)]
    if label.event not in events:
        return [*problems, f"{here}: `{label.event}` has no `time`, so nothing in it is later."]
    if label.of not in tables:
        return [*problems, unknown_name("table", label.of, tables, at=f"{here}.of")]
    if label.verb != "next" and label.within is None:
        problems.append(f"{here}: say how far to look forward: within = \"7d\".")
    if label.verb in ("sum", "next") and label.column is None:
        thing = "column" if label.verb == "sum" else "entity"
        problems.append(f"{here}: write `{label.verb} = \"{label.event}.{thing}\"`.")
    joined = project.event[label.event].entities
    if label.of in project.event:
        if not timed(project, label.of):
            problems.append(f"{here}.of: `{label.of}` has no `time`, so nothing is later than it.")
        if label.every or label.active or label.verb == "next":
            problems.append(f"{here}: `next`, `every` and `active` are for entities, not events.")
        if not set(joined) & set(project.event[label.of].entities):
            problems.append(
                f"{here}.of: a row of `{label.of}` and a row of `{label.event}` have no entity in "
                f"common. `{label.event}` joins: {', '.join(joined)}."
            )
    elif label.of not in joined:
        problems.append(
            f"{here}.of: a row of `{label.event}` does not lead to `{label.of}`. "
            f"It leads to: {', '.join(joined)}."
        )
    if label.verb == "next" and label.column is not None and label.column not in joined:
        problems.append(unknown_name("entity", label.column, joined, at=here))
    return problems


def _verb_problems(project: Project, name: str, here: str) -> list[str]:
    task = project.tasks[name]
    assert isinstance(task.label, Later)
    if task.label.verb in task.verbs:
        return []
    can = [k for k in task.verbs] or ["a column"]
    return [
        f"{here}: {type(task).__name__} does not learn `{task.label.verb}`. "
        f"It learns: {', '.join(can)}."
    ]


def _task_problems(project: Project, name: str) -> list[str]:
    """What is wrong between a task, its neighbours and what it may see."""
    task, problems = project.tasks[name], []
    reachable = _grain(project, (name,)).entities
    problems += [
        f"tasks.{name}.sees: a row of `{_grain(project, (name,)).table}` does not lead to "
        f"`{entity}`. It leads to: {', '.join(reachable)}."
        for entity in task.sees or ()
        if entity not in reachable
    ]
    if task.after is None:
        return problems
    here = f"tasks.{name}.after"
    if task.after not in project.tasks:
        return [*problems, unknown_name("task", task.after, project.tasks, at=here)]
    chain, other = [name], task.after
    while other is not None and other in project.tasks:
        if other in chain:
            loop = " → ".join([*chain, other])
            return [*problems, f"{here}: the funnel comes back to itself: {loop}."]
        chain.append(other)
        other = project.tasks[other].after
    before = project.tasks[task.after]
    if not (task.has_chance and before.has_chance and before.cell == "flag"):
        problems.append(
            f"{here}: a funnel joins chances. `{name}` is {type(task).__name__} and "
            f"`{task.after}` is {type(before).__name__}; a Binary may come first, "
            "a Binary or an Amount after it."
        )
    if not _label_problems(project, task.after) and _group(project, name) != _group(
        project, task.after
    ):
        problems.append(
            f"{here}: `{task.after}` is asked of other rows. A funnel needs one grain: "
            f"`{name}` is asked of `{_grain(project, (name,)).table}`, "
            f"`{task.after}` of `{_grain(project, (task.after,)).table}`, "
            "and both must see the same entities."
        )
    return problems
