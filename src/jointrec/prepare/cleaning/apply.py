"""Runs every kind of finding over clean tables, and does what the project wants done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from jointrec.findings import action_of
from jointrec.prepare.tables import Tables
from jointrec.prepare.training_rows import hashes_of, times_named, trained_rows
from jointrec.prepare.workspace import Workspace
from jointrec.project import Project

from .base import Detector, Odd, View
from .negative import NegativeNumber
from .numbers import AbsurdNumber, LargeNumber, NumberDetector
from .record import Record

AllLimits = Mapping[str, Mapping[str, float]]
"""What each kind of finding learned, by code."""
NUMBERS: tuple[NumberDetector, ...] = (NegativeNumber(), AbsurdNumber(), LargeNumber())
"""The kinds that look at each number by itself, so that they hold for what is asked as well."""


def clean_values(
    project: Project,
    tables: Tables,
    learned: AllLimits | None,
    record: Record,
    detectors: Iterable[type[Detector]],
) -> Tables:
    """The tables with whatever is odd in them found, and dealt with as the project says.

    :param learned: What was learned before; None to learn it from the training rows of the tables.
    """
    with record.workspace.scratch() as room:
        trained = trained_rows(project, tables, hashes_of(tables, room))
        seen = {name: _seen(project, tables, trained, name, room) for name in trained}
    view = View(project, tables, seen, record.workspace)
    kinds = [kind() for kind in detectors]
    limits = learned
    if limits is None:
        limits = {kind.code: found for kind in kinds if (found := kind.learn(view))}
    for kind in kinds:
        odds = [odd for odd in kind.find(view, limits.get(kind.code, {})) if odd.rows.any()]
        view = _acted(view, kind.code, odds, record)
    return replace(view.tables, limits=limits)


def _seen(
    project: Project,
    tables: Tables,
    trained: Mapping[str, pl.Series],
    name: str,
    room: Workspace,
) -> pl.Series:
    """Which rows of a table training sees: its own, or those of an entity that these name."""
    if name in project.event:
        return trained[name]
    named = times_named(project, tables, trained, name, room)
    seen = trained[name] if named is None else named > 0
    if name not in tables.versions:
        return seen
    versions, cut = tables.versions[name], tables.cuts.valid
    seen = seen.gather(versions["@code"] - 1)
    return seen if cut is None else seen & (versions["@time"] < cut)


def _acted(view: View, code: str, odds: Iterable[Odd], record: Record) -> View:
    """The tables after one kind of finding was told and dealt with."""
    tables, seen = view.tables, dict(view.seen)
    aside: dict[str, pl.Series] = {}
    frames = dict(view.frames)
    for odd in odds:
        is_entity = odd.table in tables.entities
        at = f"entity.{odd.table}" if is_entity else f"event.{odd.table}"
        action = record.action(code, at)
        # The row of a thing is never set aside for what is in it: events name it by its place.
        if action == "quarantine" and is_entity:
            action = "null"
        frame = frames[odd.table]
        found = _found(tables, frame, odd)
        record.find(code, at, found, action=action, text=odd.text, examples=odd.examples)
        if action == "quarantine":
            before = aside.get(odd.table)
            aside[odd.table] = odd.rows if before is None else before | odd.rows
        elif action in ("null", "cap") and odd.column is not None:
            changed = changed_column(frame[odd.column], odd.rows, action, odd.limit)
            frames[odd.table] = frame.with_columns(changed)
    for name, rows in aside.items():
        frames[name] = record.put_aside(f"event.{name}", frames[name], rows, code)
        seen[name] = seen[name].filter(~rows)
    return replace(view, tables=_with(tables, frames), seen=seen)


def _found(tables: Tables, frame: pl.DataFrame, odd: Odd) -> pl.Series | pl.DataFrame:
    """The rows that are odd, or their values in the column that is meant."""
    if odd.column is None:
        return frame.filter(odd.rows)
    if odd.of_keys:
        return tables.entities[odd.table]["@key"].filter(odd.rows).alias(odd.column)
    return frame[odd.column].filter(odd.rows)


def _with(tables: Tables, frames: Mapping[str, pl.DataFrame]) -> Tables:
    """The tables with other rows; those of an entity with versions are its versions."""
    plain = [name for name in tables.entities if name not in tables.versions]
    return replace(
        tables,
        entities={**tables.entities, **{name: frames[name] for name in plain}},
        events={name: frames[name] for name in tables.events},
        versions={name: frames[name] for name in tables.versions},
    )


def changed_column(
    values: pl.Series, rows: pl.Series, action: str, limit: float | None
) -> pl.Series:
    """A column with some of its values made null, or cut down to a limit."""
    frame = pl.DataFrame({"values": values, "rows": rows})
    new = pl.lit(None, values.dtype)
    if action == "cap" and limit is not None:
        new = pl.col("values").sign() * limit + 0.0  # never −0
    changed = pl.when("rows").then(new).otherwise("values")
    return frame.select(changed.cast(values.dtype).alias(values.name)).to_series()


def usable_values(
    project: Project, learned: AllLimits, table: str, frame: pl.DataFrame
) -> pl.DataFrame:
    """Rows that somebody asks about, with numbers treated as those that were learned from.

    A number that would be made null is unknown here too; so is one whose row would be set aside, as
    a question is always answered.

    :param table: The name of the entity or of the event.
    """
    at = f"entity.{table}" if table in project.entity else f"event.{table}"
    for kind in NUMBERS:
        action = action_of(project.cleaning, kind.code, at)
        for place, learned_limit in learned.get(kind.code, {}).items():
            name, _, column = place.partition(".")
            if name != table or column not in frame.columns or action == "keep":
                continue
            limit = kind.cap(learned_limit)
            done = "cap" if action == "cap" else "null"
            rows = kind.meant(frame[column], limit)
            if rows.any():
                frame = frame.with_columns(changed_column(frame[column], rows, done, limit))
    return frame
