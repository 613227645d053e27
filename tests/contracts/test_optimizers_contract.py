"""What holds for every optimizer of the network."""

from __future__ import annotations

import copy
from dataclasses import replace

import families
import pytest
import torch
from torch import nn

from jointrec import optimizers
from jointrec.errors import ProjectError
from jointrec.optimizers import Optimizer

MEMBERS = families.members(optimizers, Optimizer)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)
GOAL = torch.tensor([0.5, -0.3, 0.0, 0.8])
STIFFNESS = torch.tensor([1.0, 4.0, 2.0, 0.5])


def bowl(weights: torch.Tensor) -> torch.Tensor:
    """Lowest at the goal, and steeper one way than another."""
    return (STIFFNESS * (weights - GOAL).square()).sum()


def walk(optimizer: torch.optim.Optimizer, weights: nn.Parameter, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        bowl(weights).backward()
        optimizer.step()


def check_finds_the_lowest_point(member: Optimizer) -> None:
    weights = nn.Parameter(torch.zeros(4))
    walk(member.build([weights]), weights, 800)
    assert weights.detach().tolist() == pytest.approx(GOAL.tolist(), abs=0.002)


def check_goes_on_from_its_state(member: Optimizer) -> None:
    """Stopped and restored from what it says of itself, it takes the same steps bit by bit."""
    whole, halves = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(4))
    walk(member.build([whole]), whole, 20)
    first = member.build([halves])
    walk(first, halves, 10)
    second = member.build([halves])
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    walk(second, halves, 10)
    assert torch.equal(whole, halves)


def test_all_members_are_listed():
    assert families.unlisted(optimizers, Optimizer) == []


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
def test_finds_the_lowest_point(cls):
    check_finds_the_lowest_point(cls(lr=0.01))


@every
def test_goes_on_from_its_state(cls):
    check_goes_on_from_its_state(cls())


@every
def test_what_got_no_gradient_does_not_move(cls):
    moved, left = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))
    walk(cls().build([moved, left]), moved, 5)
    assert left.tolist() == [1.0] * 4
    assert (moved != 1).all()


@every
def test_the_rate_is_the_one_asked_for(cls):
    built = replace(cls(), lr=0.25).build([nn.Parameter(torch.zeros(1))])
    assert [group["lr"] for group in built.param_groups] == [0.25]


@every
def test_finite_at_extremes(cls):
    weights = nn.Parameter(torch.zeros(4))
    optimizer = cls().build([weights])
    for size in (1e4, 0.0, 1e-20, -1e4):
        weights.grad = torch.full((4,), size)
        optimizer.step()
        assert torch.isfinite(weights).all()


# --- planted faults ------------------------------------------------------------------------------


class Uphill(Optimizer):
    def build(self, parameters):
        return torch.optim.SGD(parameters, lr=self.lr, maximize=True)


class Forgetful(Optimizer):
    """Keeps its momentum to itself, where no checkpoint finds it."""

    def build(self, parameters):
        return _Forgetful(parameters, lr=self.lr)


class _Forgetful(torch.optim.SGD):
    speed = 0.0

    def step(self):
        for parameter in self.param_groups[0]["params"]:
            self.speed = 0.9 * self.speed + parameter.grad
            parameter.data -= self.defaults["lr"] * self.speed


def test_an_optimizer_that_climbs_is_found():
    with pytest.raises(AssertionError):
        check_finds_the_lowest_point(Uphill(lr=0.01))


def test_an_optimizer_that_forgets_is_found():
    check_finds_the_lowest_point(Forgetful(lr=0.01))
    with pytest.raises(AssertionError):
        check_goes_on_from_its_state(Forgetful())


# --- each by eye ---------------------------------------------------------------------------------


def stepped(member: Optimizer, gradients: list[float]) -> float:
    weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = member.build([weight])
    for gradient in gradients:
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
    return weight.item()


def test_worked_steps():
    assert stepped(optimizers.SGD(lr=0.1, momentum=0.5), [2.0, 2.0]) == pytest.approx(0.5)
    assert stepped(optimizers.Adam(lr=0.1), [3.0]) == pytest.approx(0.9, abs=1e-8)
    assert stepped(optimizers.AdamW(lr=0.1, weight_decay=0.5), [3.0]) == pytest.approx(
        1 - 0.1 * 0.5 - 0.1, abs=1e-8
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.Adam(lr=0.0), "`lr` should be above 0. Found `0.0`."),
        (lambda: optimizers.AdamW(lr=float("inf")), "`lr` should be above 0. Found `inf`."),
        (
            lambda: optimizers.AdamW(weight_decay=-1.0),
            "`weight_decay` should be 0 or above. Found `-1.0`.",
        ),
        (
            lambda: optimizers.SGD(momentum=1.0),
            "`momentum` should be from 0 to below 1. Found `1.0`.",
        ),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(ProjectError) as caught:
        make()
    assert str(caught.value) == message
