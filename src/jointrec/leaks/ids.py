"""Ids that say more than who they are: their beginning, their end, their order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from jointrec.prepare import Tables

from .columns import Column, column_of, number_codes
from .found import Leak, leak
from .question import Sample
from .ranks import rank_correlation
from .scores import power

MANY = 100
"""A column of fewer values is no id."""
END, REST = 0.65, 0.85
"""The AUC that the last sign of an id may have, which should be chance, and the other parts."""
ORDER = 0.98
"""How closely an id may follow time (Spearman)."""


def id_leaks(tables: Tables, sample: Sample, columns: list[Column]) -> Iterator[Leak]:
    """What the ids among the columns, and the keys of the entities, tell besides who it is."""
    for column in [*columns, *_keys(tables, sample)]:
        if not _is_id(column):
            continue
        if column.entity is None:
            yield from _tells_time(sample, column)
        for target in sample.targets:
            for part, codes, most in _parts(column):
                told = power(target.yes, target.share, codes, column.codes)
                if told.auc >= most and told.low(3.0) >= most - 0.05 and told.clusters >= 20:
                    yield leak(
                        "id_tells_answer", column.at, column.name, (sample.task,),
                        count=len(sample.rows),
                        evidence=f"{part} of `{column.name}` tells `{target.name}` with AUC "
                        f"{told.auc:.2f}, judged on other ids.",
                        advice="Ids that are given out after the answer carry it. Leave the column "
                        "out of `features`, or give ids that mean nothing.",
                    )  # fmt: skip
                    break


def _keys(tables: Tables, sample: Sample) -> Iterator[Column]:
    """The keys of the entities that are seen, where they are declared ones."""
    rows = sample.question.rows
    for entity in sample.question.grain.sees:
        frame = tables.entities[entity]
        if frame.width == 1 or not any(name != "@key" for name in frame.columns):
            continue
        codes = rows.codes[entity][sample.rows]
        keys = frame["@key"]
        if keys.cast(pl.Int64, strict=False).equals(pl.Series(np.arange(len(keys)))):
            continue  # the number of the row, where no key is declared
        known = (codes > 0) & (codes <= len(keys))
        values = keys.gather(pl.Series(np.where(known, codes - 1, 0)))
        yield column_of(f"entity.{entity}", "key", entity, "id", values, sample.times)


def _is_id(column: Column) -> bool:
    """Whether a column has so many values that each is somebody: text, or whole numbers."""
    if column.distinct < max(MANY, 0.02 * len(column.codes)):
        return False
    if column.numbers is None:
        return column.cell == "id"
    if column.cell != "number":
        return False
    known = column.numbers[~column.missing]
    return column.distinct >= 0.2 * len(known)


def _parts(column: Column) -> Iterator[tuple[str, Int64[np.ndarray, "rows"], float]]:
    """The parts of ids as codes, with the AUC above which they say too much."""
    if column.numbers is not None:
        known = column.numbers[~column.missing]
        if (known == np.round(known)).all():
            digits = np.where(column.missing, -1, np.nan_to_num(column.numbers) % 10)
            yield "The last digit", digits.astype(np.int64) + 1, END
        return
    text = column.values.cast(pl.String)
    yield "The last sign", _coded(text.str.slice(-1)), END
    for length in (1, 2, 3):
        yield f"The beginning ({length})", _coded(text.str.slice(0, length)), REST
    yield "The length", _coded(text.str.len_chars()), REST
    order = _number_in(text)
    if np.isfinite(order).mean() > 0.9:
        yield "The order", number_codes(order)[0], REST


def _coded(values: pl.Series) -> Int64[np.ndarray, "rows"]:
    return values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()


def _number_in(text: pl.Series) -> Float64[np.ndarray, "rows"]:
    """The last run of digits in each text, as a number; nan where there is none."""
    numbers = text.str.extract(r"(\d{1,18})\D*$").cast(pl.Float64, strict=False)
    return numbers.fill_null(np.nan).to_numpy()


def _tells_time(sample: Sample, column: Column) -> Iterator[Leak]:
    """An id, or a number of as many values as rows, that rises or falls with time."""
    times = sample.times
    if times is None or column.distinct < 0.2 * len(column.codes):
        return
    text = column.numbers is None
    order = _number_in(column.values.cast(pl.String)) if text else column.numbers
    assert order is not None
    known = np.isfinite(order)
    if known.mean() < 0.9 or known.sum() < MANY:
        return
    follows = rank_correlation(order[known], times[known].astype(np.float64))
    if abs(follows) < ORDER:
        return
    yield leak(
        "id_tells_time", column.at, column.name, (sample.task,),
        count=int(known.sum()),
        evidence=f"`{column.name}` is a clock: it follows the time of the row with a rank "
        f"correlation of {follows:.3f}.",
        advice="A model learns from it when a row was written, and later rows all lie outside what "
        "it learned. Leave it out of `features`; the clock and ages are there already.",
    )  # fmt: skip
