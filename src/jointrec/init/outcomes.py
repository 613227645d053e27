"""Which columns of a table say what came of its rows, and how they follow from each other."""

from __future__ import annotations

from collections.abc import Collection

from .columns import Column, truth_of
from .kinds import asked_of
from .look import Seen
from .names import DONE, OUTCOME, VALUE, numbered, snake
from .telling import TELLS, tells

NESTED = 0.97
"""Two labels are a funnel where this share of the rarer one's yes is a yes of the other too."""
MOST_CLASSES = 12
"""A column with more words than this is no class to learn, if nothing else says that it is."""
FEWEST_YES = 30
"""Of fewer rows with yes it is not judged what else they have in common."""


def labels_of(table: Seen, used: Collection[str], keys: Collection[str]) -> list[str]:
    """The columns of events that say what came of a row.

    Yes or no, amounts that only a yes has, and what :func:`asked_of` knows by its name: grades,
    reasons, how long it took. What is known once one of the things is known tells of that thing,
    and one of a numbered row of columns (``affinity_1``, ``affinity_2`` …) measures.

    :param used: Columns that already mean something.
    :param keys: Those with the keys of the things that a row names.
    """
    measured = {name for own in numbered(table.names).values() for name in own}
    columns = [column for column in table.columns if column.name not in measured.union(used)]
    flags = [c for c in columns if c.kind == "flag" and c.distinct == 2]
    labels = [c.name for c in flags]
    if flags:
        labels += [
            c.name
            for c in columns
            if c.kind == "number" and VALUE.search(snake(c.name)) and _mostly_nothing(c)
        ]
    return labels + [
        c.name
        for c in columns
        if c.name not in labels
        and asked_of(c) is not None
        and all(tells(table.sample, key, c.name) < TELLS for key in keys)
    ]


def outcomes_of(table: Seen, key: str | None) -> list[str]:
    """Of a single table the columns that one may want to predict.

    Those called outcomes, and flags of what a shopper did; else grades and the like, and the last
    flag; else the last column, where it holds a few classes: there most tables of one thing a row
    keep what is to be learned. With a flag goes what it comes after, and amounts that only its yes
    has.
    """
    asked = {c.name: asked_of(c) for c in table.columns if c.name != key and not c.unique}
    flags = [name for name, kind in asked.items() if kind and kind.kind == "Binary"]
    named = [
        name
        for name, kind in asked.items()
        if kind and (OUTCOME.search(snake(name)) or (name in flags and DONE.search(snake(name))))
    ]
    judged = [name for name, kind in asked.items() if kind and kind.kind in ("Ordinal", "Multi")]
    last = table.columns[-1]
    classes = last.kind == "text" and 2 <= last.distinct <= MOST_CLASSES and last.name != key
    chosen = named or [*flags[-1:], *judged] or [last.name] * classes
    yes = [name for name in chosen if name in flags and _yes(table, name) >= FEWEST_YES]
    before = [
        name for name in flags if name not in chosen and any(_leads_to(table, name, y) for y in yes)
    ]
    amounts = [
        c.name
        for c in table.columns
        if c.kind == "number" and c.name not in chosen and VALUE.search(snake(c.name))
        and _mostly_nothing(c) and any(only_with(table, c.name, name) for name in yes)
    ]  # fmt: skip
    return [*before, *chosen, *amounts]


def _mostly_nothing(column: Column) -> bool:
    share = column.values.fill_null(0.0).ne(0.0).mean()
    return column.missing > 0.5 or (isinstance(share, float) and share < 0.5)


def funnel_of(table: Seen, labels: Collection[str]) -> list[str]:
    """The yes-or-no labels, the most frequent first: the order in which a funnel goes."""
    flags = [name for name in labels if table.column(name).kind == "flag"]
    return sorted(flags, key=lambda name: -_yes(table, name))


def nested(table: Seen, inner: str, outer: str) -> float:
    """The share of rows with ``inner`` that have ``outer`` too; 0 where it cannot be told."""
    first, second = table.column(inner), table.column(outer)
    if first.missing or second.missing:
        return 0.0
    yes = truth_of(first.values)
    both = (yes & truth_of(second.values)).sum()
    return float(both) / max(int(yes.sum()), 1)


def only_with(table: Seen, amount: str, flag: str) -> bool:
    """Whether an amount is hardly ever anything but where a label is yes."""
    column, yes = table.column(amount), table.column(flag)
    if column.missing or yes.missing:
        return False
    share = truth_of(yes.values).filter(column.values != 0).mean()
    return isinstance(share, float) and share >= NESTED


def _leads_to(table: Seen, step: str, outcome: str) -> bool:
    """Whether an outcome hardly ever comes without a step that most rows do not take."""
    rows = _yes(table, step)
    seldom = _yes(table, outcome) < rows <= 0.5 * len(table.sample)
    return seldom and nested(table, outcome, step) >= NESTED


def _yes(table: Seen, flag: str) -> int:
    return int(truth_of(table.column(flag).values).sum())
