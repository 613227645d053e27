"""Writes what was guessed as a commented ``shop.toml``: every choice with its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from jointrec.errors import SourceError

from .guess import (
    EntityGuess,
    EventGuess,
    amount_of,
    bought,
    entities_of,
    events_of,
    feature_of,
    funnel_of,
    nested,
)
from .look import Column, look

NESTED = 0.97
"""Two labels are a funnel where this share of the rarer one's yes is a yes of the other too."""


def propose(folder: Path) -> str:
    """The text of a project for the tables of a folder.

    What it is unsure of stands as a comment. Every choice says why.

    :raises SourceError: where the folder holds nothing that a project can be made of.
    """
    entities, rest = entities_of(look(folder))
    events, left = events_of(rest, entities)
    if not entities:
        raise SourceError(
            f"{folder}: no table has a column that never repeats, so nothing can be told apart. "
            "Give one table a key column (user_id, item_id …)."
        )
    lines = [
        "# Written by `jointrec init`. Every choice says why; change what is wrong.",
        "# Then: jointrec check shop.toml --root FOLDER",
    ]
    lines += [f"# Left out: {sentence}" for sentence in left]
    for entity in entities:
        lines += ["", *_entity_lines(entity)]
    for event in events:
        lines += ["", *_event_lines(event)]
    return "\n".join([*lines, "", *_task_lines(entities, events), ""])


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _name(name: str) -> str:
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else _text(name)


def _entity_lines(entity: EntityGuess) -> list[str]:
    lines = [
        f"# {entity.table.source} holds things, one a row: {entity.why}.",
        f"[entity.{_name(entity.name)}]",
        f"source = {_text(entity.table.source)}",
    ]
    if entity.key is not None:
        lines.append(f"key = {_text(entity.key)}")
    if entity.labels:
        lines.append(f"# What is to be learned ({', '.join(entity.labels)}) is no feature.")
    used = {entity.key, *entity.labels}
    columns = [column for column in entity.table.columns if column.name not in used]
    return lines + _feature_lines(columns, entity.table.rows, event=False)


def _event_lines(event: EventGuess) -> list[str]:
    lines = [
        f"# {event.table.source} holds events: {event.why}.",
        f"[event.{_name(event.name)}]",
        f"source = {_text(event.table.source)}",
        f"entities = [{', '.join(_text(name) for name in event.entities)}]",
    ]
    if event.time:
        lines.append(f"time = {_text(event.time)}")
    else:
        lines.append("# No column holds a time, so these events are on no timeline.")
    if event.kind:
        lines.append(f"where = {{ {_name(event.kind[0])} = {_text(event.kind[1])} }}")
    if event.key:
        lines.append(f"key = {_text(event.key)}")
    if event.labels:
        lines.append(
            f"# What came of a row ({', '.join(event.labels)}) is learned, never read as a feature."
        )
        lines.append('# matures = "1d"  # how long after its time those columns are settled')
    columns = [column for column in event.table.columns if column.name not in event.used]
    if event.kind:
        readable = [c.name for c in columns if feature_of(c, event.table.rows)[0] is not None]
        if readable:
            lines.append(f"# These rows are counted. They also hold: {', '.join(readable)}.")
        return lines
    return lines + _feature_lines(columns, event.table.rows, event=True)


def _feature_lines(columns: Sequence[Column], rows: int, *, event: bool) -> list[str]:
    lines = []
    for column in columns:
        feature, why = feature_of(column, rows)
        if feature is None:
            lines.append(f"# {column.name}: left out, {why}.")
        elif event and not _surely_before(column):
            lines.append(
                f"# features.{_name(column.name)} = {feature}  # {why}; uncomment if it is known "
                "at the moment itself"
            )
        else:
            lines.append(f"features.{_name(column.name)} = {feature}  # {why}")
    return lines


def _surely_before(column: Column) -> bool:
    """Whether a column of an event is safe to read: rarely missing, neither a time nor money."""
    return column.missing < 0.5 and column.kind in ("text", "flag")


def _task_lines(entities: Sequence[EntityGuess], events: Sequence[EventGuess]) -> list[str]:
    lines = ["[tasks]"]
    lines += [
        f'{_name(label)} = {{ kind = "Binary", label = {_text(f"{entity.name}.{label}")} }}'
        "  # yes or no"
        for entity in entities
        for label in entity.labels
    ]
    for event in events:
        lines += _column_tasks(event)
    lines += _later_tasks(events)
    if len(lines) == 1:
        lines += [
            "# No label was recognised. Name what you want to know, for example:",
            f'# answer = {{ kind = "Binary", label = "{entities[0].name}.COLUMN" }}',
        ]
    return lines


def _column_tasks(event: EventGuess) -> list[str]:
    lines: list[str] = []
    before: str | None = None
    for label in funnel_of(event):
        line = f'{_name(label)} = {{ kind = "Binary", label = "{event.name}.{label}"'
        if before is not None and nested(event, label, before) >= NESTED:
            line += f', after = "{before}" }}  # hardly ever yes without {before}'
        else:
            line += " }  # yes or no"
        lines.append(line)
        before = label
    for label in event.labels:
        if label not in funnel_of(event):
            line = f'{_name(label)} = {{ kind = "Amount", label = "{event.name}.{label}"'
            after = f', after = "{before}"' if before and _only_with(event, label, before) else ""
            lines.append(f"{line}{after} }}  # an amount, mostly nothing")
    return lines


def _only_with(event: EventGuess, amount: str, flag: str) -> bool:
    """Whether an amount is above 0 only where a label is yes."""
    column, yes = event.table.column(amount), event.table.column(flag)
    if column.missing or yes.missing:
        return False
    truth = yes.values.cast(pl.String).str.to_lowercase().is_in(["1", "true", "yes", "y", "t"])
    return bool((column.values.filter(~truth) == 0).mean() or 0.0)


def _later_tasks(events: Sequence[EventGuess]) -> list[str]:
    event = bought(events)
    if event is None:
        return ["# No event looks like a purchase, so nothing is asked about what happens later."]
    days = _days(event)
    window, who, what = _window(days), next(iter(event.entities)), list(event.entities)[-1]
    value, quantity = amount_of(event)
    lines = [
        f"# `{event.name}` looks like a purchase. The data span {days:.0f} days, so windows are "
        f"{window}.",
        _later("churn", "Binary", f'no = "{event.name}", of = "{who}", within = "{window}"'),
    ]
    if value:
        summed = f'sum = "{event.name}.{value}"'
        lines.append(_later("spend", "Amount", f'{summed}, of = "{who}", within = "{window}"'))
    if who != what:
        summed = f'sum = "{event.name}.{quantity}"' if quantity else f'count = "{event.name}"'
        following = f'next = "{event.name}.{what}", of = "{who}"'
        lines += [
            _later("sales", "Count", f'{summed}, of = "{what}", within = "7d"'),
            _later(f"next_{what}", "Retrieval", following),
        ]
    return lines if days >= 21 else ["# The data span too few days to look ahead.", *_off(lines)]


def _later(name: str, kind: str, label: str) -> str:
    """The line of a task whose label looks forward."""
    return f'{name} = {{ kind = "{kind}", label = {{ {label} }} }}'


def _off(lines: Sequence[str]) -> list[str]:
    return [line if line.startswith("#") else f"# {line}" for line in lines]


def _window(days: float) -> str:
    return "30d" if days >= 150 else "14d" if days >= 75 else "7d"


def _days(event: EventGuess) -> float:
    times = event.table.column(event.time or "").values
    if times.dtype == pl.String:
        times = times.str.to_datetime(strict=False, time_zone="UTC")
    low, high = times.min(), times.max()
    if isinstance(low, datetime) and isinstance(high, datetime):
        return (high - low).total_seconds() / 86_400
    return 0.0
