"""What holds for every baseline: whole answers in the form of the task, from the past alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from families import members, unlisted

from jointrec.evaluation import baselines
from jointrec.evaluation.baselines import Baseline, Question
from jointrec.labels import Later

sys.path.append(str(Path(__file__).parents[1] / "evaluation"))
import baseline_shop as shop

MEMBERS = members(baselines, Baseline)
PAIRS = [
    (member, task)
    for member in MEMBERS
    for task in shop.TASKS
    if member().applies(shop.question(task))
]


def changed(question: Question) -> tuple[Question, np.ndarray]:
    """The question after another future, and the places of the test rows that cannot know it.

    The future begins at the middle of the test. Changed are labels that were settled after it
    began, of test rows alone, and the events from then on. What ranks a catalogue is told the right
    one of its own row, so the labels of rows that are compared stay.
    """
    asked, task = question.asked, question.project.tasks[question.task]
    labels = question.labels.copy()
    if asked.times is None:
        compared, others = np.arange(len(question.test)), question.test
        past = question.prepared.past
    else:
        times = asked.times[question.test]
        begins = int(np.median(times))
        compared = np.flatnonzero(times <= begins)
        window = task.label.window or 0 if isinstance(task.label, Later) else 0
        late = times > begins if task.ranks_catalogue else times + window > begins
        others = question.test[late]
        past = {
            name: replace(
                events,
                objects={
                    of: np.where(events.times >= begins, 1, rows)
                    for of, rows in events.objects.items()
                },
                kinds=np.where(events.times >= begins, 0, events.kinds),
            )
            for name, events in question.prepared.past.items()
        }
    assert len(compared)
    assert len(others)
    known = question.labels[~np.isnan(question.labels)]
    labels[others] = np.where(labels[others] == known.max(), known.min(), known.max())
    return replace(
        question,
        asked=replace(asked, labels={**asked.labels, question.task: labels}),
        prepared=replace(question.prepared, past=past),
    ), compared


def peeks(baseline: Baseline, question: Question) -> bool:
    """Whether answers change with what could not be known."""
    other, rows = changed(question)
    first, second = (baseline.answer(one, seed=0)[rows] for one in (question, other))
    return not np.array_equal(first, second)


class Peeking(Baseline):
    """Planted: it answers what will be."""

    name = "peeking"

    def applies(self, question: Question) -> bool:
        return True

    def answer(self, question: Question, *, seed: int) -> np.ndarray:
        return question.labels[question.test]


class Forecast(Peeking):
    """Planted: it takes the mean of all labels, those of the future among them."""

    def answer(self, question: Question, *, seed: int) -> np.ndarray:
        return np.full(len(question.test), np.nanmean(question.labels))


class Trending(Peeking):
    """Planted: it counts events of all time, those after the question among them."""

    def answer(self, question: Question, *, seed: int) -> np.ndarray:
        return np.full(len(question.test), float(question.prepared.past["user"].kinds.sum()))


@pytest.mark.parametrize("fault", [Peeking, Forecast, Trending])
def test_one_that_looks_ahead_is_caught(fault):
    assert peeks(fault(), shop.question("sold"))


@pytest.mark.parametrize("fault", [Forecast, Trending])
def test_one_that_ranks_by_the_future_is_caught(fault):
    assert peeks(fault(), shop.question("next"))


def test_the_registry_names_every_member():
    assert unlisted(baselines, Baseline) == []
    assert len({member.name for member in MEMBERS}) == len(MEMBERS)
    assert {member for member, _ in PAIRS} == set(MEMBERS)


@pytest.mark.parametrize("member", MEMBERS)
def test_it_says_what_it_is_and_needs(member):
    assert member.name == member.name.lower()
    assert member.__doc__
    assert member() is not None


@pytest.mark.parametrize(("member", "task"), PAIRS)
def test_answers_are_whole_and_in_the_form_of_the_task(member, task):
    question = shop.question(task)
    answers = member().answer(question, seed=0)
    kind = question.project.tasks[task]
    assert answers.dtype == np.float64
    assert np.isfinite(answers).all()
    assert len(answers) == len(question.test)
    if kind.form == "classes":
        size = question.prepared.layout.sizes[task] + 1
        assert answers.shape[1] == size
        assert np.allclose(answers.sum(axis=1), 1)
    else:
        assert answers.ndim == 1
    if kind.ranks_catalogue:
        assert ((answers >= 1) & (answers <= shop.ITEMS)).all()
    elif kind.form in ("chance", "classes"):
        assert ((answers >= 0) & (answers <= 1)).all()
    else:
        assert (answers >= 0).all()
    labels = question.labels[question.test]
    deciding = next(iter(kind.metrics.values()))
    assert np.isfinite(deciding.measure(labels, answers))


@pytest.mark.parametrize(("member", "task"), PAIRS)
def test_it_knows_the_past_alone(member, task):
    assert not peeks(member(), shop.question(task))


@pytest.mark.parametrize(("member", "task"), PAIRS)
def test_it_answers_without_validation_rows(member, task):
    question = shop.question(task)
    question = replace(question, valid=question.valid[:0])
    answers = member().answer(question, seed=0)
    assert np.isfinite(answers).all()
    assert len(answers) == len(question.test)


@pytest.mark.parametrize("member", MEMBERS)
def test_the_same_seed_gives_the_same_answers(member):
    task = next(task for one, task in PAIRS if one is member)
    first, second = (member().answer(shop.question(task), seed=0) for _ in range(2))
    assert np.array_equal(first, second)
