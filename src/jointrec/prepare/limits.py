"""How large a number may be before it is taken for a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from jointrec.plan import columns_of
from jointrec.project import Project

from .cleaning import Cleaning
from .tables import Tables
from .training_rows import hashes_of, learned_rows, trained_rows

TIMES = 1_000
"""A number is absurd where it is more than this many times as large as almost all others."""
LEAST = 100
"""From how many numbers on a limit is learned."""


def learn_limits(project: Project, tables: Tables) -> dict[str, float]:
    """For each column of numbers the largest size that is not absurd, from training rows only.

    It is 1,000 times the 99 % quantile of the sizes that are not 0: prices and baskets differ by
    less, while a quantity of two thousand million is a mistake that would drown every sum. A
    column with fewer than 100 such numbers gets no limit.
    """
    limits: dict[str, float] = {}
    numbers = {
        name: [column for column, cell in columns_of(project, name).items() if cell == "number"]
        for name in [*tables.entities, *tables.events]
    }
    if not any(numbers.values()):
        return limits
    trained = trained_rows(project, tables, hashes_of(tables))
    for name in [name for name, columns in numbers.items() if columns]:
        seen = learned_rows(project, tables, trained, name)
        for column in numbers[name]:
            sizes = seen[column].drop_nulls().abs()
            sizes = sizes.filter(sizes > 0)
            if len(sizes) >= LEAST:
                quantile = np.quantile(sizes.to_numpy(), 0.99, method="lower")
                limits[f"{name}.{column}"] = float(TIMES * quantile)
    return limits


def within_limits(tables: Tables, limits: Mapping[str, float], cleaning: Cleaning) -> Tables:
    """The tables with absurd numbers made null, each a finding."""
    entities, events, versions = dict(tables.entities), dict(tables.events), dict(tables.versions)
    for place, limit in limits.items():
        name, _, column = place.partition(".")
        family, frames = ("entity", entities) if name in entities else ("event", events)
        frames = versions if name in versions else frames
        absurd = (frames[name][column].abs() > limit).fill_null(False)
        if absurd.any():
            cleaning.find(
                "absurd_number", f"{family}.{name}", frames[name][column].filter(absurd),
                action="made null",
                text=f"numbers beyond {limit:g}, {TIMES:,} times as large as almost all others.",
            )  # fmt: skip
            known = pl.when(~absurd).then(pl.col(column)).alias(column)
            frames[name] = frames[name].with_columns(known)
    return replace(tables, entities=entities, events=events, versions=versions, limits=limits)
