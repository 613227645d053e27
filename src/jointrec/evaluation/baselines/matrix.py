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

MANY, MANY_OF_FEW, FEW_ROWS = 64, 512, 50_000
"""A many-valued field becomes a column for each of its most frequent values, and one for its size:
for so many of them, and for more where rows are few, as of queries and judgements."""


@dataclass(frozen=True)
class Matrix:
    """Columns side by side.

    :param values: One row per row asked.
    :param names: What each column is.
    :param categories: Which columns hold codes rather than numbers, 0 for the unknown one. Codes of
        ids stand in order of how often they were seen, so their size means something too.
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
        # In the fused table each column begins where another ends; float32 holds small codes only.
        first = fields.ids.min(axis=0, initial=np.iinfo(np.int64).max)
        add(fields.ids[which] - first, [f"{table}.{name}" for name in layout.ids], codes=True)
        add(fields.numbers[which], [f"{table}.{name}" for name in layout.numbers])
        for bag, name in zip(fields.bags, layout.bags, strict=True):
            few = max(len(asked), len(bag.offsets)) <= FEW_ROWS
            values = _spread(bag, which, MANY_OF_FEW if few else MANY)
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
        shape = layout.context.get(asked.grain.table, FieldsLayout())
        add_fields(asked.context, shape, asked.grain.table, rows)
    add(asked.clock[rows], list(layout.clock) if asked.clock.shape[1] else [])
    for pair, numbers in asked.pairs.items():
        add(numbers[rows], [f"{' × '.join(pair)}: {name}" for name in layout.pairs[pair]])
    for texts, numbers in asked.matches.items():
        add(numbers[rows], list(layout.matches[texts]))
    return Matrix(np.concatenate(columns, axis=1), tuple(names), tuple(categories))


def _spread(
    bag: Bags, which: Int64[np.ndarray, "rows"], most: int
) -> Float32[np.ndarray, "rows _"]:
    """A many-valued field as its size, and a column of 0 and 1 for each of its frequent values."""
    sizes = np.diff(bag.offsets)
    values, counts = np.unique(bag.values, return_counts=True)
    chosen = np.sort(values[np.argsort(-counts, kind="stable")[:most]])
    owner = np.repeat(np.arange(len(sizes)), sizes)
    kept = np.isin(bag.values, chosen)
    table = np.zeros((len(sizes), 1 + len(chosen)), np.float32)
    table[:, 0] = sizes
    table[owner[kept], 1 + np.searchsorted(chosen, bag.values[kept])] = 1.0
    spread: Float32[np.ndarray, "rows _"] = table[which]
    return spread
