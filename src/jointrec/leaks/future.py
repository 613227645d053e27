"""Columns of entities that know the future: sums over the whole period, and later times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from jointrec.features import Category, Feature, Number, Time
from jointrec.labels import DAY
from jointrec.plan import Plan, timed
from jointrec.prepare import Tables
from jointrec.project import Project

from .columns import Column
from .found import Leak, leak
from .question import Sample
from .ranks import rank_correlation
from .scores import power

AGREES = 0.95
"""How closely a column may follow what was counted over all the data…"""
BEYOND = 0.12
"""… and how much of the disagreement of the two halves of the data may be left. A column that is
the true rate itself, without noise, would leave a quarter."""
LEAST = 20
"""Fewer entities than this are no evidence."""
STEADY = 0.985
"""Where both halves of the data agree this closely, the column says nothing about the future that
the past does not."""
LATER = 0.02
"""The share of rows at which a time of an entity may lie after the moment of asking."""
LAST_DAYS = (7, 30, 90)


@dataclass(frozen=True)
class Counted:
    """What was counted of each thing.

    :param over: Over the whole of some time, and over its two halves, which tell how steady it is.
    :param flag: Whether it is yes or no.
    """

    name: str
    over: Sequence[Float64[np.ndarray, "things"]]
    flag: bool = False


def aggregate_leaks(project: Project, plan: Plan, tables: Tables) -> Iterator[Leak]:
    """Number columns of entities that agree with counts of events that end after the moment."""
    for entity, tasks in asked_at_moments(project, plan).items():
        if entity in tables.versions:
            continue  # each row says from when on it holds
        columns = {
            name: _values(feature, tables.entities[entity][name])
            for name, feature in project.entity[entity].features.items()
        }
        varied = {n: v for n, v in columns.items() if v is not None and np.nanstd(v) > 0}
        if not varied:
            continue
        found: dict[str, tuple[float, str, int]] = {}
        for counted in _counts(project, tables, entity):
            for name, values in varied.items():
                judged = _agrees(values, counted)
                if judged is not None and judged[0] > found.get(name, (0.0, "", 0))[0]:
                    found[name] = (judged[0], judged[1], int(np.isfinite(values).sum()))
        for name, (_, why, count) in found.items():
            yield leak(
                "future_aggregate", f"entity.{entity}", name, tasks, count=count,
                evidence=f"`{name}` {why}",
                advice="At the moment of asking only a part of that had happened. Leave it out of "
                "`features`: counters of the past are made without it. Or give the value as it was "
                "before the first moment.",
            )  # fmt: skip


def _values(feature: Feature, column: pl.Series) -> Float64[np.ndarray, "things"] | None:
    """A column as numbers, nan where null: of numbers, and of categories of two values."""
    if isinstance(feature, Number):
        numbers = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        return numbers if np.isfinite(numbers).any() else None
    if isinstance(feature, Category) and column.drop_nulls().n_unique() == 2:
        return column.rank("dense").cast(pl.Float64).fill_null(np.nan).to_numpy()
    return None


def asked_at_moments(project: Project, plan: Plan) -> dict[str, tuple[str, ...]]:
    """For each entity the tasks that see it at moments."""
    found: dict[str, list[str]] = {}
    for grain in plan.grains:
        if grain.asking == "every" or timed(project, grain.table):
            for entity in grain.sees:
                found.setdefault(entity, []).extend(grain.tasks)
    return {entity: tuple(tasks) for entity, tasks in found.items()}


def _counts(project: Project, tables: Tables, entity: str) -> Iterator[Counted]:
    """How many events of each kind name each thing, the sums and the means of their numbers."""
    size = len(tables.entities[entity]) + 1
    for event, declared in project.event.items():
        frame = tables.events[event]
        if entity not in declared.entities or "@time" not in frame.columns:
            continue
        codes, times = frame[f"@{entity}"].to_numpy(), frame["@time"].to_numpy()
        columns: dict[str, Float64[np.ndarray, "events"] | None] = {event: None}
        for name in frame.columns:
            kind = frame[name].dtype
            if not name.startswith("@") and (kind.is_numeric() or kind == pl.Boolean):
                columns[f"{event}.{name}"] = (
                    frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
                )
        yield from _of_event(columns, codes, times, size, tables)


def _of_event(
    columns: Mapping[str, Float64[np.ndarray, "events"] | None],
    codes: Int64[np.ndarray, "events"],
    times: Int64[np.ndarray, "events"],
    size: int,
    tables: Tables,
) -> Iterator[Counted]:
    until = int(times.max()) + 1
    ends = {"all the data": until}
    if tables.cuts.valid is not None:
        ends["all training days"] = tables.cuts.valid
    spans = {name: (int(times.min()), end) for name, end in ends.items()}
    for days in LAST_DAYS:
        if until - days * DAY > int(times.min()) + days * DAY:
            spans[f"the last {days} days"] = (until - days * DAY, until)
    for where, (start, end) in spans.items():
        inside = np.flatnonzero((times >= start) & (times < end))
        if len(inside) < LEAST:
            continue
        half = int(np.median(times[inside]))
        for column, values in columns.items():
            if values is None:
                kept, weights = inside, np.ones(len(inside))
            else:
                kept = inside[np.isfinite(values[inside])]
                weights = values[kept]
            early = times[kept] < half
            parts = [np.ones(len(kept), np.bool_), early, ~early]
            sums = [
                np.bincount(codes[kept][p], weights[p], size)[1:].astype(np.float64) for p in parts
            ]  # of no rows, a count is whole
            if values is None:
                some = [(one > 0).astype(np.float64) for one in sums]
                yield Counted(f"whether there was a `{column}` in {where}", some, flag=True)
            name = "number" if values is None else "sum"
            yield Counted(f"the {name} of `{column}` over {where}", sums)
            if values is not None and not where.startswith("the last"):
                rows = [np.bincount(codes[kept][p], minlength=size)[1:] for p in parts]
                means = [
                    np.where(r > 0, s / np.maximum(r, 1), np.nan)
                    for s, r in zip(sums, rows, strict=True)
                ]
                yield Counted(f"the mean of `{column}` over {where}", means)


def _agrees(values: Float64[np.ndarray, "things"], counted: Counted) -> tuple[float, str] | None:
    """How closely a column follows a count, where it knows more than either half of it."""
    whole, first, second = counted.over
    known = np.isfinite(values) & np.isfinite(whole)
    if not counted.flag:
        known &= whole != 0
    least = LEAST if counted.flag else 1
    if known.sum() < LEAST or np.partition(_sizes(whole[known]), -2)[-2] < least:
        return None
    if len(np.unique(whole[known])) < (2 if counted.flag else 3):
        return None
    follows = rank_correlation(values[known], whole[known])
    if abs(follows) < AGREES:
        return None
    halves = known & np.isfinite(first) & np.isfinite(second)
    if halves.sum() < LEAST / 2:
        return None
    steady = rank_correlation(first[halves], second[halves])
    if steady > STEADY or 1 - abs(follows) > BEYOND * (1 - steady):
        return None
    return abs(follows), (
        f"follows {counted.name} with a rank correlation of {follows:.3f}, while the two halves of "
        f"it agree with each other only by {steady:.2f}."
    )


def _sizes(values: Float64[np.ndarray, "things"]) -> Int64[np.ndarray, "values"]:
    """How many things have each value; 0 stands for a value that there is not."""
    return np.concatenate([[0, 0], np.unique(values, return_counts=True)[1]])


def later_leaks(
    project: Project, tables: Tables, sample: Sample, columns: list[Column]
) -> Iterator[Leak]:
    """Times of entities that lie after the moment of asking, and tell the answer by it."""
    times = sample.times
    if times is None:
        return
    for column in columns:
        if column.entity is None or column.entity in tables.versions or column.cell != "time":
            continue
        feature = project.entity[column.entity].features[column.name]
        if not isinstance(feature, Time):
            continue
        when = _moments(column.values)
        later = np.isfinite(when) & (when >= times)
        if later.mean() < LATER or later.sum() < LEAST:
            continue
        last, of = _last_of(project, tables, sample, column, when)
        told = max(
            (
                power(target.yes, target.share, later.astype(np.int64), sample.clusters)
                for target in sample.targets
            ),
            key=lambda one: one.low(3.0),
            default=None,
        )
        tells = told is not None and told.low(3.0) >= 0.6
        if not tells and not last:
            continue
        why = f"At {later.mean():.0%} of the rows `{column.name}` lies after the moment of asking"
        if last:
            why += f", and it is the time of the last `{of}` of {last:.0%} of the {column.entity}s"
        if told is not None and tells:
            why += f"; that it does tells the answer with AUC {told.auc:.2f}"
        yield leak(
            "later_than_moment", column.at, column.name, (sample.task,), count=int(later.sum()),
            evidence=f"{why}.",
            advice="A time that is written over as things happen tells what will happen. Leave it "
            "out of `features`: `since` counters of the past say the same.",
        )  # fmt: skip


def _moments(values: pl.Series) -> Float64[np.ndarray, "rows"]:
    whole = values.cast(pl.Datetime("us")) if values.dtype.is_temporal() else values
    return whole.cast(pl.Int64).cast(pl.Float64).fill_null(np.nan).to_numpy()


def _last_of(
    project: Project,
    tables: Tables,
    sample: Sample,
    column: Column,
    when: Float64[np.ndarray, "rows"],
) -> tuple[float, str]:
    """The kind of event whose last time the column is, and for what share of things; 0 for none.

    Things with one event only do not count: its time is the first as well.
    """
    entity = column.entity or ""
    codes = sample.question.rows.codes[entity][sample.rows]
    for event, declared in project.event.items():
        frame = tables.events[event]
        if entity not in declared.entities or "@time" not in frame.columns:
            continue
        spans = frame.group_by(f"@{entity}").agg(
            pl.col("@time").max().alias("last"), pl.col("@time").min().alias("first")
        )
        spans = spans.filter(pl.col("last") > pl.col("first"))
        last = np.full(len(tables.entities[entity]) + 1, -1.0)
        last[spans[f"@{entity}"].to_numpy()] = spans["last"].to_numpy()
        asked = (codes > 0) & (last[codes] >= 0) & np.isfinite(when)
        if asked.sum() >= LEAST:
            same = np.abs(when[asked] - last[codes[asked]]) < DAY
            things = np.unique(codes[asked][same])
            share = len(things) / len(np.unique(codes[asked]))
            if share >= 0.5:
                return share, event
    return 0.0, ""
