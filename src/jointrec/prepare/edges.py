"""Between which values the numbers of the past fall, in equal shares of the training rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float32

from jointrec.splits import TRAIN

from .answers import Answered
from .learning import Used, used_numbers
from .preparation import Scale
from .prepared import Asked, Things, small
from .reader import Raw

Column = Float32[np.ndarray, "_"]

PIECES = 16
"""Into how many shares the training rows are cut; numbers that repeat give fewer."""
LOOKED_AT = 200_000
"""How many training rows are looked at, evenly spread, where there are more."""
LEAST = 1e-4
"""Edges are at least this far apart, in standard deviations."""


def learn_edges(
    raws: Mapping[str, Raw], answered: Mapping[str, Answered], scales: Mapping[str, Scale]
) -> dict[str, tuple[tuple[float, ...], ...]]:
    """For each group of numbers the edges of each number, in standardised units, ascending.

    :param scales: The scale of each group, as `learn_scales` gives them.
    """
    return {
        name: _edges(scales[name].apply(_looked_at(parts)))
        for name, parts in used_numbers(raws, answered).items()
    }


def learn_told_edges(
    asked: Mapping[str, Asked], things: Mapping[str, Things]
) -> dict[str, tuple[tuple[float, ...], ...]]:
    """The same of the numbers that tables tell of things and of events, by :func:`numbers_name`.

    Only of a small flat table: with rows enough a network bends what it must by itself.
    """
    if not small(asked):
        return {}
    parts: dict[str, list[Used]] = {}
    for rows in asked.values():
        train = rows.known_in(TRAIN)
        for entity, moments in rows.moments.items():
            codes = moments.things[rows.at[entity]]
            numbers = things[entity].fields.numbers[codes]
            parts.setdefault(numbers_name(entity), []).append((numbers, train))
        table = numbers_name(rows.grain.table)
        if rows.context.numbers.shape[1]:
            parts.setdefault(table, []).append((rows.context.numbers, train))
    return {
        name: _edges(_looked_at(own), _cut) for name, own in parts.items() if own[0][0].shape[1]
    }


def _cut(column: Column) -> Column:
    """Ascending values that cut a number in equal shares of the rows; and where most have one and
    the same, as who spent nothing, those who have another in equal shares too."""
    values, counts = np.unique(column, return_counts=True)
    cuts = [_shares(column)]
    if len(values) > 1 and counts.max() > len(column) / 2:
        cuts.append(_shares(column[column != values[counts.argmax()]]))
    return np.unique(np.concatenate(cuts))


def _shares(column: Column) -> Column:
    """Ascending values that cut a number in equal shares of the rows."""
    found: Column = np.quantile(column, np.linspace(0.0, 1.0, PIECES + 1), method="lower")
    return found


def numbers_name(table: str) -> str:
    """What the numbers that a table tells are called among the edges."""
    return f"{table}.*"


def _looked_at(parts: list[Used]) -> Float32[np.ndarray, "rows numbers"]:
    """Every n-th training row, so that no more than :data:`LOOKED_AT` are read."""
    step = -(-sum(int(used.sum()) for _, used in parts) // LOOKED_AT) or 1
    some: list[Float32[np.ndarray, "_ numbers"]] = []
    before = 0
    for numbers, used in parts:
        rows = np.flatnonzero(used)
        some.append(numbers[rows[-before % step :: step]])
        before += len(rows)
    return np.concatenate(some)


def _edges(
    numbers: Float32[np.ndarray, "rows numbers"], cut: Callable[[Column], Column] = _shares
) -> tuple[tuple[float, ...], ...]:
    """The edges of each number; none where there are no rows.

    :param cut: The ascending values that cut a number.
    """
    if not len(numbers):
        return ((),) * int(numbers.shape[1])
    return tuple(_apart(cut(column)) for column in numbers.T)


def _apart(values: Float32[np.ndarray, "values"]) -> tuple[float, ...]:
    """Ascending values without those too near to the one before.

    >>> _apart(np.array([0.0, 0.0, 1.0, 1.00001, 2.0], dtype=np.float32))
    (0.0, 1.0, 2.0)
    """
    kept: list[float] = []
    for value in values.tolist():
        if not kept or value - kept[-1] > LEAST:
            kept.append(value)
    return tuple(kept)
