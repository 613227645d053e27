"""What the scanner looks at: the rows of a grain with their answers, and samples of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int64

from jointrec.plan import Grain, Plan
from jointrec.prepare import Prepared, Rows
from jointrec.prepare.answers import AllAnswered
from jointrec.project import Project
from jointrec.splits import TRAIN, VALID

MOST = 8_000
"""How many rows of a task are looked at; with fewer, all are."""
MOST_RARE = 4_000
"""Of the rows looked at, how many may be those of the rarer answer, of which all are taken."""
SEED = 20_130


@dataclass(frozen=True)
class Question:
    """The rows of a grain with their answers, as `jointrec.prepare` makes them.

    :param rows: Which rows are asked.
    :param labels: For each task one number a row, nan where unknown.
    :param parts: For each task the part of the split of each row.
    """

    grain: Grain
    rows: Rows
    labels: Mapping[str, Float64[np.ndarray, "rows"]]
    parts: Mapping[str, Int8[np.ndarray, "rows"]]


def questions_answered(plan: Plan, answers: AllAnswered) -> list[Question]:
    """The questions of a project whose answers are known, before anything is encoded."""
    return [
        Question(
            grain,
            answers.rows[grain.name],
            answers.answered[grain.name].labels,
            answers.answered[grain.name].parts,
        )
        for grain in plan.grains
    ]


def questions_prepared(prepared: Prepared) -> list[Question]:
    """The questions of prepared data."""
    found = []
    for asked in prepared.asked.values():
        codes = {
            entity: prepared.things[entity].codes_of(moments.things)[asked.at[entity]]
            for entity, moments in asked.moments.items()
        }
        codes.setdefault(asked.grain.entities[0], asked.clusters)
        rows = Rows(codes, asked.times, asked.source)
        found.append(Question(asked.grain, rows, asked.labels, asked.parts))
    return found


@dataclass(frozen=True)
class Target:
    """A yes-or-no question made of the answers to a task.

    :param name: How it is called: the task, or ``revenue above 0``.
    :param yes: The answer of each sampled row.
    :param share: How often it is yes among all rows, not only the sampled.
    :param halved: Whether it is an amount cut in half, of which a value that is honestly known (the
        price of what was bought) may be sure on one side.
    """

    name: str
    yes: Bool[np.ndarray, "rows"]
    share: float
    halved: bool = False


@dataclass(frozen=True)
class Sample:
    """Rows of one task that train or validate, all of them or a seeded draw.

    :param rows: Which rows of the question.
    :param labels: Their answers, all known.
    :param valid: Whether each validates; the others train.
    :param clusters: Which belong together when chance is judged, from 0 without gaps.
    :param targets: The yes-or-no questions that are asked of columns.
    :param amounts: Whether the answers are amounts that are not mostly 0.
    :param of: How many rows there were to draw from.
    """

    task: str
    question: Question
    rows: Int64[np.ndarray, "rows"]
    labels: Float64[np.ndarray, "rows"]
    valid: Bool[np.ndarray, "rows"]
    clusters: Int64[np.ndarray, "rows"]
    targets: tuple[Target, ...]
    amounts: bool
    of: int

    @property
    def times(self) -> Int64[np.ndarray, "rows"] | None:
        """The moment of each row (µs); None where there are no moments."""
        times = self.question.rows.times
        return None if times is None else times[self.rows]

    @cached_property
    def earlier(self) -> tuple[Bool[np.ndarray, "rows"], Bool[np.ndarray, "rows"]]:
        """Training rows in two parts, cut as training is cut from validation: the later three
        tenths of time, or three tenths of clusters."""
        times = self.times
        if times is None:
            mixed = (self.clusters.astype(np.uint64) + np.uint64(7)) * np.uint64(0xBF58476D1CE4E5B9)
            last = (mixed >> np.uint64(40)) % np.uint64(10) < 3
        else:
            last = times >= np.quantile(times[~self.valid], 0.7)
        return ~self.valid & ~last, ~self.valid & last


def samples_of(project: Project, questions: list[Question]) -> Iterator[Sample]:
    """For each task, the rows to look at."""
    for question in questions:
        for number, task in enumerate(question.grain.tasks):
            yield _sample(project, question, task, SEED + number)


def _sample(project: Project, question: Question, task: str, seed: int) -> Sample:
    labels, parts = question.labels[task], question.parts[task]
    usable = np.flatnonzero(~np.isnan(labels) & ((parts == TRAIN) | (parts == VALID)))
    generator = np.random.default_rng(seed)
    known = labels[usable]
    kind = project.tasks[task]
    yes = known > 0
    some_zero = bool(len(known)) and 0.02 <= float((known == 0).mean()) <= 0.999
    binary = kind.has_chance and kind.cell == "flag"
    stratified = kind.adds_up and (binary or some_zero)
    strata = [usable[yes], usable[~yes]] if stratified else [usable]
    strata.sort(key=len)
    most = [MOST_RARE, MOST] if stratified else [MOST]
    drawn = [
        rows if len(rows) <= top else np.sort(generator.choice(rows, top, replace=False))
        for rows, top in zip(strata, most, strict=True)
    ]
    rows = np.sort(np.concatenate(drawn))
    first = question.rows.codes[question.grain.entities[0]][rows]
    # Who is unknown is nobody in particular: each such row stands alone.
    first = np.where(first > 0, first, -1 - np.arange(len(rows)))
    return Sample(
        task,
        question,
        rows,
        labels[rows],
        parts[rows] == VALID,
        np.unique(first, return_inverse=True)[1].astype(np.int64),
        tuple(_targets(project, task, known, labels[rows], stratified)),
        not stratified and kind.adds_up,
        len(usable),
    )


def _targets(
    project: Project,
    task: str,
    known: Float64[np.ndarray, "known"],
    labels: Float64[np.ndarray, "rows"],
    stratified: bool,
) -> Iterator[Target]:
    """What is asked of columns; only questions that have both answers."""
    kind = project.tasks[task]
    if kind.ranks_catalogue or len(known) == 0:
        return
    if not kind.adds_up:
        values, counts = np.unique(known, return_counts=True)
        for value in values[np.argsort(-counts, kind="stable")][:4]:
            yield Target(
                f"{task} = class {value:g}", labels == value, float((known == value).mean())
            )
    elif stratified:
        name = task if kind.has_chance and kind.cell == "flag" else f"{task} above 0"
        yield Target(name, labels > 0, float((known > 0).mean()))
    else:
        middle = float(np.median(known))
        if not (known > middle).any():
            return
        above = float((known > middle).mean())
        yield Target(f"{task} above {middle:g}", labels > middle, above, halved=True)
