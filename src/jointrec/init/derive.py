"""Things that have no table of their own: they are what the rows of events last said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from .guess import is_key, leads_to
from .guesses import EntityGuess
from .look import Seen
from .names import ITEM, OUTCOME, PERSON, VALUE, snake, thing_name
from .readings import feature_of
from .schemas import Known

TELLS = 0.8
"""A column tells of a thing where knowing the thing leaves at most 1 − this to guess."""
FEWEST = 20
"""Of fewer rows nothing is judged."""


def derived(
    rest: Sequence[Seen], entities: Sequence[EntityGuess], known: Mapping[str, Known]
) -> list[EntityGuess]:
    """Things that tables with times name and no table holds: who acts, and what it is about.

    Where several tables name them, the one that names the most of them stands for all.
    """
    found: dict[str, EntityGuess] = {}
    for table in rest:
        about = known.get(table.source)
        time = about.roles.get("time") if about else None
        time = time or next((c.name for c in table.columns if c.kind == "time"), None)
        if time is None:
            continue
        for name, column in _named(table, about).items():
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


def _named(table: Seen, known: Known | None) -> dict[str, str]:
    """The columns with keys, by what the things are called: one who acts, one acted on."""
    if known is not None:
        return {role: known.roles[role] for role in ("user", "item") if role in known.roles}
    keys = [column for column in table.columns if is_key(column)]
    people = [column for column in keys if PERSON.search(snake(column.name))]
    items = [c for c in keys if ITEM.search(snake(c.name)) and c not in people]
    return {
        thing_name(column.name, table.name): column.name for column in [*people[:1], *items[:1]]
    }


def _guess(name: str, table: Seen, key: str, time: str, columns: list[str]) -> EntityGuess:
    a_name = f"{'an' if name[:1] in 'aeio' else 'a'} {name}"
    why = (
        f"no table has a row for each `{key}`, so {a_name} is what its last row before the moment "
        "said"
    )
    return EntityGuess(name, table, key, why, time=time, columns=columns)


def _columns_about(
    guess: EntityGuess, others: Sequence[EntityGuess], known: Known | None
) -> list[str]:
    """The columns that hardly change from row to row of one thing: they tell of it."""
    table, key = guess.table, guess.key or ""
    taken = {key, *(known.roles.values() if known else ()), *(other.key for other in others)}
    return [
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


def tells(rows: pl.DataFrame, key: str, column: str) -> float:
    """How much of a column is known once the key is: 0 for nothing, 1 for all.

    Goodman and Kruskal's λ: the share of mistakes that are no longer made when one guesses the most
    frequent value of the key's other rows rather than that of all. Keys of one row say nothing.

    >>> rows = pl.DataFrame({"user": ["a", "b"] * 20, "land": ["x", "y"] * 20, "n": range(40)})
    >>> tells(rows, "user", "land"), round(tells(rows, "user", "n"), 3)
    (1.0, 0.026)
    """
    known = rows.select(pl.col(key).alias("key"), pl.col(column).alias("value")).drop_nulls()
    known = known.filter(pl.len().over("key") > 1)
    if len(known) < FEWEST:
        return 0.0
    guessed = known.group_by("key", "value").len().group_by("key").agg(pl.col("len").max())
    right = int(guessed["len"].sum())
    usual = int(known["value"].value_counts()["count"].max())  # type: ignore[arg-type]
    return (right - usual) / (len(known) - usual) if usual < len(known) else 0.0
