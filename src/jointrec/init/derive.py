"""Things that have no table of their own: they are what the rows of events last said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .guess import is_key, leads_to
from .guesses import EntityGuess
from .look import Seen
from .names import ITEM, OUTCOME, PERSON, QUERY, VALUE, snake, thing_name
from .readings import feature_of
from .schemas import Known
from .telling import TELLS, tells


def derived(
    rest: Sequence[Seen], entities: Sequence[EntityGuess], known: Mapping[str, Known]
) -> list[EntityGuess]:
    """Things that tables of events name and no table holds: who acts, and what it is about.

    Where several tables name them, the one that names the most of them stands for all.
    """
    found: dict[str, EntityGuess] = {}
    for table in rest:
        about = known.get(table.source)
        time = about.roles.get("time") if about else None
        time = time or next((c.name for c in table.columns if c.kind == "time"), None)
        for name, column in _named(table, about, timed=time is not None).items():
            if any(leads_to(table, e) == column or e.name == name for e in entities):
                continue
            before = found.get(name)
            if before is None or _distinct(before) < table.column(column).distinct:
                found[name] = _guess(name, table, column, time, [])
    for guess in found.values():
        others = [g for g in found.values() if g.table is guess.table and g is not guess]
        guess.columns = _columns_about(guess, others, known.get(guess.table.source))
    return list(found.values())


def _distinct(guess: EntityGuess) -> int:
    return guess.table.column(guess.key or "").distinct


def _named(table: Seen, known: Known | None, *, timed: bool) -> dict[str, str]:
    """The columns with keys, by what the things are called: one who acts, one acted on.

    Of rows without a time a query may act too: it was judged what answers it.
    """
    if known is not None:
        return {role: known.roles[role] for role in ("user", "item") if role in known.roles}
    keys = [column for column in table.columns if is_key(column)]
    people = [column for column in keys if PERSON.search(snake(column.name))]
    items = [c for c in keys if ITEM.search(snake(c.name)) and c not in people]
    asked = [c for c in keys if QUERY.search(snake(c.name))] if not timed else []
    if not timed and not (items and (people or asked)):
        return {}
    found = {thing_name(c.name, table.name): c.name for c in [*people[:1], *items[:1]]}
    return {"query": asked[0].name, **found} if asked else found


def _guess(name: str, table: Seen, key: str, time: str | None, columns: list[str]) -> EntityGuess:
    a_name = f"{'an' if name[:1] in 'aeio' else 'a'} {name}"
    said = "its rows say" if time is None else "its last row before the moment said"
    why = f"no table has a row for each `{key}`, so {a_name} is what {said}"
    return EntityGuess(name, table, key, why, time=time, columns=columns)


def _columns_about(
    guess: EntityGuess, others: Sequence[EntityGuess], known: Known | None
) -> list[str]:
    """The columns that hardly change from row to row of one thing: they tell of it."""
    table, key = guess.table, guess.key or ""
    taken = {key, *(known.roles.values() if known else ()), *(other.key for other in others)}
    words = feature_of(table.column(key), table.rows)[0] == '"Text"'
    return [key] * words + [
        column.name
        for column in table.columns
        if column.name not in taken
        and column.kind in ("text", "number", "flag")
        and not column.unique
        and not OUTCOME.search(snake(column.name))
        and not VALUE.search(snake(column.name))
        and feature_of(column, table.rows)[0] is not None
        and (told := tells(table.sample, key, column.name)) >= TELLS
        and all(told >= tells(table.sample, other.key or "", column.name) for other in others)
    ]
