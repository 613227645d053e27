"""The prepared rows of a grain as one flat matrix: what a model of one table can read.

It holds the same features as the network reads (entities, counters, pairs, context, clock), except
the order of the history, which has no flat form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from jointrec.features import Bags
from jointrec.prepare import Asked, Fields, Prepared
from jointrec.prepare.prepared import FieldsLayout

MANY = 64
"""A many-valued field becomes one column per value up to this many values, else only its size."""


@dataclass(frozen=True)
class Matrix:
    """Columns side by side.

    :param values: One row per row asked.
    :param names: What each column is.
    :param categories: Which columns hold codes rather than numbers. Codes of ids stand in order of
        how often they were seen, so their size means something too.
    """

    values: Float32[np.ndarray, "rows columns"]
    names: tuple[str, ...]
    categories: tuple[int, ...]


def matrix(prepared: Prepared, asked: Asked, rows: Int64[np.ndarray, "rows"]) -> Matrix:
    """The matrix of some rows of a grain."""
    columns: list[Float32[np.ndarray, "rows _"]] = []
    names: list[str] = []
    categories: list[int] = []

    def add(values: np.ndarray, titles: list[str], *, codes: bool = False) -> None:
        if codes:
            categories.extend(range(len(names), len(names) + len(titles)))
        columns.append(values.astype(np.float32, copy=False))
        names.extend(titles)

    def add_fields(fields: Fields, layout: FieldsLayout, table: str, which: np.ndarray) -> None:
        add(fields.ids[which], [f"{table}.{name}" for name in layout.ids], codes=True)
        add(fields.numbers[which], [f"{table}.{name}" for name in layout.numbers])
        for bag, name in zip(fields.bags, layout.bags, strict=True):
            values = _spread(bag, which)
            add(values, [f"{table}.{name} {n}" for n in range(values.shape[1])])

    layout = prepared.layout
    for entity in asked.grain.sees:
        moments = asked.moments[entity]
        at = asked.at[entity][rows]
        fields, shape = prepared.things[entity].fields, layout.things[entity]
        add_fields(fields, shape, entity, moments.things[at])
        if moments.times is not None:
            add(moments.numbers[at], [f"{entity}: {name}" for name in layout.moments[entity]])
    if asked.grain.asking == "row":
        add_fields(asked.context, layout.context[asked.grain.table], asked.grain.table, rows)
    add(asked.clock[rows], list(layout.clock) if asked.clock.shape[1] else [])
    for pair, numbers in asked.pairs.items():
        add(numbers[rows], [f"{' × '.join(pair)}: {name}" for name in layout.pairs[pair]])
    return Matrix(np.concatenate(columns, axis=1), tuple(names), tuple(categories))


def _spread(bag: Bags, which: Int64[np.ndarray, "rows"]) -> Float32[np.ndarray, "rows _"]:
    """A many-valued field as columns of 0 and 1, or as its size where there are too many values."""
    sizes = np.diff(bag.offsets)
    distinct = np.unique(bag.values)
    if len(distinct) > MANY:
        return sizes[which, None].astype(np.float32)
    table = np.zeros((len(sizes), max(len(distinct), 1)), np.float32)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    table[owner, np.searchsorted(distinct, bag.values)] = 1.0
    return table[which]
