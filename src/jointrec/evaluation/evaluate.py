"""Measures every way of answering a task on the same test rows, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from jointrec.functional.intervals import Drawn, Interval, drawn
from jointrec.functional.metrics import gauc_groups
from jointrec.functional.reliability import Reliability, reliability
from jointrec.network import JointNetwork
from jointrec.plan import Plan
from jointrec.prepare import Asked, Prepared
from jointrec.project import Project
from jointrec.splits import TEST, TRAIN, VALID
from jointrec.tasks import Task

from .banded import with_band_metrics
from .baselines import Baseline, Question
from .order import with_order
from .report import ByPropensity, TaskReport
from .said import Answers, Said, as_measured, said_of
from .shown import variety
from .slices import Slice, slices_of

NOTHING = Drawn(math.nan, np.zeros(0))
Oracle = Callable[[Asked, Int64[np.ndarray, "rows"]], Answers]
"""Gives the best answers that anyone could give for some rows, where they are known."""


@dataclass(frozen=True)
class Ways:
    """The ways of answering that are compared.

    :param joint: For each task the network that serves it.
    :param alone: For each task a network trained on that task only; empty to leave this out.
    :param baselines: Other ways.
    :param oracles: For each task with a known truth, that truth.
    :param quick: Whether baselines are left out where they take more than seconds.
    """

    joint: Mapping[str, JointNetwork]
    alone: Mapping[str, JointNetwork]
    baselines: Sequence[Baseline]
    oracles: Mapping[str, Oracle]
    quick: bool = False

    def applying(self, question: Question) -> list[Baseline]:
        """The baselines that answer a task."""
        if not len(question.test):
            return []
        fit = [baseline for baseline in self.baselines if baseline.applies(question)]
        return [baseline for baseline in fit if not self.quick or baseline.quick(question)]


def evaluate(
    project: Project,
    plan: Plan,
    prepared: Prepared,
    ways: Ways,
    *,
    met: Mapping[str, Int64[np.ndarray, "codes"]] | None = None,
    rounds: int = 200,
    observe: Callable[[str, str], None] | None = None,
) -> dict[str, TaskReport]:
    """One report for each task, from its test rows alone.

    :param met: For each entity how many training events name each of its codes, as
        `jointrec.prepare.times_met` counts them: the rows are cut by it. Default: they are not cut.
    :param rounds: How often clusters are resampled for the intervals.
    :param observe: Called with a task and a way before it is measured.
    """
    reports: dict[str, TaskReport] = {}
    for grain in plan.grains:
        asked = prepared.asked[grain.name]
        said: dict[str, tuple[Question, dict[str, Answers]]] = {}
        for name in grain.tasks:
            question = question_of(project, prepared, asked, name)
            told: dict[str, Said] = {}
            for way, network in (("joint", ways.joint), ("alone", ways.alone)):
                if name in network:
                    _tell(observe, name, way)
                    told[way] = said_of(network[name], question)
            answered = {way: one.answers for way, one in told.items()}
            for baseline in ways.applying(question):
                _tell(observe, name, baseline.name)
                answered[baseline.name] = baseline.answer(question, seed=project.budget.seed)
            if name in ways.oracles and len(question.test):
                answers = ways.oracles[name](asked, question.test)
                answered["oracle"] = as_measured(question, question.test, answers)
            _tell(observe, name, "intervals")
            reports[name] = replace(
                task_report(project, question, answered, rounds=rounds),
                slices=_slices(plan, question, answered, met or {}, rounds),
                reliability=_reliability(question, told.get("joint")),
                shown={
                    way: variety(one.shown, question)
                    for way, one in told.items()
                    if one.shown is not None
                },
            )
            for way, one in told.items():
                reports[name] = with_band_metrics(
                    reports[name], question, way, one.banded, rounds=rounds
                )
            said[name] = (question, answered)
            before = project.tasks[name].after
            if before in said and _have_order(project.tasks[name], project.tasks[before]):
                reports[name] = with_order(
                    reports[name], question, answered, said[before], rounds=rounds
                )
    return {name: reports[name] for name in project.tasks}


def _slices(
    plan: Plan, question: Question, answered: Mapping[str, Answers],
    met: Mapping[str, Int64[np.ndarray, "codes"]], rounds: int,
) -> dict[str, dict[str, Slice]]:  # fmt: skip
    """The test rows of a task, cut by how often training met their things."""
    metrics = question.project.tasks[question.task].metrics
    measure = metrics[next(iter(metrics))].measure
    return slices_of(
        question, answered, met, measure, ranked=plan.catalogue.get(question.task), rounds=rounds
    )


def _reliability(question: Question, said: Said | None) -> dict[str, Reliability]:
    """What joint says before it is set right and after, beside what happened."""
    if said is None or said.learned is None:
        return {}
    labels = question.labels[question.test]
    both = {"before": said.learned, "after": said.answers}
    found = {when: reliability(labels, answers) for when, answers in both.items()}
    return {when: one for when, one in found.items() if one is not None}


def _have_order(task: Task, before: Task) -> bool:
    """Whether the answers have an order: chances of a funnel, or the same over a longer time."""
    return task.form == before.form == "chance" or task.lengthens(before)


def _tell(observe: Callable[[str, str], None] | None, task: str, way: str) -> None:
    if observe is not None:
        observe(task, way)


def question_of(project: Project, prepared: Prepared, asked: Asked, name: str) -> Question:
    """A task with the rows of each part whose label is known."""
    known = ~np.isnan(asked.labels[name])
    rows = [np.flatnonzero(known & (asked.parts[name] == part)) for part in (TRAIN, VALID, TEST)]
    return Question(project, prepared, asked, name, *rows)


def task_report(
    project: Project, question: Question, answered: Mapping[str, Answers], *, rounds: int
) -> TaskReport:
    """Every metric of every way on the test rows, and how much better joint is than each other."""
    task = project.tasks[question.task]
    labels = question.labels[question.test]
    clusters = question.asked.clusters[question.test]
    seed = project.budget.seed
    names = list(task.metrics)
    deciding = task.metrics[names[0]]

    measures = {name: m.measure for name, m in task.metrics.items() if not m.in_lists}
    of_lists = {name: m.measure for name, m in task.metrics.items() if m.in_lists}
    first = question.asked.grain.entities[0]
    sides = question.asked.lists
    sides = question.asked.at.get(first, question.asked.clusters) if sides is None else sides
    lists = sides[question.test]

    def measured(answers: Answers, weights: Answers | None = None) -> dict[str, Drawn]:
        if not len(labels):
            return dict.fromkeys(names, NOTHING)
        both: dict[str, Drawn] = {}
        for some, groups in ((measures, clusters), (of_lists, lists)):
            if some:
                both |= drawn(
                    some, labels, answers, clusters,
                    groups=groups, weights=weights, rounds=rounds, seed=seed,
                )  # fmt: skip
        return {name: both[name] for name in names}

    # With one seed all ways are measured on the same draws of clusters, so they can be compared.
    found = {way: measured(answers) for way, answers in answered.items()}

    def gain(other: str) -> Interval:
        better, worse = found["joint"][names[0]], found[other][names[0]]
        return better_by(better, worse, deciding.better).interval()

    def by_propensity() -> ByPropensity | None:
        weights = question.asked.weights.get(question.task)
        if task.propensity is None or task.weight is not None or weights is None:
            return None
        own = weights[question.test]
        # Rows of which the chance is not known weigh nothing; without any other nothing is told.
        effective = float(own.sum() ** 2 / np.square(own).sum()) if own.any() else 0.0
        systems = {
            way: {name: metric.interval() for name, metric in measured(answers, own).items()}
            for way, answers in answered.items()
        }
        return ByPropensity(effective, systems)

    return TaskReport(
        kind=type(task).__name__,
        grain=question.asked.grain.name,
        sees=question.asked.grain.sees,
        label=str(task.label),
        rows=len(labels),
        positives=int((labels > 0).sum()) if task.adds_up else None,
        train_rows=len(question.train),
        metric=names[0],
        better=deciding.better,
        systems={
            way: {name: metric.interval() for name, metric in metrics.items()}
            for way, metrics in found.items()
        },
        gains={way: gain(way) for way in found if way != "joint" and "joint" in found},
        clusters=len(np.unique(clusters)),
        gauc_clusters=gauc_groups(labels, clusters)[0] if "gauc" in task.metrics else None,
        by_propensity=by_propensity(),
        gains_by={
            way: {
                name: better_by(found["joint"][name], other[name], metric.better).interval()
                for name, metric in task.metrics.items()
            }
            for way, other in found.items()
            if way != "joint" and "joint" in found
        },
    )


def better_by(one: Drawn, other: Drawn, better: str) -> Drawn:
    """How much better one is than another, by a metric of which ``better`` is told."""
    if better == "higher":
        return one - other
    if better == "lower":
        return other - one
    best = 1.0 if better == "one" else 0.0
    off = [Drawn(abs(found.value - best), np.abs(found.rounds - best)) for found in (one, other)]
    return off[1] - off[0]
