"""How good answers are for who and what is new: the test rows, cut by how often training met them.

What a model says of those that training met often hides what it says of newcomers. So the rows of
each task are cut three times, by each entity that it sees: *cold* (no training event names it),
*tail* (fewer than :data:`WARM` do) and *warm*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from jointrec.functional.intervals import Drawn, Interval, drawn

from .baselines import Question

WARM = 10
"""From so many training events on that name it, a thing is warm."""
BOUNDS = {"cold": (0, 1), "tail": (1, WARM), "warm": (WARM, np.iinfo(np.int64).max)}
"""How many training events name the things of a slice: from the first, and below the second."""


@dataclass(frozen=True)
class Slice:
    """Some of the test rows.

    :param events: How many training events name the thing, in words: ``0``, ``1–9``, ``10+``.
    :param rows: How many rows.
    :param positives: How many of them are above 0; None where that means nothing.
    :param systems: For each way of answering the metric that decides; of others than ``joint``
        without an interval.
    """

    events: str
    rows: int
    positives: int | None
    systems: Mapping[str, Interval]

    @property
    def counted(self) -> str:
        """How many rows, in words."""
        return "1 row" if self.rows == 1 else f"{self.rows:,} rows"


def slices_of(
    question: Question,
    answered: Mapping[str, np.ndarray],
    met: Mapping[str, Int64[np.ndarray, "codes"]],
    measure: Callable[..., float],
    *,
    ranked: str | None = None,
    rounds: int = 200,
) -> dict[str, dict[str, Slice]]:
    """For each entity of a task its slices, those without rows left out.

    :param answered: For each way its answers to the test rows.
    :param met: For each entity how many training events name each code.
    :param measure: The metric that decides.
    :param ranked: What a task ranks: it is cut by the right one as well.
    """
    labels = question.labels[question.test]
    clusters = question.asked.clusters[question.test]
    seed = question.project.budget.seed
    counts_rows = question.project.tasks[question.task].adds_up
    found: dict[str, dict[str, Slice]] = {}
    for entity, codes in _codes(question, ranked).items():
        if entity not in met:
            continue
        times = met[entity][codes]
        for name, (least, below) in BOUNDS.items():
            rows = np.flatnonzero((times >= least) & (times < below))
            if not len(rows):
                continue
            systems = {
                way: _measured(
                    measure, labels[rows], answers[rows], clusters[rows],
                    rounds if way == "joint" else None, seed,
                )
                for way, answers in answered.items()
            }  # fmt: skip
            positives = int((labels[rows] > 0).sum()) if counts_rows else None
            found.setdefault(entity, {})[name] = Slice(
                events_of(name), len(rows), positives, systems
            )
    return found


def _measured(
    measure: Callable[..., float],
    labels: np.ndarray,
    answers: np.ndarray,
    clusters: np.ndarray,
    rounds: int | None,
    seed: int,
) -> Interval:
    """The metric of some rows; without rounds, without an interval."""
    if rounds is None:
        value = measure(labels, answers, groups=clusters)
        return Drawn(value, np.zeros(0)).interval()
    return drawn(
        {"": measure}, labels, answers, clusters, groups=clusters, rounds=rounds, seed=seed
    )[""].interval()


def _codes(question: Question, ranked: str | None) -> dict[str, Int64[np.ndarray, "rows"]]:
    """For each entity that a task sees the code in each test row; of a catalogue the right one."""
    asked, rows = question.asked, question.test
    found = {
        entity: question.prepared.things[entity].codes_of(
            asked.moments[entity].things[asked.at[entity][rows]]
        )
        for entity in asked.grain.sees
    }
    return found if ranked is None else {**found, ranked: question.labels[rows].astype(np.int64)}


def events_of(name: str) -> str:
    """How many training events name the things of a slice, in words.

    >>> [events_of(name) for name in BOUNDS]
    ['0', '1–9', '10+']
    """
    least, below = BOUNDS[name]
    if below - least == 1:
        return str(least)
    return f"{least}+" if name == "warm" else f"{least}–{below - 1}"
