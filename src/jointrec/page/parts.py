"""Which rows of each table train, and which test, for comparing the two."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from jointrec.prepare import Tables
from jointrec.prepare.training_rows import hashes_of, rows_in_part, times_named
from jointrec.project import Project
from jointrec.splits import TEST, TRAIN


def parts_of(project: Project, tables: Tables) -> dict[str, tuple[pl.Series, pl.Series]]:
    """For each table which of its rows are training rows, and which test rows.

    Of an entity those that training rows name, and those that test rows name: a thing may be both.
    Of its versions likewise.
    """
    hashes = hashes_of(tables)
    train, test = (rows_in_part(project, tables, hashes, part) for part in (TRAIN, TEST))
    names = [*tables.entities, *tables.events]
    return {
        name: (_seen(project, tables, train, name), _seen(project, tables, test, name))
        for name in names
    }


def _seen(project: Project, tables: Tables, rows: Mapping[str, pl.Series], name: str) -> pl.Series:
    if name in tables.events:
        return rows[name]
    named = times_named(project, tables, rows, name)
    seen = rows[name] if named is None else named > 0
    return seen if name not in tables.versions else seen.gather(tables.versions[name]["@code"] - 1)
