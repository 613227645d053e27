"""Which columns of a table a project reads, how, and where it says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jointrec.features import Feature
from jointrec.labels import Later
from jointrec.project import Project
from jointrec.tasks import Task


@dataclass(frozen=True)
class Use:
    """A column that the project names.

    :param column: Its name.
    :param cells: How it may be read here, what is preferred first.
    :param at: Where the project names it, for messages.
    """

    column: str
    cells: tuple[str, ...]
    at: str


def uses(project: Project, table: str) -> list[Use]:
    """Every place at which the project names a column of a table: keys, features, labels …"""
    if table in project.entity:
        entity, at = project.entity[table], f"entity.{table}"
        found = [Use(entity.key, ("id",), f"{at}.key")] if entity.key else []
        if entity.time:
            found.append(Use(entity.time, ("time",), f"{at}.time"))
    else:
        event, at = project.event[table], f"event.{table}"
        found = [
            Use(key_column(project, table, name), ("id",), f"{at}.entities")
            for name in event.entities
        ]
        if event.time:
            found.append(Use(event.time, ("time",), f"{at}.time"))
        found += [Use(column, ("id",), f"{at}.where") for column in event.where]
        found += [
            Use(column, ("id",), f"{at}.{name}")
            for name, column in (("key", event.key), ("list", event.list))
            if column
        ]
        if event.returns:
            found.append(Use(event.returns, ("number",), f"{at}.returns"))
        if event.ends:
            found.append(Use(event.ends, ("time",), f"{at}.ends"))
    found += [
        # A key that is a text as well, such as the words of a query, is read as both.
        Use(
            column,
            ("text", "id") if feature.cell == "text" else (feature.cell,),
            f"{at}.features.{column}",
        )
        for column, feature in features_of(project, table).items()
    ]
    for name, task in project.tasks.items():
        found += _labels(table, name, task)
    return found


def _labels(table: str, name: str, task: Task) -> Iterator[Use]:
    """The columns of a table that a task learns, or sums, or weighs its rows by."""
    at = f"tasks.{name}.label"
    for key, column in (("weight", task.weight), ("propensity", task.propensity)):
        if column is not None and column.partition(".")[0] == table:
            yield Use(column.partition(".")[2], ("number", "flag"), f"tasks.{name}.{key}")
    if isinstance(task.label, Later):
        if task.label.event == table:
            for column in task.label.factors:
                yield Use(column, ("number", "flag"), at)
            if task.label.verb == "steps" and task.label.column:
                yield Use(task.label.column, ("flag",), at)
    elif task.label.partition(".")[0] == table:
        yield Use(task.label.partition(".")[2], (task.reads,), at)


def columns_of(project: Project, table: str) -> dict[str, str | None]:
    """The columns that the project reads of a table and how; None where it contradicts itself.

    >>> from jointrec.project import parse
    >>> shop = parse('''
    ... entity.user = { source = "users.csv", key = "user_id", features = { age = "Number" } }
    ... tasks.loyal = { kind = "Binary", label = "user.loyal" }
    ... ''')
    >>> columns_of(shop, "user")
    {'user_id': 'id', 'age': 'number', 'loyal': 'flag'}
    """
    cells: dict[str, tuple[str, ...]] = {}
    for use in uses(project, table):
        before = cells.get(use.column, use.cells)
        cells[use.column] = tuple(cell for cell in before if cell in use.cells)
    return {column: next(iter(allowed), None) for column, allowed in cells.items()}


def features_of(project: Project, table: str) -> Mapping[str, Feature]:
    """The features of an entity or of an event."""
    if table in project.entity:
        return project.entity[table].features
    return project.event[table].features


def key_column(project: Project, event: str, entity: str) -> str:
    """The column of an event that holds the key of an entity."""
    declared = project.entity[entity].key if entity in project.entity else None
    return project.event[event].keys.get(entity) or declared or entity
