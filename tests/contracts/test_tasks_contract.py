"""What every kind of task promises. A new one is tested by being in `tasks.__all__`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from inspect import isabstract
from typing import ClassVar, Literal

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec import tasks
from jointrec.functional.metrics import pessimistic_rank
from jointrec.labels import VERBS
from jointrec.tasks import State, Task

MEMBERS = [
    member
    for name in tasks.__all__
    if isinstance(member := getattr(tasks, name), type)
    and issubclass(member, Task)
    and not isabstract(member)
]
CANDIDATES = 7


@dataclass(frozen=True)
class Tweedie(tasks.Amount):
    """Another distribution."""

    distribution: Literal["tweedie"] = "tweedie"


@dataclass(frozen=True)
class HuberLog(tasks.Amount):
    """Another distribution."""

    distribution: Literal["huber_log"] = "huber_log"


@dataclass(frozen=True)
class PoissonCount(tasks.Count):
    """Another distribution."""

    distribution: Literal["poisson"] = "poisson"
    one_loss: ClassVar[bool] = True


@dataclass(frozen=True)
class ChangedRows(tasks.Binary):
    """A Binary with all that changes how it trains."""

    positive_weight: float = 5.0
    smoothing: float = 0.1
    negatives: float = 0.2


MEMBERS += [Tweedie, HuberLog, PoissonCount, ChangedRows]
each = pytest.mark.parametrize("kind", MEMBERS)
few = settings(max_examples=15)


def cells(kind: type[Task]) -> tuple[pl.DataType | type[pl.DataType], list[object]]:
    """Some labels that a task of this kind may meet, as the tables hold them."""
    if kind.ranks_catalogue:
        return pl.Float64, [1.0, 2.0, 5.0]
    if "until" in kind.verbs:  # one in each of the bins of its own, and one that is followed on
        days = [0.3, 1.0, 3.0, 7.0, 12.0, 18.0, 25.0, 35.0, 45.0, 55.0, 70.0, 80.0]
        return pl.Float64, [0.1, *days, -6.0, -90.0, 89.0]
    if "steps" in kind.verbs:
        return pl.List(pl.Float64), [[0.0, 0.0], [0.0, None], [None, 1.0], [1.0, 1.0]]
    return {
        "flag": (pl.Float64, [0.0, 1.0]),
        "number": (pl.Float64, [0.0, 1.0, 2.0, 40.0]),
        "id": (pl.String, ["9", "10", "b"]),
        "list": (pl.List(pl.String), [["9"], ["9", "b"], ["b"]]),
    }[kind.cell]


def column(kind: type[Task], labels: list[object]) -> pl.Series:
    return pl.Series("label", labels, dtype=cells(kind)[0])


def learned(kind: type[Task], labels: list[object]) -> tuple[Task, State, np.ndarray]:
    """A task, what it learned from labels, and the labels as it encodes them."""
    task = kind("table.label")
    state = task.learn(column(kind, labels))
    return task, state, task.encode(column(kind, labels), state)


def width(task: Task, state: State) -> int:
    return CANDIDATES if task.ranks_catalogue else task.size(state)


def mean_loss(task: Task, outputs: np.ndarray, labels: np.ndarray) -> float:
    rows = torch.from_numpy(outputs).expand(len(labels), -1)
    return float(task.loss(rows, torch.from_numpy(labels)).mean())


def test_there_are_members() -> None:
    found = {member.__name__ for member in MEMBERS}
    assert found >= {"Binary", "Choice", "Amount", "Count", "Retrieval"}


@each
def test_says_what_it_is(kind: type[Task]) -> None:
    assert kind("a.b") == kind("a.b")
    assert hash(kind("a.b")) == hash(kind("a.b"))
    assert kind.cell in ("flag", "number", "id", "list")
    assert set(kind.verbs) <= set(VERBS)
    assert kind.answers
    assert "\n" not in kind.answers
    assert kind.__doc__


@each
def test_deciding_metric_comes_first_and_all_say_what_is_better(kind: type[Task]) -> None:
    metrics = kind("a.b").metrics
    assert metrics
    assert all(m.better in ("higher", "lower", "one", "zero") for m in metrics.values())
    assert next(iter(metrics.values())).better in ("higher", "lower")


@each
@given(data=st.data())
@few
def test_unknown_labels_are_nan_and_each_row_is_read_by_itself(
    kind: type[Task], data: st.DataObject
) -> None:
    known = cells(kind)[1]
    task, state, _ = learned(kind, known)
    labels = data.draw(st.lists(st.sampled_from(known) | st.none(), max_size=20))
    encoded = task.encode(column(kind, labels), state)
    assert encoded.dtype == np.float64
    assert encoded.flags.writeable
    assert np.isnan(encoded).tolist() == [label is None for label in labels]
    alone = [task.encode(column(kind, [label]), state)[0] for label in labels]
    np.testing.assert_array_equal(encoded, np.array(alone))


@each
def test_state_survives_json_and_does_not_depend_on_order(kind: type[Task]) -> None:
    task, state, encoded = learned(kind, cells(kind)[1])
    again = json.loads(json.dumps(state, allow_nan=False))
    assert again == state
    np.testing.assert_array_equal(task.encode(column(kind, cells(kind)[1]), again), encoded)
    assert task.learn(column(kind, cells(kind)[1][::-1])) == state


@each
@pytest.mark.parametrize("size", [0.0, 1.0, 60.0, 1e4])
def test_loss_is_one_finite_number_per_row_with_a_finite_gradient(
    kind: type[Task], size: float
) -> None:
    task, state, labels = learned(kind, cells(kind)[1])
    for sign in (1.0, -1.0):
        outputs = torch.full((len(labels), width(task, state)), sign * size, requires_grad=True)
        loss = task.loss(outputs, torch.from_numpy(labels).float())
        assert loss.shape == (len(labels),)
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss).all()
        loss.sum().backward()
        assert outputs.grad is not None
        assert torch.isfinite(outputs.grad).all()


@each
def test_the_loss_of_a_row_depends_on_that_row_alone(kind: type[Task]) -> None:
    task, state, labels = learned(kind, cells(kind)[1])
    outputs = torch.randn(len(labels), width(task, state), generator=torch.manual_seed(0))
    known = torch.from_numpy(labels).float()
    together = task.loss(outputs, known)
    alone = [task.loss(outputs[i : i + 1], known[i : i + 1])[0] for i in range(len(labels))]
    torch.testing.assert_close(together, torch.stack(alone))


@each
def test_gradient_is_right(kind: type[Task]) -> None:
    if not kind.one_loss:
        pytest.skip("one output is learned given another as it is: see its own test")
    task, state, labels = learned(kind, cells(kind)[1])
    shape = (len(labels), width(task, state))
    outputs = torch.randn(shape, dtype=torch.float64, generator=torch.manual_seed(0))
    known = torch.from_numpy(labels)
    assert torch.autograd.gradcheck(lambda x: task.loss(x, known), outputs.requires_grad_())


@each
def test_a_factor_makes_answers_as_much_larger(kind: type[Task]) -> None:
    task, state, labels = learned(kind, cells(kind)[1])
    shape = (len(labels), width(task, state))
    outputs = torch.randn(shape, dtype=torch.float64, generator=torch.manual_seed(0))
    scaled = task.scaled(outputs, torch.tensor(0.5, dtype=torch.float64))
    factor = float(np.exp(0.5)) if task.has_total else 1.0
    torch.testing.assert_close(task.answer(scaled), factor * task.answer(outputs))


@each
def test_a_linear_start_is_better_than_the_constant(kind: type[Task]) -> None:
    choices = [cell for cell in cells(kind)[1] for _ in range(10)]
    task, state, labels = learned(kind, choices)
    numbers = np.stack([np.nan_to_num(np.argsort(labels) / 9), np.ones(len(labels))], axis=1)
    start = task.linear(labels, numbers)
    if start is None:
        return
    assert start.shape == (task.size(state), 3)
    said = torch.from_numpy(start[:, 0] + numbers @ start[:, 1:].T)
    known = torch.from_numpy(labels)
    constant = torch.from_numpy(task.constant(labels, state)).expand(len(labels), -1)
    assert task.loss(said, known).mean() < task.loss(constant, known).mean()


@each
@given(data=st.data())
@few
def test_no_small_change_makes_the_constant_answer_better(
    kind: type[Task], data: st.DataObject
) -> None:
    choices = cells(kind)[1]
    labels = choices + data.draw(st.lists(st.sampled_from(choices), max_size=30))
    task, state, encoded = learned(kind, labels)
    best = task.constant(encoded, state)
    assert best.shape == (task.size(state),)
    assert best.dtype == np.float64
    at_best = mean_loss(task, best, encoded) if len(best) else 0.0
    for output in range(len(best)):
        for step in (-0.3, -0.01, 0.01, 0.3):
            moved = best.copy()
            moved[output] += step
            assert mean_loss(task, moved, encoded) >= at_best - 1e-9


@each
@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_one_answer_only_behaves(kind: type[Task], rows: int) -> None:
    for label in cells(kind)[1]:
        task, state, encoded = learned(kind, [label] * rows)
        constant = task.constant(encoded, state)
        assert np.isfinite(constant).all()
        assert np.isfinite(task.constant_loss(encoded, state))
        if len(constant):
            assert np.isfinite(mean_loss(task, constant, encoded))


@each
def test_the_loss_of_the_constant_tells_how_much_there_is_to_learn(kind: type[Task]) -> None:
    task, state, encoded = learned(kind, cells(kind)[1] * 10)
    assert task.constant_loss(encoded, state) > 0.1
    shuffled = np.random.default_rng(0).permutation(encoded)
    assert task.constant_loss(shuffled, state) == pytest.approx(
        task.constant_loss(encoded, state), rel=1e-12
    )
    assert task.constant_loss(encoded[:0], state) == 0.0


@each
@pytest.mark.parametrize("size", [0.0, 1.0, 60.0, 1e4])
def test_answers_are_finite_and_as_many_as_rows(kind: type[Task], size: float) -> None:
    task, state, _ = learned(kind, cells(kind)[1])
    for sign in (1.0, -1.0):
        answers = task.answer(torch.full((3, width(task, state)), sign * size))
        assert len(answers) == 3
        assert torch.isfinite(answers).all()
        if not task.ranks_catalogue:
            assert (answers >= 0).all()
    assert len(task.answer(torch.zeros(0, width(task, state)))) == 0


@each
def test_a_higher_chance_gives_a_higher_answer(kind: type[Task]) -> None:
    task, state, encoded = learned(kind, cells(kind)[1])
    if not task.chains:
        return
    outputs = torch.from_numpy(task.constant(encoded, state)).repeat(9, 1)
    outputs[:, 0] += torch.linspace(-3, 3, 9)
    assert (torch.diff(task.answer(outputs)) > 0).all()


@each
def test_learns_what_can_be_known(kind: type[Task]) -> None:
    """Two groups of rows that mostly have different labels: gradient descent must find out."""
    first, *_, last = cells(kind)[1]
    usual, unusual = [[first] * 9 + [last]] * 5, [[last] * 9 + [first]] * 5
    labels = [label for group in usual + unusual for label in group]
    group = torch.tensor([0] * 50 + [1] * 50)
    task, state, encoded = learned(kind, labels)
    start = task.constant(encoded, state) if task.size(state) else np.zeros(CANDIDATES)
    outputs = torch.from_numpy(start).repeat(2, 1).requires_grad_()
    optimizer = torch.optim.Adam([outputs], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        task.loss(outputs[group], torch.from_numpy(encoded)).mean().backward()
        optimizer.step()
    found = float(task.loss(outputs[group], torch.from_numpy(encoded)).detach().mean())
    assert found < mean_loss(task, start, encoded) - 0.2

    metric = next(iter(task.metrics.values()))
    constant = torch.from_numpy(start).repeat(100, 1)
    learnt, nothing = (
        metric.measure(encoded, measured(task, rows.detach(), encoded))
        for rows in (outputs[group], constant)
    )
    assert learnt > nothing if metric.better == "higher" else learnt < nothing


def measured(task: Task, outputs: torch.Tensor, encoded: np.ndarray) -> np.ndarray:
    """The answers as metrics take them: of a catalogue the rank of the right one."""
    answers = task.answer(outputs).numpy()
    return pessimistic_rank(answers, encoded.astype(np.int64)) if task.ranks_catalogue else answers


@each
def test_every_metric_can_be_measured(kind: type[Task]) -> None:
    task, state, encoded = learned(kind, cells(kind)[1] * 4)
    outputs = torch.randn(len(encoded), width(task, state), generator=torch.manual_seed(1))
    answers = measured(task, outputs, encoded)
    groups = np.zeros(len(encoded), dtype=np.int64)
    for name, metric in task.metrics.items():
        value = metric.measure(encoded, answers, weights=np.ones(len(encoded)), groups=groups)
        assert np.isfinite(value), name
