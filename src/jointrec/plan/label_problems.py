"""What is wrong with the label of a task, by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jointrec.config import members
from jointrec.errors import ProjectError, unknown_name
from jointrec.labels import TIMES, Later, microseconds
from jointrec.project import Project
from jointrec.tasks import Task

from .columns import features_of
from .grains import timed


def label_problems(project: Project, name: str, here: str) -> Iterator[str]:
    """What is wrong with a label by itself."""
    task = project.tasks[name]
    if isinstance(task.label, str):
        yield from _column_label_problems(project, task, task.label, here)
        return
    told = list(_later_problems(project, task.label, here))
    yield from told
    if not told and task.label.verb not in task.verbs:
        can = ", ".join(f"`{verb}`" for verb in task.verbs) or "columns only"
        yield (
            f"{here}: {type(task).__name__} does not learn `{task.label.verb}`. It learns: {can}."
            f"{_learners(task.label.verb)}"
        )


def _learners(verb: str) -> str:
    """The kinds of task that learn a verb, as a sentence."""
    able = ", ".join(name for name, kind in kinds().items() if verb in kind.verbs)
    return f" `{verb}` is learned by: {able}." if able else ""


def kinds() -> dict[str, type[Task]]:
    """The kinds of task, by name."""
    return {name: kind for name, kind in members(Task).items() if issubclass(kind, Task)}


def _column_label_problems(project: Project, task: Task, label: str, here: str) -> Iterator[str]:
    table, dot, column = label.partition(".")
    tables = [*project.entity, *project.event]
    if not dot or not column:
        yield f"{here}: `{label}` is not a column. Write `table.column`."
    elif table not in tables:
        yield unknown_name("table", table, tables, at=here)
    elif not task.learns_columns:
        more = ", first = 5" if "steps" in task.verbs else ""
        part = "column" if "steps" in task.verbs else "entity"
        yield (
            f"{here}: {type(task).__name__} learns what comes next. "
            f'Write label = {{ {task.verbs[0]} = "event.{part}", of = "entity"{more} }}.'
        )
    elif table in project.entity and project.entity[table].time is not None:
        yield (
            f"{here}: `{label}` changes with time (entity.{table}.time), so at no moment is it the "
            "answer. Declare the table as an event, and learn a column of that."
        )
    elif column in features_of(project, table):
        yield (
            f"{here}: `{label}` is also a feature, so the answer would be given away. "
            f"Take `{column}` out of the features of `{table}`."
        )


def _later_problems(project: Project, label: Later, here: str) -> Iterator[str]:
    """What is wrong with a label that looks forward; the first thing that bars the others."""
    for key in ("within", "active", "every"):
        yield from duration_problems(f"{here}.{key}", getattr(label, key))
    tables = [*project.entity, *project.event]
    if label.event not in project.event:
        yield unknown_name("event", label.event, project.event, at=here)
    elif not timed(project, label.event):
        yield f"{here}: `{label.event}` has no `time`, so nothing in it is later."
    elif label.of not in tables:
        yield unknown_name("table", label.of, tables, at=f"{here}.of")
    else:
        joined = project.event[label.event].entities
        yield from _spelling_problems(label, joined, here)
        yield from _grain_problems(project, label, joined, here)
        yield from _unless_problems(project, label, f"{here}.unless")


def _unless_problems(project: Project, label: Later, here: str) -> Iterator[str]:
    """Whether the rows that make a label unknown can be told of the rows that are asked."""
    if label.unless is None:
        return
    if label.unless not in project.event:
        yield unknown_name("event", label.unless, project.event, at=here)
        return
    asked = project.event[label.of].entities if label.of in project.event else (label.of,)
    stops = project.event[label.unless].entities
    if not timed(project, label.unless):
        yield f"{here}: `{label.unless}` has no `time`, so nobody knows which windows it bars."
    elif label.verb in ("next", "until", "steps"):
        yield f"{here}: `{label.verb}` has no window that could be unknown. Leave `unless` out."
    elif not set(asked) & set(stops):
        yield (
            f"{here}: a row of `{label.unless}` says nothing of `{label.of}`. It leads to: "
            f"{', '.join(stops)}."
        )


def _spelling_problems(label: Later, joined: Iterable[str], here: str) -> Iterator[str]:
    """What a verb needs and does not have, or has and does not need."""
    if label.first is not None and label.verb != "steps":
        yield f"{here}: `first` is how many `steps` there are. Leave it out of `{label.verb}`."
    if label.verb in ("next", "steps") and label.within is not None:
        yield f"{here}: `{label.verb}` looks forward until something comes. Leave `within` out."
    if label.verb == "steps":
        if label.first is None:
            yield f"{here}: say how many of the next events are asked about: first = 5."
        if label.column is None:
            yield (
                f"{here}: say which yes-or-no column is read of each: "
                f'steps = "{label.event}.COLUMN".'
            )
        return
    if label.verb == "next":
        if label.active is not None and label.every is None:
            yield (
                f"{here}: without `every`, `next` is asked just before each `{label.event}`, "
                'active or not. Leave `active` out, or add every = "7d".'
            )
        if label.column is None:
            yield f'{here}: say which entity comes next: next = "{label.event}.{[*joined][-1]}".'
        elif label.column not in joined:
            yield unknown_name("entity", label.column, joined, at=here)
        return
    if label.within is None:
        yield f'{here}: say how far to look forward: within = "7d".'
    if label.verb == "sum":
        yield from _sum_problems(label, here)
    if label.verb != "sum" and label.column is not None:
        yield (
            f"{here}: `{label.verb}` asks about events, not about a column. Write "
            f'{label.verb} = "{label.event}", or sum = "{label.what}".'
        )


def _sum_problems(label: Later, here: str) -> Iterator[str]:
    """Whether a sum is one of a column, or of the products of two of one event."""
    parts = label.what.split(TIMES)
    if label.column is None:
        yield f'{here}: say which column to sum: sum = "{label.event}.COLUMN".'
    elif len(parts) > 2 or any(part.partition(".")[0] != label.event for part in parts):
        yield (
            f"{here}: `{label.what}` is not what can be summed: a column, or the product of two "
            f'columns of one event, sum = "{label.event}.COLUMN * {label.event}.COLUMN".'
        )
    elif len(label.factors) < len(parts):
        yield f"{here}: `{label.what}` lacks a column. Write `event.column` on both sides of `*`."


def _grain_problems(
    project: Project, label: Later, joined: tuple[str, ...], here: str
) -> Iterator[str]:
    """Whether the rows that are asked lead to the events that answer."""
    if label.of in project.entity:
        if label.of not in joined:
            yield (
                f"{here}.of: a row of `{label.event}` does not lead to `{label.of}`. "
                f"It leads to: {', '.join(joined)}."
            )
        return
    if not timed(project, label.of):
        yield f"{here}.of: `{label.of}` has no `time`, so nothing is later than it."
    if label.every or label.active or label.verb == "next":
        yield (
            f"{here}: `{label.of}` is an event and asked at each of its rows. `next`, `every` and "
            "`active` are for entities."
        )
    if not set(joined) & set(project.event[label.of].entities):
        yield (
            f"{here}.of: a row of `{label.of}` and a row of `{label.event}` have no entity in "
            f"common. `{label.event}` joins: {', '.join(joined)}; "
            f"`{label.of}` joins: {', '.join(project.event[label.of].entities)}."
        )


def duration_problems(at: str, text: str | None) -> list[str]:
    """What is wrong with a duration, if there is one."""
    try:
        if text is not None:
            microseconds(text)
    except ProjectError as error:
        return [f"{at}: {error}"]
    return []
