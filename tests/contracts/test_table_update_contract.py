"""What holds for every way to move rows of the embedding table."""

from __future__ import annotations

import families
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec import optimizers
from jointrec.errors import ProjectError
from jointrec.optimizers import TableUpdate, table_update

MEMBERS = families.members(optimizers, TableUpdate)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)
ROWS, WIDTH = 9, 4


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def check_the_rest_stays(update: TableUpdate, touched: list[int]) -> None:
    """Rows that a batch did not touch keep their bits, and so does what is remembered of them."""
    table, state = random(ROWS, WIDTH), update.state(ROWS, WIDTH)
    before, memory = table.clone(), state.clone()
    gradients = random(len(touched), WIDTH, seed=1)
    update.apply(table, state, torch.tensor(touched, dtype=torch.int64), gradients)
    moved = torch.zeros(ROWS, dtype=torch.bool)
    moved[touched] = True
    assert torch.equal(table[~moved], before[~moved])
    assert torch.equal(state[~moved], memory[~moved])
    assert (table[moved] != before[moved]).all()


def check_finds_the_lowest_point(update: TableUpdate) -> None:
    """Rows seen often and rows seen seldom all come to where they should be."""
    goal, table, state = random(ROWS, WIDTH), torch.zeros(ROWS, WIDTH), update.state(ROWS, WIDTH)
    for step in range(600):
        touched = torch.arange(ROWS)[step % 2 :: 1 + step % 3]
        update.apply(table, state, touched, table[touched] - goal[touched])
    torch.testing.assert_close(table, goal, rtol=0, atol=1e-3)


def test_all_members_are_listed():
    assert families.unlisted(optimizers, TableUpdate) == []


def test_the_two_families_are_apart():
    assert not {*MEMBERS} & {*families.members(optimizers, optimizers.Optimizer)}


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
def test_state_of_no_and_of_many_rows(cls):
    for rows in (0, 1, ROWS):
        state = cls().state(rows, WIDTH)
        assert len(state) == rows and state.ndim == 2
        assert torch.isfinite(state).all()


@every
@settings(max_examples=30)
@given(touched=st.lists(st.integers(0, ROWS - 1), unique=True))
def test_the_rest_stays(cls, touched):
    check_the_rest_stays(cls(), touched)


@every
def test_finds_the_lowest_point(cls):
    check_finds_the_lowest_point(cls(lr=0.5))


@every
def test_no_gradient_is_no_move(cls):
    update, table = cls(), random(ROWS, WIDTH)
    before = table.clone()
    update.apply(table, update.state(ROWS, WIDTH), torch.arange(ROWS), torch.zeros(ROWS, WIDTH))
    assert torch.equal(table, before)


@every
@pytest.mark.parametrize("size", [1e4, 1e-20])
def test_finite_at_extremes(cls, size):
    update, table = cls(), random(ROWS, WIDTH)
    state = update.state(ROWS, WIDTH)
    for _ in range(3):
        update.apply(table, state, torch.arange(ROWS), torch.full((ROWS, WIDTH), size))
    assert torch.isfinite(table).all()
    assert torch.isfinite(state).all()


@every
def test_the_order_of_the_rows_is_nothing(cls):
    update, tables = cls(), []
    gradients = random(ROWS, WIDTH, seed=1)
    for order in (torch.arange(ROWS), torch.arange(ROWS).flip(0)):
        table, state = random(ROWS, WIDTH), update.state(ROWS, WIDTH)
        update.apply(table, state, order, gradients[order])
        tables.append(table)
    assert torch.equal(*tables)


# --- planted faults ------------------------------------------------------------------------------


class Fading(TableUpdate):
    """Lets all rows fade, as a dense optimizer with weight decay does."""

    def state(self, rows, width):
        return torch.zeros(rows, 1)

    def apply(self, table, state, touched, gradients):
        table *= 0.99
        table[touched] -= self.lr * gradients


class Copying(Fading):
    """Works on a copy, so nothing moves."""

    def apply(self, table, state, touched, gradients):
        super().apply(table.clone(), state, touched, gradients)


def test_an_update_that_moves_other_rows_is_found():
    with pytest.raises(AssertionError):
        check_the_rest_stays(Fading(), [1, 4])


def test_an_update_that_moves_nothing_is_found():
    with pytest.raises(AssertionError):
        check_the_rest_stays(Copying(), [1, 4])
    with pytest.raises(AssertionError):
        check_finds_the_lowest_point(Copying())


# --- the slow way --------------------------------------------------------------------------------


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), lr=st.floats(0.001, 0.1))
def test_rowwise_adagrad_by_the_slow_way(seed, lr):
    update = optimizers.RowwiseAdagrad(lr=lr)
    table, state = 0.1 * random(ROWS, WIDTH, seed=seed), update.state(ROWS, WIDTH)
    slow, memory = table.numpy().astype(np.float64), np.zeros(ROWS)
    generator = np.random.default_rng(seed)
    for _ in range(60):
        touched = generator.permutation(ROWS)[: generator.integers(0, ROWS + 1)]
        gradients = generator.normal(size=(len(touched), WIDTH)).astype(np.float32)
        update.apply(table, state, torch.from_numpy(touched), torch.from_numpy(gradients))
        for row, gradient in zip(touched, gradients.astype(np.float64), strict=True):
            memory[row] += sum(g * g for g in gradient) / WIDTH
            slow[row] -= lr * gradient / (np.sqrt(memory[row]) + 1e-8)
    np.testing.assert_allclose(table.numpy(), slow, rtol=0, atol=1e-6)
    np.testing.assert_allclose(state[:, 0].numpy(), memory, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.RowwiseAdagrad(lr=-1.0), "`lr` should be above 0. Found `-1.0`."),
        (lambda: optimizers.RowwiseAdagrad(eps=0.0), "`eps` should be above 0. Found `0.0`."),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(ProjectError) as caught:
        make()
    assert str(caught.value) == message


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), lr=st.floats(0.001, 0.1))
def test_lazy_adam_by_the_slow_way(seed, lr):
    update = optimizers.LazyAdam(lr=lr)
    table, state = 0.1 * random(ROWS, WIDTH, seed=seed), update.state(ROWS, WIDTH)
    slow = table.numpy().astype(np.float64)
    steps, mean, square = np.zeros(ROWS), np.zeros((ROWS, WIDTH)), np.zeros((ROWS, WIDTH))
    generator = np.random.default_rng(seed)
    for _ in range(60):
        touched = generator.permutation(ROWS)[: generator.integers(0, ROWS + 1)]
        gradients = generator.normal(size=(len(touched), WIDTH)).astype(np.float32)
        update.apply(table, state, torch.from_numpy(touched), torch.from_numpy(gradients))
        for row, gradient in zip(touched, gradients.astype(np.float64), strict=True):
            steps[row] += 1
            mean[row] = 0.9 * mean[row] + 0.1 * gradient
            square[row] = 0.999 * square[row] + 0.001 * gradient**2
            size = np.sqrt(square[row] / (1 - 0.999 ** steps[row])) + 1e-8
            slow[row] -= lr * mean[row] / (1 - 0.9 ** steps[row]) / size
    # Sixty steps of lr, each right to the seven digits of float32.
    np.testing.assert_allclose(table.numpy(), slow, rtol=0, atol=3e-5 * lr * 60)


def test_lazy_adam_is_adam_for_rows_of_every_step():
    table = random(ROWS, WIDTH)
    dense = torch.nn.Parameter(table.clone())
    adam = torch.optim.Adam([dense], lr=0.01)
    update = optimizers.LazyAdam(lr=0.01)
    state = update.state(ROWS, WIDTH)
    for step in range(20):
        dense.grad = random(ROWS, WIDTH, seed=step + 1)
        adam.step()
        update.apply(table, state, torch.arange(ROWS), dense.grad)
    torch.testing.assert_close(table, dense.detach(), rtol=0, atol=1e-6)


@every
def test_compiled_rows_move_alike(cls, monkeypatch):
    """The loop of numba and the passes of PyTorch come to the same, for rows seen again too."""
    pytest.importorskip("numba", reason="numba is not installed: pip install jointrec[fast]")
    rows, found = 400, {}
    for worth in (1, rows + 1):
        monkeypatch.setattr(table_update, "WORTH", worth)
        update, table = cls(), random(rows, WIDTH)
        state = update.state(rows, WIDTH)
        for step in range(5):
            touched = torch.randperm(rows, generator=torch.Generator().manual_seed(step))[:250]
            update.apply(table, state, touched, random(250, WIDTH, seed=step))
        found[worth] = table
    torch.testing.assert_close(*found.values(), rtol=0, atol=1e-6)
    assert not torch.equal(found[1], random(rows, WIDTH))
