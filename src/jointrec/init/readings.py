"""Which feature reads a column, and why."""

from __future__ import annotations

import re

import polars as pl

from .columns import DATE, Column
from .names import ID, snake

COMMA = r"^\s*[-+]?\d{1,3}(\.?\d{3})*,\d+\s*$"
"""A number with a decimal comma: ``12,50`` or ``1.234,50``."""


def feature_of(column: Column, rows: int) -> tuple[str | None, str]:
    """The feature that reads a column, as the file spells it, and why; None leaves it out."""
    name = snake(column.name)
    if column.missing > 0.98:
        return None, "almost always missing"
    if column.kind == "time":
        return '"Time"', "a time"
    if column.kind == "list":
        return '"Set"', "a list of values"
    if column.distinct <= 1:
        return None, "always the same"
    if column.kind == "number" and re.search(r"(^|_)id$", name):
        return None, "looks like an id, which says nothing about what it names"
    if column.kind == "number":
        low = column.values.min()
        if column.skew > 1.5 and isinstance(low, int | float) and low >= 0:
            return '{ kind = "Number", scale = "log" }', "a number with a long tail"
        return '"Number"', "a number"
    if column.kind == "flag":
        return '"Category"', "yes or no"
    return _feature_of_text(column, rows, name)


def _feature_of_text(column: Column, rows: int, name: str) -> tuple[str | None, str]:
    sample = column.values.head(2_000).cast(pl.String)
    if _share(sample.str.contains(r"^\s*[\[{]")) > 0.5:
        return None, "holds JSON; export it as a list, or as columns of its own"
    if len(sample) and sample.str.contains(COMMA).all():
        return None, "holds numbers with a decimal comma; export them with a point"
    if len(sample) and sample.str.contains(DATE).all():
        return None, "holds dates, but nothing tells whether the day or the month comes first"
    if _share(sample.str.contains("|", literal=True)) > 0.1:
        return '"Set"', "values with | between"
    if column.words >= 2.0 and column.distinct > min(50, 0.5 * rows):
        return '"Text"', f"text of about {column.words:.0f} words"
    if column.unique or column.distinct > 0.9 * rows or ID.search(name):
        return None, "looks like an id, which says nothing about what it names"
    return '"Category"', f"{column.distinct:,} different values"


def _share(which: pl.Series) -> float:
    share = which.mean()
    return float(share) if isinstance(share, int | float) else 0.0
