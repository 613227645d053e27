"""Writes what was guessed as a commented ``shop.toml``: every choice with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jointrec.errors import SourceError
from jointrec.sources import is_database

from .beforehand import known_beforehand, outcomes_in
from .columns import Column
from .derive import derived
from .guess import entities_of, events_of
from .guesses import EntityGuess, EventGuess
from .look import Seen, look, quoted
from .names import TOGETHER, snake
from .plans import mark_plans
from .readings import feature_of
from .schemas import recognise
from .spelling import commented, name, text
from .tasks import history_of, returns_of, split_line, task_lines
from .telling import tells


def propose(place: Path | str) -> str:
    """The text of a project for the tables of a folder or a database.

    What it is unsure of stands as a comment. Every choice says why.

    :param place: The folder, or the URL of the database.
    :raises SourceError: where there is nothing that a project can be made of.
    """
    tables, unread = look(place)
    known = recognise(tables)
    entities, rest = entities_of(tables, known)
    entities = [*entities, *derived(rest, entities, known)]
    events, left = events_of(rest, entities, known)
    if not entities:
        raise SourceError(
            f"{'init' if is_database(place) else place}: no table has a column that never repeats, "
            "so nothing can be told apart. Give one table a key column (user_id, item_id …)."
        )
    for event in events:
        event.about = _about(event, entities)
        event.labels = [label for label in event.labels if label not in event.about]
    mark_plans(events)
    keys = {entity.name: entity.key for entity in entities}
    lines = [
        "# Written by `jointrec init`. Every choice says why; change what is wrong.",
        f"# Then: jointrec check shop.toml{'' if is_database(place) else ' --root FOLDER'}",
    ]
    schemas = sorted({found.schema for found in known.values()})
    lines += [f"# The names of the columns are those of {schema}." for schema in schemas]
    nested = [_unread_line(table) for table in tables if table.unread]
    lines += [f"# Left out: {sentence}" for sentence in [*unread, *left, *nested]]
    lines += [*_zone_lines(tables), *split_line(events), *history_of(events)]
    for entity in entities:
        lines += ["", *_entity_lines(entity)]
    for event in events:
        lines += ["", *_event_lines(event, keys)]
    return "\n".join([*lines, "", *task_lines(entities, events), ""])


def _about(event: EventGuess, entities: Sequence[EntityGuess]) -> list[str]:
    """The columns of an event's table that tell of things without a table of their own."""
    here = [entity for entity in entities if entity.table is event.table]
    return [column for entity in here for column in entity.columns or ()]


def _unread_line(table: Seen) -> str:
    """What is not even looked at: it may hold all that matters, such as who acted."""
    verb = "holds" if len(table.unread) == 1 else "hold"
    return (
        f"{quoted(table.unread)} of {table.called} {verb} records or bytes. Write each value that "
        "matters, such as the key of a user, into a column of its own."
    )


def _zone_lines(tables: Sequence[Seen]) -> list[str]:
    """Where the clocks hang, if some time does not say so."""
    vague = next((f"`{t.name}.{c}`" for t in tables for c in t.clocks), None)
    if vague is None:
        return []
    return [
        f'# time_zone = "Europe/London"  # times without a zone, such as {vague}, are read as UTC; '
        "uncomment if they are not"
    ]


def _entity_lines(entity: EntityGuess) -> list[str]:
    holds = "holds things, one a row" if entity.columns is None else "names things"
    lines = [
        f"# {entity.table.called} {holds}: {entity.why}.",
        f"[entity.{name(entity.name)}]",
        f"source = {text(entity.table.source)}",
    ]
    if entity.key is not None:
        lines.append(f"key = {text(entity.key)}")
    if entity.time is not None:
        lines.append(f"time = {text(entity.time)}")
    if entity.labels:
        lines.append(f"# What is to be learned ({', '.join(entity.labels)}) is no feature.")
    words = {entity.key} & set(entity.columns or ())
    used = {entity.key, *entity.labels} - words
    columns = [
        column
        for column in entity.table.columns
        if column.name not in used and (entity.columns is None or column.name in entity.columns)
    ]
    return lines + _feature_lines(columns, entity.table.rows)


def _event_lines(event: EventGuess, keys: Mapping[str, str | None]) -> list[str]:
    lines = [
        f"[event.{name(event.name)}]",
        f"source = {text(event.table.source)}",
        f"entities = [{', '.join(text(entity) for entity in event.entities)}]",
    ]
    other = {entity: c for entity, c in event.entities.items() if c != keys[entity]}
    if other:
        spelled = ", ".join(f"{name(entity)} = {text(c)}" for entity, c in other.items())
        lines.append(f"keys = {{ {spelled} }}")
    if event.time:
        lines.append(f"time = {text(event.time)}")
    else:
        lines.append("# No column holds a time, so these events are on no timeline.")
    if event.kind:
        column, values = event.kind
        told = ", ".join(text(value) for value in values)
        told = told if len(values) == 1 else f"[{told}]"
        lines.append(f"where = {{ {name(column)} = {told} }}")
    if event.ahead:
        lines.append(
            f'ahead = "{event.ahead}"  # its times go on after all that happened: a plan, known so '
            "long before it comes; say less if it is not"
        )
    if event.key:
        lines.append(f"key = {text(event.key)}")
    returns = returns_of(event)
    if returns:
        column, share = returns
        lines.append(f"returns = {text(column)}  # {share:.1%} are below 0: given back, not bought")
    together = list_of(event)
    if together:
        lines.append(f"list = {text(together)}  # rows that were shown together share it")
    if event.labels:
        lines.append(
            f"# What came of a row ({', '.join(event.labels)}) is learned, never read as a feature."
        )
        if event.time:
            lines.append('# matures = "1d"  # how long after its time those columns are settled')
    used = event.used | {together}
    columns = [column for column in event.table.columns if column.name not in used]
    if event.kind or event.ahead:
        readable = [c.name for c in columns if feature_of(c, event.table.rows)[0] is not None]
        if readable:
            lines.append(f"# These rows are counted. They also hold: {', '.join(readable)}.")
    else:
        lines += _event_feature_lines(columns, event)
    why = f"# {event.table.called} holds events: {event.why}."
    if event.unsure is None:
        return [why, *lines]
    return [why, f"# Left out: {event.unsure}.", *commented(lines)]


def list_of(event: EventGuess) -> str | None:
    """The column that says which rows of an event were shown together, if one fits.

    Its values come several times, and each belongs to one who acts.
    """
    if not event.labels and event.stage != "shown":
        return None
    who = next(iter(event.entities.values()))
    named = [event.roles.get("list")]
    named += [c.name for c in event.table.columns if TOGETHER.search(snake(c.name))]
    for column in [event.table.column(c) for c in named if c]:
        several = column.distinct < 0.8 * (1 - column.missing) * len(event.table.sample)
        fits = several and column.kind in ("text", "number") and column.missing < 0.5
        if fits and column.name != who and tells(event.table.sample, column.name, who) > 0.95:
            return column.name
    return None


def _feature_lines(columns: Sequence[Column], rows: int) -> list[str]:
    lines = []
    for column in columns:
        feature, why = feature_of(column, rows)
        if feature is None:
            lines.append(f"# {column.name}: left out, {why}.")
        else:
            lines.append(f"features.{name(column.name)} = {feature}  # {why}")
    return lines


def _event_feature_lines(columns: Sequence[Column], event: EventGuess) -> list[str]:
    """The same of an event; what may not be known at the moment itself is commented out."""
    lines, outcomes = [], outcomes_in(event.table, event.labels)
    for column in columns:
        (line,) = _feature_lines([column], event.table.rows)
        if line.startswith("#"):
            lines.append(line)
        elif not known_beforehand(column, event.table, outcomes):
            lines.append(f"# {line}; uncomment if it is known at the moment itself")
        elif column.kind == "number":
            lines.append(f"{line}; take it out if it is only known afterwards")
        else:
            lines.append(line)
    return lines
