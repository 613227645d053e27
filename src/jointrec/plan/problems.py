"""Everything that is wrong with the declarations of a project, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from jointrec.errors import printable, unknown_name
from jointrec.features import Category
from jointrec.labels import Later
from jointrec.project import Project
from jointrec.schema import Entity, Event

from .cleaning import cleaning_problems
from .columns import columns_of, uses
from .grains import grain_asked, group_of
from .label_problems import duration_problems, kinds, label_problems

_CELLS = {
    "id": "a name", "text": "text", "number": "a number", "time": "a time", "flag": "yes or no",
    "list": "a list",
}  # fmt: skip

TAKEN = ("at", "candidates", "context", "exclude", "given", "k", "rank_by", "rows", "self", "task")
"""Names that the verbs have for something else, so that no entity can be called so."""


def problems_of(project: Project) -> list[str]:
    """All problems of a project, in the order of its declarations."""
    problems = [
        f"{family}: the name `{name}` holds a dot, but dots part tables from columns. Rename it."
        for family, names in (("entity", project.entity), ("event", project.event))
        for name in names
        if "." in name
    ]
    problems += [
        f"{family}: the name {name!a} holds a slash, begins with `@` or holds characters that "
        "cannot be printed, but files and columns are named after it. Rename it."
        for family, names in (("entity", project.entity), ("event", project.event))
        for name in names
        if _is_odd(name) or "/" in name or "\\" in name
    ]
    problems += [
        f"{use.at}: the column {use.column!a} cannot be told from what is computed: its name "
        "begins with `@` or `^`, is `*`, or holds characters that cannot be printed. Rename it."
        for table in [*project.entity, *project.event]
        for use in uses(project, table)
        if _is_odd(use.column) or use.column == "*" or use.column.startswith("^")
    ]
    problems += [
        f"entity: the name `{name}` is taken by the verbs, so nobody could ask about it by "
        "keyword. Rename it."
        for name in project.entity
        if name in TAKEN
    ]
    problems += [
        f"entity.{name}.time: without a `key` nothing says which rows are of one thing. "
        "Name the column that does as `key`."
        for name, entity in project.entity.items()
        if entity.time is not None and entity.key is None
    ]
    for name in project.event:
        problems += _event_problems(project, name)
    if not project.tasks:
        problems.append("tasks: there is nothing to learn. Name at least one task.")
    problems += [
        told for window in project.counters for told in duration_problems("counters", window)
    ]
    for name in project.tasks:
        here = f"tasks.{name}.label"
        problems += list(label_problems(project, name, here)) or _task_problems(project, name)
    for table in [*project.entity, *project.event]:
        problems += _column_problems(project, table)
    return [*problems, *_segment_problems(project), *cleaning_problems(project)]


def _segment_problems(project: Project) -> Iterator[str]:
    """What is wrong with the column that the calibration goes by."""
    if project.calibration.by is None:
        return
    here = "calibration.segment"
    table, _, column = project.calibration.by.partition(".")
    tables: dict[str, Entity | Event] = {**project.entity, **project.event}
    if table not in tables:
        yield unknown_name("table", table, tables, at=here)
    elif column not in tables[table].features:
        yield unknown_name("feature", column, tables[table].features, at=f"{here}: {table}")
    elif not isinstance(tables[table].features[column], Category):
        kind = type(tables[table].features[column]).__name__
        yield f"{here}: `{table}.{column}` is a {kind}. Segments are the values of a Category."


def _is_odd(name: str) -> bool:
    return not name or name.startswith("@") or printable(name) != name


def _event_problems(project: Project, name: str) -> Iterator[str]:
    event, here = project.event[name], f"event.{name}"
    if name in project.entity:
        yield f"{here}: an entity has the same name. Rename one of the two."
    if not event.entities:
        yield f"{here}.entities: name at least one entity."
    for entity in event.entities:
        if entity not in project.entity:
            yield unknown_name("entity", entity, project.entity, at=f"{here}.entities")
        elif project.entity[entity].key is None:
            yield (
                f"{here}.entities: the rows of `{entity}` have no key, so an event cannot name "
                f"one. Give `entity.{entity}` a `key`."
            )
    for entity in sorted({entity for entity in event.entities if event.entities.count(entity) > 1}):
        yield (
            f"{here}.entities: `{entity}` is named twice. Declare a second entity with the same "
            "source, and say which column holds its key with `keys`."
        )
    for entity in event.keys:
        if entity not in event.entities:
            yield unknown_name("entity", entity, event.entities, at=f"{here}.keys")
    yield from duration_problems(f"{here}.matures", event.matures)
    yield from _ahead_problems(project, name)


def _ahead_problems(project: Project, name: str) -> Iterator[str]:
    """What is known ahead is read after the moment, so no task may ask for it."""
    event, here = project.event[name], f"event.{name}.ahead"
    if event.ahead is None:
        return
    yield from duration_problems(here, event.ahead)
    if event.time is None:
        yield f"{here}: without a `time` nothing is ahead. Name the column that says when."
    for task, asked in project.tasks.items():
        label = asked.label
        tables = (label.event, label.of) if isinstance(label, Later) else label.split(".")[:1]
        if name in tables:
            yield (
                f"{here}: `tasks.{task}` learns from `{name}`, and what is known ahead is read "
                "after the moment, so the answer would be given away. Leave `ahead` out, or "
                "declare what was planned as an event of its own."
            )


def _column_problems(project: Project, table: str) -> Iterator[str]:
    """A table of which nothing is read, and columns that are to be read in two ways at once."""
    if table in project.entity and not columns_of(project, table):
        yield f"entity.{table}: no column of it is read. Give it a `key` or `features`."
    for column, cell in columns_of(project, table).items():
        if cell is None:
            told = " and ".join(
                f"as {_CELLS[use.cells[0]]} ({use.at})"
                for use in uses(project, table)
                if use.column == column
            )
            yield (
                f"`{table}.{column}` is to be read {told}. A column is read in one way: "
                "give the table a copy of it under another name."
            )


def _task_problems(project: Project, name: str) -> list[str]:
    """What is wrong between a task, its neighbours and what it may see."""
    task, grain = project.tasks[name], grain_asked(project, (name,))
    problems = [
        f"tasks.{name}.sees: a row of `{grain.table}` does not lead to `{entity}`. "
        f"It leads to: {', '.join(grain.entities)}."
        for entity in task.sees or ()
        if entity not in grain.entities
    ]
    problems += list(_weight_problems(project, name))
    event = project.event.get(grain.table)
    named = grain.asking == "row" and event is not None and event.list is not None
    if task.list_share and not named and grain.entities[0] not in grain.sees:
        problems.append(
            f"tasks.{name}.listwise: a list is what `{grain.entities[0]}` sees at one moment, so "
            f"`sees` must name it, or `list` of the event what was shown together. It names: "
            f"{', '.join(grain.sees)}."
        )
    if task.after is None:
        return problems
    here = f"tasks.{name}.after"
    if task.after not in project.tasks:
        return [*problems, unknown_name("task", task.after, project.tasks, at=here)]
    loop = _loop(project, name)
    if loop:
        return [*problems, f"{here}: the funnel comes back to itself: {' → '.join(loop)}."]
    before = project.tasks[task.after]
    if task.lengthens(before):
        return problems
    if not (task.chains and before.has_chance and before.cell == "flag"):
        chances = [kind for kind, cls in kinds().items() if cls.has_chance]
        flags = [kind for kind in chances if kinds()[kind].cell == "flag"]
        problems.append(
            f"{here}: a funnel joins chances. `{name}` is {type(task).__name__} and "
            f"`{task.after}` is {type(before).__name__}. What comes first is one of: "
            f"{', '.join(flags)}; what comes after it one of: {', '.join(chances)}."
        )
    broken = any(label_problems(project, task.after, here))
    if not broken and group_of(project, name) != group_of(project, task.after):
        other = grain_asked(project, (task.after,))
        problems.append(
            f"{here}: `{task.after}` is not asked of the same rows. A funnel needs one grain: "
            f"`{name}` is asked of `{grain.table}` and sees {', '.join(grain.sees)}; "
            f"`{task.after}` is asked of `{other.table}` and sees {', '.join(other.sees)}."
        )
    return problems


def _weight_problems(project: Project, name: str) -> Iterator[str]:
    """What is wrong with how much rows count."""
    task, grain = project.tasks[name], grain_asked(project, (name,))
    if task.weight is not None and task.propensity is not None:
        yield f"tasks.{name}: rows count by a `weight` or by a `propensity`. Leave one out."
    for key, column in (("weight", task.weight), ("propensity", task.propensity)):
        here = f"tasks.{name}.{key}"
        if column is None:
            continue
        if grain.asking not in ("row", "once"):
            yield f"{here}: the rows of `{grain.name}` are made, not read. Only read rows have one."
        elif column.partition(".")[0] != grain.table or not column.partition(".")[2]:
            yield (
                f"{here}: `{column}` is no column of the rows that are asked. Write "
                f"`{grain.table}.COLUMN`."
            )


def _loop(project: Project, name: str) -> list[str]:
    """The tasks of a funnel that comes back to one of them; nothing where it ends."""
    chain = [name]
    after = project.tasks[name].after
    while after is not None and after in project.tasks:
        chain.append(after)
        if chain.count(after) > 1:
            return chain
        after = project.tasks[after].after
    return []
