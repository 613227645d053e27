"""Decides what each table and column is, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from .look import Column, Seen, overlap, quoted

_ID_NAME = re.compile(r"(^|_)(id|key|code|sku|uuid|guid|no|number)$|(id)$", re.IGNORECASE)
_TYPE_NAME = re.compile(r"(^|_)(type|event|action|behavio[u]?r|kind)(_|$)", re.IGNORECASE)
_VALUE_NAME = re.compile(r"revenue|amount|value|total|spend|gmv|sales", re.IGNORECASE)
_QUANTITY_NAME = re.compile(r"quantity|qty|units|count", re.IGNORECASE)
_OUTCOME_NAME = re.compile(
    r"label|target|outcome|churn|left|loyal|clicked|bought|purchased|converted|returned|default"
    r"|response|subscribed",
    re.IGNORECASE,
)
_BOUGHT = re.compile(r"purchase|order|buy|bought|transaction|invoice|sale", re.IGNORECASE)
_PERSON = re.compile(r"user|customer|member|visitor|client|buyer|person", re.IGNORECASE)
_MOST_KINDS = 12


@dataclass
class EntityGuess:
    """A table that holds things, one row each."""

    name: str
    table: Seen
    key: str | None
    why: str
    labels: list[str] = field(default_factory=list)


@dataclass
class EventGuess:
    """A table whose rows join things."""

    name: str
    table: Seen
    entities: dict[str, str]
    time: str | None
    key: str | None
    kind: tuple[str, str] | None
    why: str
    labels: list[str] = field(default_factory=list)

    @property
    def used(self) -> set[str]:
        """The columns that already mean something."""
        own = {self.time, self.key, *self.entities.values()} | (
            {self.kind[0]} if self.kind else set()
        )
        return {name for name in own if name} | set(self.labels)


def entities_of(tables: Sequence[Seen]) -> tuple[list[EntityGuess], list[Seen]]:
    """The tables that hold things, and the others.

    A table holds things where a column that never repeats is named again in another table, or
    where no column of it leads to another table at all.
    """
    guesses: list[EntityGuess] = []
    for table in tables:
        keys = [c for c in table.columns if c.unique and c.kind in ("text", "number", "flag")]
        named = [c for c in keys if _referrers(c, table, tables)]
        if named:
            key = max(named, key=lambda c: len(_referrers(c, table, tables)))
            others = quoted([other.name for other in _referrers(key, table, tables)])
            why = f"`{key.name}` never repeats here and is named in {others}"
            guesses.append(EntityGuess(thing_name(key.name, table.name), table, key.name, why))
    chosen = {id(guess.table) for guess in guesses}
    rest = [table for table in tables if id(table) not in chosen]
    for table in list(rest):
        if any(guess.key in table.names for guess in guesses):
            continue
        own = _own_key(table)
        if own is not None:
            why = f"`{own}` never repeats, and no column leads to another table"
            guesses.append(EntityGuess(thing_name(own, table.name), table, own, why))
            rest.remove(table)
        elif len(tables) == 1:
            why = "it is the only table, and no column never repeats, so each row is one"
            guesses.append(EntityGuess(table.name, table, None, why))
            rest.remove(table)
    if not rest and len(guesses) == 1:
        guesses[0].labels = _outcomes(guesses[0])
    return guesses, rest


def _own_key(table: Seen) -> str | None:
    """The column that tells the rows of a table apart, if one looks like it."""
    return next((c.name for c in table.columns if c.unique and _ID_NAME.search(c.name)), None)


def _outcomes(entity: EntityGuess) -> list[str]:
    """Of a single table the columns that one may want to predict: outcomes, else the last flag."""
    flags = [c.name for c in entity.table.columns if c.kind == "flag" and c.distinct == 2]
    return [name for name in flags if _OUTCOME_NAME.search(name)] or flags[-1:]


def thing_name(key: str, table: str) -> str:
    """What to call a thing: by its key, else by its table.

    >>> thing_name("user_id", "customers"), thing_name("id", "store")
    ('user', 'store')
    """
    name = re.sub(r"_?(id|key|code|name|sku|uuid|no|number)$", "", key.lower()).strip("_")
    return name if len(name) > 1 else table


def _referrers(column: Column, table: Seen, tables: Sequence[Seen]) -> list[Seen]:
    """The other tables in which a column of the same name repeats and holds the same keys."""
    return [
        other
        for other in tables
        if other is not table
        and column.name in other.names
        and not other.column(column.name).unique
        and overlap(other.column(column.name).values.head(5_000), column.values) > 0.3
    ]


def events_of(
    rest: Sequence[Seen], entities: Sequence[EntityGuess]
) -> tuple[list[EventGuess], list[str]]:
    """The tables whose rows join things, and a sentence about each table that is left out."""
    events, left = [], []
    for table in rest:
        joined = {g.name: g.key for g in entities if g.key is not None and g.key in table.names}
        if not joined:
            left.append(
                f"{table.source}: no column leads to another table, and none never repeats."
            )
            continue
        ordered = dict(sorted(joined.items(), key=lambda item: _acts(item[0], table)))
        times = [c.name for c in table.columns if c.kind == "time"]
        kind = _kind_column(table)
        verb = "names" if len(ordered) == 1 else "name"
        why = f"{quoted(list(ordered.values()))} {verb} things of other tables"
        if kind is None:
            key = _own_key(table)
            guess = EventGuess(table.name, table, ordered, _first_time(times), key, None, why)
            guess.labels = labels_of(guess)
            events.append(guess)
            continue
        kinds = (
            table.column(kind).values.value_counts().sort("count", kind, descending=[True, False])
        )
        for value in kinds[kind].to_list():
            name = re.sub(r"[^0-9a-z]+", "_", value.lower()).strip("_") or "other"
            taken = {event.name for event in events} | {guess.name for guess in entities}
            name = name if name not in taken else f"{table.name}_{name}"
            reason = f"its rows are of several kinds, and these say {value} in `{kind}`"
            events.append(
                EventGuess(name, table, ordered, _first_time(times), None, (kind, value), reason)
            )
    return events, left


def _acts(entity: str, table: Seen) -> tuple[int, int]:
    """People first: they act. Then in the order of the table's columns."""
    return (0 if _PERSON.search(entity) else 1, table.names.index(_key_in(entity, table)))


def _key_in(entity: str, table: Seen) -> str:
    return next((n for n in table.names if thing_name(n, "") == entity), table.names[0])


def _first_time(times: Sequence[str]) -> str | None:
    plain = [
        name for name in times if name.lower() in ("time", "timestamp", "date", "datetime", "ts")
    ]
    return next(iter([*plain, *times]), None)


def _kind_column(table: Seen) -> str | None:
    for column in table.columns:
        few = 2 <= column.distinct <= _MOST_KINDS
        if column.kind == "text" and few and _TYPE_NAME.search(column.name) and not column.missing:
            return column.name
    return None


def labels_of(event: EventGuess) -> list[str]:
    """The columns that say what came of a row: yes or no, and amounts that only a yes has."""
    flags = [
        c for c in event.table.columns
        if c.kind == "flag" and c.name not in event.used and c.distinct == 2
    ]  # fmt: skip
    labels = [c.name for c in flags]
    amounts = [c for c in event.table.columns if c.kind == "number" and c.name not in event.used]
    if flags:
        labels += [c.name for c in amounts if _VALUE_NAME.search(c.name) and _mostly_nothing(c)]
    return labels


def _mostly_nothing(column: Column) -> bool:
    share = column.values.fill_null(0.0).ne(0.0).mean()
    return column.missing > 0.5 or (isinstance(share, float) and share < 0.5)


def funnel_of(event: EventGuess) -> list[str]:
    """The yes-or-no labels, the most frequent first: the order in which a funnel goes."""
    flags = [name for name in event.labels if event.table.column(name).kind == "flag"]
    return sorted(flags, key=lambda name: -_yes(event.table.column(name)))


def nested(event: EventGuess, inner: str, outer: str) -> float:
    """The share of rows with ``inner`` that have ``outer`` too; 0 where it cannot be told."""
    first, second = event.table.column(inner), event.table.column(outer)
    if first.missing or second.missing:
        return 0.0
    yes = _truth(first)
    both = (yes & _truth(second)).sum()
    return float(both) / max(int(yes.sum()), 1)


def _truth(column: Column) -> pl.Series:
    return (
        column.values.cast(pl.String)
        .str.to_lowercase()
        .is_in(["1", "true", "yes", "y", "t", "1.0"])
    )


def _yes(column: Column) -> int:
    return int(_truth(column).sum())


def feature_of(column: Column, rows: int) -> tuple[str | None, str]:
    """The feature that reads a column, as the file spells it, and why; None leaves it out."""
    if column.missing > 0.98:
        return None, "almost always missing"
    if column.kind == "time":
        return '"Time"', "a time"
    if column.kind == "list":
        return '"Set"', "a list of values"
    if column.distinct <= 1:
        return None, "always the same"
    if column.kind == "number" and re.search(r"(^|_)id$", column.name, re.IGNORECASE):
        return None, "looks like an id, which says nothing about what it names"
    if column.kind == "number":
        low = column.values.min()
        if column.skew > 1.5 and isinstance(low, int | float) and low >= 0:
            return '{ kind = "Number", scale = "log" }', "a number with a long tail"
        return '"Number"', "a number"
    if column.kind == "flag":
        return '"Category"', "yes or no"
    if column.words >= 2.0 and column.distinct > min(50, 0.5 * rows):
        return '"Text"', f"text of about {column.words:.0f} words"
    if column.unique or column.distinct > 0.9 * rows or _ID_NAME.search(column.name):
        return None, "looks like an id, which says nothing about what it names"
    return '"Category"', f"{column.distinct:,} different values"


def bought(events: Sequence[EventGuess]) -> EventGuess | None:
    """The event that is a purchase, if one looks like it."""
    return next((e for e in events if _BOUGHT.search(e.name) and e.time), None)


def amount_of(event: EventGuess) -> tuple[str | None, str | None]:
    """The columns of an event that hold money and pieces."""
    numbers = [c for c in event.table.columns if c.kind == "number" and c.missing < 1]
    value = next((c.name for c in numbers if _VALUE_NAME.search(c.name)), None)
    return value, next((c.name for c in numbers if _QUANTITY_NAME.search(c.name)), None)
