"""What a project asks of its data, before anything is trained: the plan in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float64, Int8

from jointrec import sources
from jointrec.errors import JointRecError, SourceError, together, unknown_name
from jointrec.plan import Grain, Plan, columns_of, plan, uses
from jointrec.project import Project
from jointrec.sources import Finding
from jointrec.splits import TEST, TRAIN, VALID

from .answers import AllAnswered, Answered, answer_all
from .labels import Rows
from .loading import load
from .tables import Tables
from .training_rows import hashes_of


@dataclass(frozen=True)
class TaskCheck:
    """What there is to learn one task from.

    :param known: Rows with a known label in each part: train, valid, test.
    :param positives: Known training labels above 0; None where that means nothing.
    """

    kind: str
    label: str
    known: tuple[int, int, int]
    positives: int | None


@dataclass(frozen=True)
class GrainCheck:
    """A grain in numbers.

    :param first, last: The first and the last moment at which it is asked; None without moments.
    """

    grain: Grain
    rows: int
    first: datetime | None
    last: datetime | None
    tasks: Mapping[str, TaskCheck]


@dataclass(frozen=True)
class Checked:
    """A project that can be trained, in numbers, with what was found odd about its data.

    :param cuts: Where validation and test begin; None where time plays no part.
    """

    plan: Plan
    grains: tuple[GrainCheck, ...]
    findings: tuple[Finding, ...]
    rows_in: Mapping[str, int]
    quarantined: Mapping[str, int]
    cuts: tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class Looked:
    """A project that was checked, with its clean tables and all that is known of the answers."""

    project: Project
    checked: Checked
    tables: Tables
    answers: AllAnswered


def check(project: Project, root: Path | None = None) -> Checked:
    """Reads the tables of a project and lays out its plan in numbers.

    :raises JointRecError: with every problem of the declarations, the files and the labels at once.
    """
    return look(project, root).checked


def look(project: Project, root: Path | None = None) -> Looked:
    """Checks a project, and keeps what was read for those who want to see it.

    :raises JointRecError: as :func:`check` does.
    """
    planned = plan(project)
    tables = read_tables(project, root)
    answers = answer_all(project, planned, tables, hashes_of(tables))
    return Looked(project, checked(project, planned, tables, answers), tables, answers)


def read_tables(project: Project, root: Path | None) -> Tables:
    """The clean tables of a project, once none lacks a column; a database as of one moment.

    :raises JointRecError: with every problem of the files and the columns at once.
    """

    def read() -> Tables:
        problems = source_problems(project, root)
        if problems:
            raise SourceError(together(problems, of="The tables"))
        return load(project, root)

    return sources.in_one_snapshot(read)


def source_problems(project: Project, root: Path | None) -> list[str]:
    """Every table that cannot be read and every column that is not there, without reading rows."""
    problems: list[str] = []
    for family, declared in (("entity", project.entity), ("event", project.event)):
        for name, table in declared.items():
            try:
                found = sources.columns(table.source, root=root, at=f"{family}.{name}")
            except sources.ConnectionLost:
                raise
            except JointRecError as error:
                problems.append(str(error))
                continue
            named = f" ({table.source})" if isinstance(table.source, str) else ""
            missing = {use.column: use.at for use in uses(project, name) if use.column not in found}
            problems += [
                unknown_name("column", column, found, at=f"{at}{named}")
                for column, at in missing.items()
            ]
    return problems


def checked(
    project: Project, planned: Plan, tables: Tables, answers: AllAnswered | None = None
) -> Checked:
    """The plan in numbers, from clean tables.

    :param answers: The answers of all grains, where they are made already.
    :raises DataError: where tasks have nothing to learn from: all problems at once.
    """
    if answers is None:
        answers = answer_all(project, planned, tables, hashes_of(tables))
    return Checked(
        planned,
        tuple(
            _grain_check(project, grain, answers.rows[grain.name], answers.answered[grain.name])
            for grain in planned.grains
        ),
        (*tables.findings, *answers.findings),
        tables.rows_in,
        {name: len(frame) for name, frame in tables.quarantine.items()},
        (_maybe(tables.cuts.valid), _maybe(tables.cuts.test)),
    )


def _grain_check(project: Project, grain: Grain, rows: Rows, answered: Answered) -> GrainCheck:
    times = rows.times
    return GrainCheck(
        grain,
        len(rows.source),
        None if times is None else moment(int(times.min())),
        None if times is None else moment(int(times.max())),
        {
            name: _task_check(project, name, answered.labels[name], answered.parts[name])
            for name in grain.tasks
        },
    )


def moment(time: int) -> datetime:
    """A moment (µs UTC) as a date and time."""
    return datetime.fromtimestamp(time / 1e6, tz=UTC)


def _maybe(time: int | None) -> datetime | None:
    return None if time is None else moment(time)


def _task_check(
    project: Project,
    name: str,
    labels: Float64[np.ndarray, "rows"],
    parts: Int8[np.ndarray, "rows"],
) -> TaskCheck:
    task = project.tasks[name]
    known = ~np.isnan(labels)
    counts = [int((known & (parts == part)).sum()) for part in (TRAIN, VALID, TEST)]
    positives = int((labels[known & (parts == TRAIN)] > 0).sum()) if task.adds_up else None
    return TaskCheck(
        type(task).__name__, str(task.label), (counts[0], counts[1], counts[2]), positives
    )


def findings_frame(findings: tuple[Finding, ...]) -> pl.DataFrame:
    """The findings as a table, for reports and files."""
    return pl.DataFrame(
        [
            {
                "code": finding.code, "at": finding.at, "column": finding.column,
                "count": finding.count, "action": finding.action, "text": finding.text,
                "examples": " | ".join(finding.examples),
            }
            for finding in findings
        ],
        schema={
            "code": pl.String, "at": pl.String, "column": pl.String, "count": pl.Int64,
            "action": pl.String, "text": pl.String, "examples": pl.String,
        },
    )  # fmt: skip


def quarantine_frames(project: Project, tables: Tables) -> dict[str, pl.DataFrame]:
    """For each table the rows that were set aside as people read them: times are times."""
    frames: dict[str, pl.DataFrame] = {}
    for name, rows in tables.quarantine.items():
        times = [
            pl.col(column).cast(pl.Datetime("us", "UTC"))
            for column, cell in columns_of(project, name).items()
            if cell == "time" and column in rows.columns
        ]
        frames[name] = rows.with_columns(times)
    return frames


__all__ = [
    "Checked",
    "GrainCheck",
    "Looked",
    "TaskCheck",
    "check",
    "checked",
    "findings_frame",
    "look",
    "quarantine_frames",
    "read_tables",
]
