"""Which kind of question a column answers, by its name and by what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from .columns import Column
from .names import GRADE, OUTCOME, PAST, REASON, SEVERAL, TOOK, snake
from .spelling import text

MOST_GRADES = 21
"""A column with more numbers than this holds amounts, not grades: 0 to 10 by halves has as many."""
MOST_CHOICES = 50
"""A text with more values than this is no choice."""
ORDERS = (
    ("irrelevant", "complement", "substitute", "exact"),
    ("i", "c", "s", "e"),
    ("irrelevant", "relevant", "highly relevant", "perfect"),
    ("bad", "fair", "good", "excellent", "perfect"),
    ("very bad", "bad", "ok", "good", "very good"),
    ("poor", "fair", "average", "good", "very good", "excellent"),
    ("very low", "low", "medium", "high", "very high"),
    ("negative", "neutral", "positive"),
    ("small", "fit", "large"),
    ("too small", "true to size", "too large"),
    ("never", "rarely", "sometimes", "often", "always"),
)
"""Words whose order is known, the lowest first."""


@dataclass(frozen=True)
class Asked:
    """A kind of task, as the file spells it.

    :param kind: The name of the kind.
    :param why: Why it is this one, for those who read the file.
    :param settings: What else stands in the line, with a comma before it.
    """

    kind: str
    why: str
    settings: str = ""


def asked_of(column: Column) -> Asked | None:
    """The question whose answer a column holds; None where nothing says that it is an answer.

    A flag is asked about whatever it is called. All else has a name that says so, because grades,
    texts and lists are features far more often.
    """
    name = snake(column.name)
    if column.kind == "flag":
        return Asked("Binary", "yes or no") if column.distinct == 2 else None
    if column.kind == "number":
        return _of_numbers(column, name)
    if column.kind == "list" or _bars(column):
        several = column.kind == "list" and OUTCOME.search(name)
        if several or SEVERAL.search(name):
            return Asked("Multi", "any number of them at once")
        return None
    if column.kind == "text":
        return _of_words(column, name)
    return None


def _of_numbers(column: Column, name: str) -> Asked | None:
    few = 3 <= column.distinct <= MOST_GRADES
    if few and GRADE.search(name):
        return Asked("Ordinal", f"{column.distinct} grades in an order")
    least = column.values.min()
    if not few and TOOK.search(name) and not PAST.search(name) and _at_least_nothing(least):
        return Asked("Quantiles", "how long it takes, at least and at most")
    return None


def _of_words(column: Column, name: str) -> Asked | None:
    words = [word for word in column.values.unique().to_list() if word is not None]
    if not 2 <= len(words) <= MOST_CHOICES:
        return None
    order = ordered(words) if len(words) > 2 else None
    if order is not None and (GRADE.search(name) or OUTCOME.search(name)):
        levels = ", ".join(text(word) for word in order)
        return Asked("Ordinal", "words in an order, the lowest first", f", levels = [{levels}]")
    if REASON.search(name) or OUTCOME.search(name):
        return Asked("Choice", f"one of {len(words)} classes")
    return None


def ordered(words: Sequence[str]) -> list[str] | None:
    """Words in their order, the lowest first; None where it is not known.

    >>> ordered(["Exact", "Irrelevant", "Substitute"]), ordered(["red", "blue", "green"])
    (['Irrelevant', 'Substitute', 'Exact'], None)
    """
    spelled = {word.strip().lower().replace("_", " "): word for word in words}
    for order in ORDERS:
        if len(spelled) == len(words) and set(spelled) <= set(order):
            return [spelled[word] for word in order if word in spelled]
    return None


def _bars(column: Column) -> bool:
    """Whether texts hold values with | between."""
    if column.kind != "text":
        return False
    share = column.values.head(2_000).cast(pl.String).str.contains("|", literal=True).mean()
    return isinstance(share, float) and share > 0.1


def _at_least_nothing(least: object) -> bool:
    return isinstance(least, int | float) and least >= 0
