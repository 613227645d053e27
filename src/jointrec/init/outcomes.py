"""Which columns of an event say what came of its rows, and how they follow from each other."""

from __future__ import annotations

import polars as pl

from .guesses import EventGuess
from .look import Column
from .names import VALUE, numbered, snake


def labels_of(event: EventGuess) -> list[str]:
    """The columns that say what came of a row: yes or no, and amounts that only a yes has.

    One of a numbered row of columns (``affinity_1``, ``affinity_2`` …) is not: it measures.
    """
    measured = {name for own in numbered(event.table.names).values() for name in own}
    flags = [
        c for c in event.table.columns
        if c.kind == "flag" and c.name not in event.used | measured and c.distinct == 2
    ]  # fmt: skip
    labels = [c.name for c in flags]
    amounts = [c for c in event.table.columns if c.kind == "number" and c.name not in event.used]
    if flags:
        labels += [c.name for c in amounts if VALUE.search(snake(c.name)) and _mostly_nothing(c)]
    return labels


def _mostly_nothing(column: Column) -> bool:
    share = column.values.fill_null(0.0).ne(0.0).mean()
    return column.missing > 0.5 or (isinstance(share, float) and share < 0.5)


def funnel_of(event: EventGuess) -> list[str]:
    """The yes-or-no labels, the most frequent first: the order in which a funnel goes."""
    flags = [name for name in event.labels if event.table.column(name).kind == "flag"]
    return sorted(flags, key=lambda name: -int(_truth(event.table.column(name)).sum()))


def nested(event: EventGuess, inner: str, outer: str) -> float:
    """The share of rows with ``inner`` that have ``outer`` too; 0 where it cannot be told."""
    first, second = event.table.column(inner), event.table.column(outer)
    if first.missing or second.missing:
        return 0.0
    yes = _truth(first)
    both = (yes & _truth(second)).sum()
    return float(both) / max(int(yes.sum()), 1)


def only_with(event: EventGuess, amount: str, flag: str) -> bool:
    """Whether an amount is above 0 only where a label is yes."""
    column, yes = event.table.column(amount), event.table.column(flag)
    if column.missing or yes.missing:
        return False
    return bool((column.values.filter(~_truth(yes)) == 0).mean() or 0.0)


def _truth(column: Column) -> pl.Series:
    return (
        column.values.cast(pl.String)
        .str.to_lowercase()
        .is_in(["1", "true", "yes", "y", "t", "1.0"])
    )
