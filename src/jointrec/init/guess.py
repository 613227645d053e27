"""Decides which tables hold things and which hold events, and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from .columns import Column
from .guesses import EntityGuess, EventGuess, of_kind, of_orders
from .kinds import asked_of
from .look import Seen, overlap, quoted
from .names import ID, ITEM, PERSON, PLAN, QUERY, TYPE, apart, snake, thing_name
from .outcomes import labels_of, outcomes_of
from .schemas import Known, order_of, stage_of

MOST_KINDS = 12
"""A column with more values than this does not tell kinds of events apart, if nobody knows it."""
MERE_KEYS = ("id", "key", "code", "no", "number", "uuid")
"""Keys that do not say of what."""
NAMES = 0.05
"""Events of a kind name an entity where at least this share of their rows does."""


def entities_of(
    tables: Sequence[Seen], known: Mapping[str, Known]
) -> tuple[list[EntityGuess], list[Seen]]:
    """The tables that hold things, and the others.

    A table holds things where its schema says so, where a column that never repeats is named again
    in another table, or where no column of it leads to another table at all.

    :param known: The tables that were recognised, by source.
    """
    guesses: list[EntityGuess] = []
    for table in tables:
        about = known.get(table.source)
        if about is not None:
            if about.holds != "event":
                key = about.roles["key"]
                why = f"`{key}` and its other columns are those of {about.schema}"
                guesses.append(EntityGuess(about.holds, table, key, why))
            continue
        keys = [c for c in table.columns if c.unique and c.kind in ("text", "number", "flag")]
        named = [c for c in keys if referrers(c, table, tables)]
        if named:
            column = max(named, key=lambda c: len(referrers(c, table, tables)))
            others = quoted([other.name for other, _ in referrers(column, table, tables)])
            why = f"`{column.name}` never repeats here and is named in {others}"
            name = thing_name(column.name, table.name)
            guesses.append(EntityGuess(name, table, column.name, why))
    chosen = {guess.table.source for guess in guesses}
    rest = [table for table in tables if table.source not in chosen]
    for table in [table for table in rest if table.source not in known]:
        if any(leads_to(table, guess) for guess in guesses):
            continue
        own = own_key(table)
        if own is not None and not _many_keys(table, own):
            why = f"`{own}` never repeats, and no column leads to another table"
            guesses.append(EntityGuess(thing_name(own, table.name), table, own, why))
            rest.remove(table)
        elif len(tables) == 1 and not _many_keys(table, own):
            why = "it is the only table, and no column never repeats, so each row is one"
            guesses.append(EntityGuess(table.name, table, None, why))
            rest.remove(table)
    for place, guess in enumerate(guesses):
        before = {other.name for other in guesses[:place]}
        if guess.name in before:
            guess.name = apart(guess.table.name, before)
    if not rest and len(guesses) == 1:
        guesses[0].labels = outcomes_of(guesses[0].table, guesses[0].key)
    return guesses, rest


def _many_keys(table: Seen, own: str | None) -> bool:
    """Whether the rows of a table join things that come again.

    They are at times, of somebody, or plans of things; or they judge one thing for another.
    """
    keys = [snake(column.name) for column in table.columns if is_key(column) and column.name != own]
    people = any(PERSON.search(name) for name in keys)
    items = any(ITEM.search(name) for name in keys)
    if any(column.kind == "time" for column in table.columns):
        return people or (items and PLAN.search(snake(table.name)) is not None)
    queries = any(QUERY.search(name) for name in keys)
    return items and (people or queries) and any(asked_of(column) for column in table.columns)


def is_key(column: Column) -> bool:
    """Whether a column looks like the keys of things that come again and again."""
    name = snake(column.name)
    things = ("user", "item", "customer", "product", "visitor")
    named = ID.search(name) or QUERY.search(name) or name in things
    return bool(
        named
        and column.kind in ("text", "number")
        and not column.unique
        and column.distinct > 1
        and (PERSON.search(name) or ITEM.search(name) or QUERY.search(name))
    )


def own_key(table: Seen) -> str | None:
    """The column that tells the rows of a table apart, if one looks like it."""
    return next((c.name for c in table.columns if c.unique and ID.search(snake(c.name))), None)


def referrers(column: Column, table: Seen, tables: Sequence[Seen]) -> list[tuple[Seen, Column]]:
    """The other tables in which a column of a like name repeats and holds the same keys."""
    return [
        (other, there)
        for other in tables
        if other is not table
        for there in other.columns
        if _same_name(column.name, table, there.name)
        and not there.unique
        and there.kind in ("text", "number", "flag")
        and overlap(there.values.head(5_000), column.values) > 0.3
    ][: len(tables)]


def _same_name(key: str, table: Seen, other: str) -> bool:
    """Whether a column of another table is named after a key: ``user_id``, or ``id`` of users."""
    if snake(key) not in MERE_KEYS:
        return snake(key) == snake(other)
    return snake(other) not in MERE_KEYS and thing_name(other, "") == table.name


def leads_to(table: Seen, entity: EntityGuess) -> str | None:
    """The column of a table that holds the keys of an entity, if there is one."""
    if entity.key is None:
        return None
    if entity.table is table:
        return entity.key
    like = [name for name in table.names if _same_name(entity.key, entity.table, name)]
    return entity.key if entity.key in like else next(iter(like), None)


def events_of(
    rest: Sequence[Seen], entities: Sequence[EntityGuess], known: Mapping[str, Known]
) -> tuple[list[EventGuess], list[str]]:
    """The tables whose rows join things, and a sentence about each table that is left out.

    Where a table holds several kinds of events each is one, in the order in which shoppers come to
    them.
    """
    events: list[EventGuess] = []
    left = []
    for table in sorted(rest, key=lambda table: -len(_joined(table, entities, known))):
        joined = _joined(table, entities, known)
        if not joined:
            left.append(
                f"{table.called}: no column leads to another table, and none never repeats."
            )
            continue
        roles = known[table.source].roles if table.source in known else {}
        ordered = dict(sorted(joined.items(), key=lambda item: _acts(item[0], item[1], table)))
        time = roles.get("time") or _first_time(table)
        kind = roles.get("kind") or _kind_column(table)
        if kind is None:
            verb = "names" if len(ordered) == 1 else "name"
            why = f"{quoted(list(ordered.values()))} {verb} things of other tables"
            if any(entity.table is table for entity in entities):
                why = f"{quoted(list(ordered.values()))} {verb} things that come again and again"
            key = own_key(table)
            taken = {event.name for event in events} | {entity.name for entity in entities}
            orders = of_orders(table) and stage_of(table.name) is None and "purchase" not in taken
            name = "purchase" if orders else table.name
            if name in taken:
                name = apart(f"{name}_row", taken)
            guess = EventGuess(name, table, ordered, time, key, None, why, roles=roles)
            guess.labels = labels_of(table, guess.used, list(ordered.values()))
            events.append(guess)
        else:
            taken = {event.name for event in events} | {guess.name for guess in entities}
            events += _kinds(table, kind, ordered, time, roles, taken, table.source in known)
    return events, left


def _joined(
    table: Seen, entities: Sequence[EntityGuess], known: Mapping[str, Known]
) -> dict[str, str]:
    """For each entity that the rows of a table name, the column with its key."""
    roles = known[table.source].roles if table.source in known else {}
    found = {guess.name: roles.get(guess.name) or leads_to(table, guess) for guess in entities}
    return {name: column for name, column in found.items() if column}


def _kinds(
    table: Seen,
    kind: str,
    ordered: Mapping[str, str],
    time: str | None,
    roles: Mapping[str, str],
    taken: set[str],
    recognised: bool,
) -> list[EventGuess]:
    """One event for each kind of rows, in the order in which shoppers come to them."""
    named = _spellings(table.sample[kind].cast(pl.String))
    events = []
    for values in sorted(named, key=lambda values: (order_of(values[0]), values[0])):
        value = values[0]
        rows = of_kind(table, kind, values)
        own = {name: c for name, c in ordered.items() if rows[c].is_not_null().mean() >= NAMES}  # type: ignore[operator]
        name = snake(value) or "other"
        unsure = None
        if name in taken:
            unsure = f"`{name}` is in another table too; if these are others, uncomment them"
            name = apart(f"{table.name}_{name}", taken)
        elif stage_of(value) is None and (recognised or len(named) > 2):
            unsure = "the name says nothing of a shop; uncomment it if it tells of the future"
        if not own:
            unsure = "hardly any of these rows names a thing"
        why = f"its rows are of several kinds, and these say {' or '.join(values)} in `{kind}`"
        events.append(
            EventGuess(
                name,
                table,
                own or dict(ordered),
                time,
                None,
                (kind, values),
                why,
                [],
                unsure,
                roles,
            )
        )
    return events


def _spellings(values: pl.Series) -> list[tuple[str, ...]]:
    """The values that are one name, however it is spelled: the most frequent spelling first.

    >>> _spellings(pl.Series(["view", "View", "view", "AddToCart", "add to cart", "AddToCart"]))
    [('AddToCart', 'add to cart'), ('view', 'View')]
    """
    counted = (
        values.drop_nulls()
        .value_counts(name="@n")
        .sort("@n", values.name, descending=[True, False])
    )
    found: dict[str, list[str]] = {}
    for value in counted[values.name].to_list():
        found.setdefault((snake(value) or "other").replace("_", ""), []).append(value)
    return sorted(map(tuple, found.values()))


def _acts(entity: str, column: str, table: Seen) -> tuple[int, int]:
    """People first: they act. Then what they ask, and then in the order of the table's columns."""
    acts = 0 if PERSON.search(entity) else 1 if QUERY.search(entity) else 2
    return (acts, table.names.index(column))


def _first_time(table: Seen) -> str | None:
    times = [c.name for c in table.columns if c.kind == "time"]
    plain = [
        name for name in times if snake(name) in ("time", "timestamp", "date", "datetime", "ts")
    ]
    return next(iter([*plain, *times]), None)


def _kind_column(table: Seen) -> str | None:
    for column in table.columns:
        few = 2 <= column.distinct <= MOST_KINDS
        named = TYPE.search(snake(column.name))
        if column.kind == "text" and few and named and not column.missing:
            return column.name
    return None
