"""What is known of the answers: which rows a grain asks, their labels, and the part of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float64, Int8, Int64

from jointrec.durable import pieces_of
from jointrec.errors import DataError, together
from jointrec.labels import DAY, Later
from jointrec.plan import Grain, Plan
from jointrec.project import Project
from jointrec.sources import Finding
from jointrec.splits import TRAIN, UNUSED, VALID
from jointrec.tasks import Task

from .labels import Label, Rows, label_of, nest, rows_of
from .tables import Tables
from .training_rows import parts_of
from .weights import weights_of
from .workspace import IN_MEMORY, Workspace

State = Mapping[str, Any]


@dataclass(frozen=True)
class Answered:
    """The labels of a grain's rows, encoded, the part of the split and the weight of each."""

    labels: Mapping[str, Float64[np.ndarray, "rows"]]
    parts: Mapping[str, Int8[np.ndarray, "rows"]]
    weights: Mapping[str, Float64[np.ndarray, "rows"]]


def rows_of_grain(
    project: Project, grain: Grain, tables: Tables, workspace: Workspace = IN_MEMORY
) -> Rows:
    """The rows at which a grain is asked, over all the data.

    :param workspace: Where what is long lives.
    """
    until = tables.until or 0
    anchor = tables.cuts.test if tables.cuts.test is not None else until
    return rows_of(project, grain, tables, anchor, until, workspace)


@dataclass(frozen=True)
class AllAnswered:
    """The rows of all grains and their answers.

    :param rows: For each grain its rows.
    :param answered: For each grain the answers.
    :param states: What each task learned from its training labels.
    :param findings: What was odd about the labels.
    """

    rows: Mapping[str, Rows]
    answered: Mapping[str, Answered]
    states: Mapping[str, State]
    findings: tuple[Finding, ...]


def answer_all(
    project: Project,
    plan: Plan,
    tables: Tables,
    hashes: Mapping[str, Int64[np.ndarray, "things"]],
    workspace: Workspace = IN_MEMORY,
) -> AllAnswered:
    """The rows and the answers of all grains, learned from training rows.

    :param hashes: For each entity the stable hash of each code.
    :param workspace: Where the answers live.
    :raises DataError: where tasks have nothing to learn from: all problems at once.
    """
    rows: dict[str, Rows] = {}
    answered: dict[str, Answered] = {}
    states: dict[str, State] = {}
    findings: list[Finding] = []
    problems: list[str] = []
    for grain in plan.grains:
        rows[grain.name] = asked = rows_of_grain(project, grain, tables, workspace)
        labels = labels_of_grain(project, tables, grain, asked)
        parts = parts_of_grain(project, tables, grain, asked, labels, hashes)
        unknown = _unknown(project, tables, grain, labels, parts)
        for name in grain.tasks:
            if name not in unknown:
                values = labels[name].values
                learned = pl.Series(parts[name] == TRAIN) & values.is_not_null()
                states[name] = project.tasks[name].learn(workspace.selected(values, learned))
        usable = {name: label for name, label in labels.items() if name not in unknown}
        encoded, odd = encode_labels(project, grain, usable, states, workspace)
        _leave_out(project, encoded, parts, workspace)
        weights = {
            name: found
            for name in encoded
            if (found := weights_of(project, name, grain, asked, tables, parts[name])) is not None
        }
        answered[grain.name] = Answered(
            {name: workspace.keep(values) for name, values in encoded.items()},
            {name: workspace.keep(values) for name, values in parts.items()},
            {name: workspace.keep(values) for name, values in weights.items()},
        )
        del labels, usable, encoded, parts
        findings += odd
        problems += [*unknown.values(), *_too_alike(project, answered[grain.name])]
    if problems:
        raise DataError(together(problems, of="The data"))
    return AllAnswered(rows, answered, states, tuple(findings))


def _leave_out(
    project: Project,
    encoded: Mapping[str, Float64[np.ndarray, "rows"]],
    parts: Mapping[str, Int8[np.ndarray, "rows"]],
    workspace: Workspace,
) -> None:
    """Marks as unused the rows that are drawn not to train, of tasks that leave some out."""
    chance = np.random.default_rng(project.budget.seed)
    for piece in workspace.pieces(len(next(iter(parts.values())))):
        draws = chance.random(piece.stop - piece.start)
        for name, values in encoded.items():
            own = parts[name][piece]
            # Validation chooses by the very loss that trains, so its rows are drawn alike.
            learned = (own == TRAIN) | (own == VALID)
            own[project.tasks[name].left_out(values[piece], draws) & learned] = UNUSED


def labels_of_grain(project: Project, tables: Tables, grain: Grain, rows: Rows) -> dict[str, Label]:
    """For each task of a grain its labels as the data have them."""
    until = tables.until or 0
    return {name: label_of(project, name, grain, rows, tables, until) for name in grain.tasks}


def parts_of_grain(
    project: Project,
    tables: Tables,
    grain: Grain,
    rows: Rows,
    labels: Mapping[str, Label],
    hashes: Mapping[str, Int64[np.ndarray, "things"]],
) -> dict[str, Int8[np.ndarray, "rows"]]:
    """For each task of a grain the part of the split that each row falls in."""
    first = grain.entities[0]
    of, codes = hashes[first], rows.codes[first]
    return {
        name: parts_of(project.split, rows.times, label.known_at, of, codes, tables.cuts)
        for name, label in labels.items()
    }


def encode_labels(
    project: Project,
    grain: Grain,
    labels: Mapping[str, Label],
    states: Mapping[str, State],
    workspace: Workspace = IN_MEMORY,
) -> tuple[dict[str, Float64[np.ndarray, "rows"]], list[Finding]]:
    """The labels of a grain as numbers, nested along funnels, and what was odd about them."""
    encoded: dict[str, Float64[np.ndarray, "rows"]] = {}
    findings: list[Finding] = []
    for name, label in labels.items():
        values, net = _net(project.tasks[name], name, label.values)
        findings += net
        encoded[name] = _encoded(project.tasks[name], values, states[name], workspace)
        odd = values.filter(pl.Series(np.isnan(encoded[name])) & values.is_not_null())
        if len(odd):
            findings.append(
                Finding(
                    "unusable_label", f"tasks.{name}", None, len(odd),
                    tuple(str(value) for value in odd.unique(maintain_order=True).head(3)),
                    "made unknown",
                    f"labels that {type(project.tasks[name]).__name__} cannot learn or never saw "
                    "in training.",
                )
            )  # fmt: skip
    nested, out_of_order = nest(encoded, project, grain)
    return nested, [*findings, *out_of_order]


def _encoded(
    task: Task, values: pl.Series, state: State, workspace: Workspace
) -> Float64[np.ndarray, "rows"]:
    """Labels as numbers, made piece by piece where they live on disk."""
    pieces = (task.encode(values[piece], state) for piece in workspace.pieces(len(values)))
    if not workspace.on_disk:
        return next(pieces)
    encoded, end = np.zeros(0), 0
    for some in pieces:
        if not end:
            encoded = workspace.empty((len(values), *some.shape[1:]), some.dtype)
        encoded[end : end + len(some)] = some
        end += len(some)
    return encoded


def _net(task: Task, name: str, values: pl.Series) -> tuple[pl.Series, list[Finding]]:
    """Labels of a task; sums that returns make less than it can answer are the least it can."""
    if not isinstance(task.label, Later) or task.label.verb != "sum" or task.least is None:
        return values, []
    below = values.filter(values < task.least)
    if not len(below):
        return values, []
    examples = tuple(f"{value:g}" for value in below.unique(maintain_order=True).head(3))
    told = "sums below 0, as more is given back than is bought."
    found = Finding("net_return", f"tasks.{name}", None, len(below), examples, "taken as 0", told)
    return values.clip(lower_bound=task.least), [found]


def _unknown(
    project: Project,
    tables: Tables,
    grain: Grain,
    labels: Mapping[str, Label],
    parts: Mapping[str, Int8[np.ndarray, "rows"]],
) -> dict[str, str]:
    """For each task of a grain without labels to learn from, why there are none."""
    if len(next(iter(labels.values())).values) == 0:
        return {
            name: f"tasks.{name}: no rows are left to ask ({grain.name}). Check `where`, `active` "
            "and that the keys of the tables match."
            for name in grain.tasks
        }
    problems: dict[str, str] = {}
    for name, label in labels.items():
        known = label.values.is_not_null()
        if not known.any():
            problems[name] = _never_known(project.tasks[name], name, tables)
        elif not (known & pl.Series(parts[name] == TRAIN)).any():
            problems[name] = (
                f"tasks.{name}: no label is known in time to train on: before the validation cut, "
                "where time cuts. Shorten the label's window, or let `split` leave more to "
                "training."
            )
    return problems


def _never_known(task: Task, name: str, tables: Tables) -> str:
    within = task.label.within if isinstance(task.label, Later) else None
    if within is None or tables.first is None or tables.until is None:
        return (
            f"tasks.{name}.label: every value of `{task.label}` is missing, so there is nothing to "
            "learn. Check the column, or leave the task out."
        )
    return (
        f'tasks.{name}.label: within = "{within}" is longer than the data allow. They span '
        f"{(tables.until - tables.first) / DAY:.1f} days, so no label is ever known. "
        "Shorten `within`."
    )


def _too_alike(project: Project, answered: Answered) -> list[str]:
    """Tasks of which every known training label is the same."""
    problems: list[str] = []
    for name, labels in answered.labels.items():
        kind, known = type(project.tasks[name]).__name__, _range(labels, answered.parts[name])
        if known.rows and known.least == known.most:
            problems.append(
                f"tasks.{name}.label: all {known.rows:,} known training labels are "
                f"{known.least:g}. {kind} needs at least two different answers to learn from. "
                "Check the column, or leave the task out."
            )
        elif not known.rows:
            problems.append(
                f"tasks.{name}.label: no training label is one that {kind} can learn. "
                "Check the column and the kind of the task."
            )
    return problems


class _Range(NamedTuple):
    rows: int
    least: float
    most: float


def _range(labels: Float64[np.ndarray, "rows"], parts: Int8[np.ndarray, "rows"]) -> _Range:
    """How many labels of training rows are known, and between which values they are."""
    count, least, most = 0, np.inf, -np.inf
    for piece in pieces_of(len(labels)):
        some = labels[piece]
        known = some[(parts[piece] == TRAIN) & ~np.isnan(some)]
        count += len(known)
        least = min(least, known.min(initial=np.inf))
        most = max(most, known.max(initial=-np.inf))
    return _Range(count, least, most)
