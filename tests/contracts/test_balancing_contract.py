"""What holds for every balancing method. A new one is found by itself: see docs/how-to."""

from __future__ import annotations

import math

import families
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec import balancing
from jointrec.balancing.base import Balancer, Balancing
from jointrec.errors import ProjectError

SCALES = {"click": 0.5, "buy": 0.1, "spend": 4.0}
MEMBERS = families.members(balancing, Balancing)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)
three_losses = st.lists(st.floats(1e-4, 1e3), min_size=3, max_size=3)


def built(cls: type, scales=SCALES) -> Balancer:
    return cls().build(scales)


def pull(balancer: Balancer, losses) -> list[float]:
    """How hard each task pulls: the gradient of the one loss by each loss."""
    leaves = torch.tensor(losses, dtype=torch.float64).requires_grad_()
    total = balancer.combine(leaves)
    assert total.shape == ()
    assert torch.isfinite(total)
    balancer.zero_grad()
    total.backward()
    return leaves.grad.tolist()


def check_every_task_pulls_its_way(balancer: Balancer, losses) -> None:
    """A lower loss is better, for every task: nobody is pushed back, nobody left out."""
    assert all(0 < weight < math.inf for weight in pull(balancer, losses))


def check_one_task_is_plain_training(balancer: Balancer, loss: float) -> None:
    """With one task, what is learned goes where it goes without balancing."""
    (weight,) = pull(balancer, [loss])
    assert 0 < weight < math.inf


def check_the_absent_do_no_harm(cls: type, losses) -> None:
    """A task without a known row in the batch weighs on none, and learns nothing itself."""
    click, _, spend = losses
    few = {task: scale for task, scale in SCALES.items() if task != "buy"}
    balancer = built(cls)
    with_absent, without = (
        pull(balancer, [click, 0.0, spend]),
        pull(built(cls, few), [click, spend]),
    )
    assert [with_absent[0], with_absent[2]] == pytest.approx(without, rel=1e-6)
    assert math.isfinite(with_absent[1])
    for parameter in balancer.parameters():
        assert parameter.grad[1] == 0


def check_order_is_nothing(cls: type, losses) -> None:
    """Tasks named in another order pull as they did."""
    turned = dict(reversed(SCALES.items()))
    one, other = pull(built(cls), losses), pull(built(cls, turned), losses[::-1])
    assert one == pytest.approx(other[::-1], rel=1e-6)


def test_all_members_are_listed():
    assert families.unlisted(balancing, Balancing) == []


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
@settings(max_examples=30)
@given(losses=three_losses)
def test_every_task_pulls_its_way(cls, losses):
    check_every_task_pulls_its_way(built(cls), losses)


@every
def test_a_loss_below_zero_pulls_its_way_too(cls):
    check_every_task_pulls_its_way(built(cls), [0.3, 0.2, -1.5])
    check_every_task_pulls_its_way(built(cls), [-0.3, -0.2, -1.5])


@every
@settings(max_examples=30)
@given(loss=st.floats(1e-4, 1e3))
def test_one_task_is_plain_training(cls, loss):
    check_one_task_is_plain_training(built(cls, {"click": 0.5}), loss)


@every
@settings(max_examples=30)
@given(losses=three_losses)
def test_the_absent_do_no_harm(cls, losses):
    check_the_absent_do_no_harm(cls, losses)


@every
def test_nobody_there_is_no_harm(cls):
    balancer = built(cls)
    assert all(math.isfinite(weight) for weight in pull(balancer, [0.0, 0.0, 0.0]))
    assert balancer.combine(torch.zeros(3)) == 0
    assert all(not parameter.grad.any() for parameter in balancer.parameters())


@every
@settings(max_examples=30)
@given(losses=three_losses)
def test_order_is_nothing(cls, losses):
    check_order_is_nothing(cls, losses)


@every
def test_gradients_reach_all_parameters(cls):
    balancer = built(cls)
    if list(balancer.parameters()):
        families.check_gradients_reach(balancer, balancer.combine(torch.tensor([1.0, 2.0, 3.0])))


@every
@pytest.mark.parametrize("losses", [[1e4, 1e4, 1e4], [1e-12, 1e4, 1.0]])
def test_finite_at_extremes(cls, losses):
    assert all(math.isfinite(weight) for weight in pull(built(cls), losses))


@every
def test_what_is_learned_stays_in_bounds(cls):
    """Losses that stay small, large or below zero for long lead to no runaway weight."""
    balancer = built(cls)
    if not list(balancer.parameters()):
        return
    optimizer = torch.optim.Adam(balancer.parameters(), lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        balancer.combine(torch.tensor([0.01, 10.0, -3.0])).backward()
        optimizer.step()
    weights = pull(balancer, [0.01, 10.0, -3.0])
    relative = [w * s for w, s in zip(weights, SCALES.values(), strict=True)]
    assert all(0.099 < weight < 10.1 for weight in relative)
    assert relative[0] > 5 > 0.2 > relative[1]


# --- planted faults ------------------------------------------------------------------------------


class Absolute(Balancer):
    """Punishes a loss below zero for being good."""

    def combine(self, losses):
        return losses.abs().sum()


class ByPlace(Balancing):
    """Counts the first task most, and the mean over all, there or not."""

    def build(self, scales):
        return _ByPlace()


class _ByPlace(Balancer):
    def combine(self, losses):
        return (losses / torch.arange(1, len(losses) + 1)).mean()


class Product(Balancing):
    """A geometric mean that forgets about tasks that are not there."""

    def build(self, scales):
        return _Product()


class _Product(Balancer):
    def combine(self, losses):
        return losses.prod() ** (1 / len(losses))


def test_a_method_that_pushes_a_task_back_is_found():
    with pytest.raises(AssertionError):
        check_every_task_pulls_its_way(Absolute(), [0.3, 0.2, -1.5])


def test_a_method_that_reads_the_order_of_tasks_is_found():
    with pytest.raises(AssertionError):
        check_order_is_nothing(ByPlace, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("cls", [Product, ByPlace])
def test_a_method_that_the_absent_harm_is_found(cls):
    with pytest.raises(AssertionError):
        check_the_absent_do_no_harm(cls, [1.0, 2.0, 3.0])


# --- each by eye ---------------------------------------------------------------------------------

LOSSES = torch.tensor([1.0, 0.4, 2.0])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (balancing.Equal(), 1.0 + 0.4 + 2.0),
        (balancing.Normalized(), 2.0 + 4.0 + 0.5),
        (balancing.Weighted({"buy": 3.0}), 2.0 + 12.0 + 0.5),
        (balancing.Weighted(), 2.0 + 4.0 + 0.5),
        (balancing.Uncertainty(), 2.0 + 4.0 + 0.5),
        (balancing.Geometric(), (1.0 * 0.4 * 2.0) ** (1 / 3)),
    ],
    ids=repr,
)
def test_worked_values(method, expected):
    assert method.build(SCALES).combine(LOSSES).item() == pytest.approx(expected, rel=1e-6)


def test_the_units_of_a_loss_mean_nothing_to_geometric():
    one, other = pull(built(balancing.Geometric), [1.0, 0.4, 2.0]), [1.0, 400.0, 2.0]
    turned = pull(built(balancing.Geometric), other)
    assert one[0] / one[2] == pytest.approx(turned[0] / turned[2], rel=1e-6)
    assert one[0] / (one[1] * 0.4) == pytest.approx(turned[0] / (turned[1] * 400.0), rel=1e-6)


def test_uncertainty_settles_where_the_weight_is_one_over_the_loss():
    balancer = built(balancing.Uncertainty)
    optimizer = torch.optim.Adam(balancer.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        balancer.combine(torch.tensor([0.25, 0.2, 4.0])).backward()
        optimizer.step()
    relative = [
        w * s for w, s in zip(pull(balancer, [0.25, 0.2, 4.0]), SCALES.values(), strict=True)
    ]
    assert relative == pytest.approx([2.0, 0.5, 1.0], rel=1e-3)


def test_a_weight_for_nobody_is_refused():
    with pytest.raises(ProjectError) as caught:
        balancing.Weighted({"clik": 2.0, "buy": 1.0}).build(SCALES)
    assert str(caught.value) == (
        "balancing.weights: there is no task `clik`. Did you mean `click`? "
        "Known: buy, click, spend."
    )


def test_a_task_by_itself_needs_no_weight_of_others():
    balancer = balancing.Weighted({"buy": 2.0, "spend": 3.0}).build({"click": 0.5})
    assert pull(balancer, [1.0]) == [2.0]


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_a_weight_is_above_zero(weight):
    with pytest.raises(ProjectError) as caught:
        balancing.Weighted({"buy": weight})
    assert str(caught.value) == (
        f"`weights`: that of `buy` should be a number above 0. Found `{weight}`."
    )
