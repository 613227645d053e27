"""How tasks pull on what they share, against one pass back for each task."""

from __future__ import annotations

import pytest
import torch

from jointrec import balancing, sharing
from jointrec.sharing import Heard
from jointrec.training.pulls import pulls

TASKS = ("click", "buy", "spend")


def loss_of(place: int, vector: torch.Tensor) -> torch.Tensor:
    """Some loss of a task's vector, curved, and another for each task."""
    weights = torch.linspace(-1, 1 + place, vector.shape[1], dtype=vector.dtype)
    return torch.sin(vector @ weights + place).square().mean()


def test_one_pass_back_gives_the_inner_products_of_as_many_as_there_are_tasks() -> None:
    torch.manual_seed(0)
    network = sharing.MMoE(widths=(6, 5), experts=3, dropout=0.0).build(4, TASKS).double()
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.3 * torch.randn_like(weight)
    x = torch.randn(7, 4, dtype=torch.float64)
    heard = network.heard(x, TASKS)
    losses = torch.stack([loss_of(n, heard.vectors[task]) for n, task in enumerate(TASKS)])
    got = pulls(losses, TASKS, [heard])

    things = network.experts([x], [0]).detach().requires_grad_()
    again = (heard.shares.detach() @ things).unbind(1)
    slow = torch.stack(
        [
            torch.autograd.grad(loss_of(n, vector), things, retain_graph=True)[0].flatten()
            for n, vector in enumerate(again)
        ]
    )
    torch.testing.assert_close(got, slow @ slow.T, rtol=1e-5, atol=1e-9)
    assert (got < 0).any()
    losses.sum().backward()  # the graph is kept


def test_tasks_of_two_grains_and_tasks_that_are_not_there_do_not_meet() -> None:
    vectors = [torch.randn(4, 3, requires_grad=True) for _ in range(3)]
    ones = torch.ones(4, 1, 1)
    heard = [Heard({"buy": vectors[1]}, ones), Heard({"spend": vectors[2], "click": vectors[0]},
             ones.expand(4, 2, 1))]  # fmt: skip
    losses = torch.stack([vectors[0].square().sum(), vectors[1].exp().sum(), torch.zeros(())])
    got = pulls(losses, TASKS, heard)
    assert got.shape == (3, 3)
    assert (got.diagonal() > 0).tolist() == [True, True, False]
    assert not (got - got.diagonal().diag()).any()
    assert not pulls(torch.zeros(3), TASKS, heard).any()


def drawn(seed: int, tasks: int = 4) -> torch.Tensor:
    """Inner products of gradients that conflict."""
    chance = torch.Generator().manual_seed(seed)
    gradients = torch.randn(tasks, tasks + 1, generator=chance, dtype=torch.float64)
    return gradients @ gradients.T


def weights_of(method: balancing.Balancing, products: torch.Tensor) -> torch.Tensor:
    """What a method makes of pulls: the gradient of the one loss by each loss."""
    losses = torch.ones(len(products), dtype=torch.float64, requires_grad=True)
    scales = {str(n): 1.0 for n in range(len(products))}
    method.build(scales).combine(losses, products).backward()
    assert losses.grad is not None
    return losses.grad


@pytest.mark.parametrize("seed", range(8))
def test_upgrad_moves_no_task_backwards(seed: int) -> None:
    """The common gradient opposes none; with one that only sums, some are opposed."""
    products = drawn(seed)
    progress = products @ weights_of(balancing.UPGrad(), products)
    assert (progress > -2e-3 * products.diagonal().mean()).all()


def test_summing_moves_some_task_backwards() -> None:
    """What the test above would say of plain training."""
    assert any((drawn(seed).sum(dim=1) < -0.1).any() for seed in range(8))


@pytest.mark.parametrize("seed", range(8))
def test_upgrad_is_the_nearest_that_opposes_none(seed: int) -> None:
    """Karush, Kuhn and Tucker: v ≥ u, G v ≥ 0, and never both above their bound."""
    products = (drawn(seed) + 0.05 * torch.eye(4, dtype=torch.float64)).numpy()
    found = balancing.pulls.least(products, torch.eye(4, dtype=torch.float64).numpy(), 0.0)
    for task, v in enumerate(found):
        above = v - (torch.arange(4) == task).double().numpy()
        slopes = products @ v
        assert (above > -1e-9).all()
        assert (slopes > -1e-4).all()
        assert abs(above * slopes).max() < 1e-4


@pytest.mark.parametrize("seed", range(8))
def test_mgda_finds_the_shortest(seed: int) -> None:
    """At the shortest, every task that counts has the same inner product with it, others more."""
    products = drawn(seed) + 0.05 * torch.eye(4, dtype=torch.float64)
    weights = weights_of(balancing.MGDA(), products) / 4
    assert weights.sum().item() == pytest.approx(1)
    assert (weights >= 0).all()
    length, along = weights @ products @ weights, products @ weights
    assert (along > length - 2e-3 * products.diagonal().mean()).all()
    spread = (along[weights > 1e-6] - length).abs().max()
    assert spread < 2e-3 * products.diagonal().mean()


@pytest.mark.parametrize("method", [balancing.UPGrad(), balancing.MGDA()])
def test_without_conflict_all_weigh_one(method: balancing.Balancing) -> None:
    weights = weights_of(method, 3 * torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(weights, torch.ones(3, dtype=torch.float64), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", [balancing.UPGrad(), balancing.MGDA()])
def test_units_mean_nothing(method: balancing.Balancing) -> None:
    """A loss in cents, with its scale and its gradients in cents, weighs what it did."""
    products, losses = drawn(1, 3), torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    units = torch.tensor([1.0, 100.0, 1.0], dtype=torch.float64)
    one = method.build(dict.fromkeys(TASKS, 1.0)).combine(losses, products)
    scales = dict(zip(TASKS, units.tolist(), strict=True))
    other = method.build(scales).combine(losses * units, products * torch.outer(units, units))
    assert other.item() == pytest.approx(one.item(), rel=1e-6)


def test_those_who_are_not_there_weigh_on_none() -> None:
    products = drawn(2, 3)
    padded = torch.zeros(4, 4, dtype=torch.float64)
    padded[:3, :3] = products
    for method in (balancing.UPGrad(), balancing.MGDA()):
        torch.testing.assert_close(weights_of(method, padded)[:3], weights_of(method, products))
        assert weights_of(method, padded)[3] == 1
