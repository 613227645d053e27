"""Every way of sharing, with every way of balancing, learns two tasks that oppose each other."""

from __future__ import annotations

import families
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from jointrec import balancing, sharing
from jointrec.optimizers import AdamW

TASKS = ("same", "other")


def board(rows: int = 256) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Points of a 2 × 2 board; one task asks for the white fields, the other for the black."""
    x = torch.rand(rows, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    white = (x[:, 0] * x[:, 1] > 0).float()
    return x, {"same": white, "other": 1 - white}


def shares_right(way: sharing.Sharing, method: balancing.Balancing, steps: int = 60) -> list[float]:
    """For each task the share of points that it gets right after training."""
    torch.manual_seed(0)
    x, labels = board()
    shared = way.build(2, TASKS)
    heads = nn.ModuleDict({task: nn.Linear(way.widths[-1], 1) for task in TASKS})
    balancer = method.build(dict.fromkeys(TASKS, 0.6931))
    parameters = [p for part in (shared, heads, balancer) for p in part.parameters()]
    optimizer = AdamW(lr=0.02).build(parameters)
    for _ in range(steps):
        given = shared(x, TASKS)
        outputs = {task: heads[task](given[task]).squeeze(1) for task in TASKS}
        losses = [binary_cross_entropy_with_logits(outputs[t], labels[t]) for t in TASKS]
        optimizer.zero_grad()
        balancer.combine(torch.stack(losses)).backward()
        optimizer.step()
    return [((outputs[t] > 0) == labels[t].bool()).float().mean().item() for t in TASKS]


def pairs() -> list[object]:
    """Every way with every method; of these, fast, as many as have each of them at least once."""
    ways = families.members(sharing, sharing.Sharing)
    methods = families.members(balancing, balancing.Balancing)
    most = max(len(ways), len(methods))
    fast = {(n % len(ways), n % len(methods)) for n in range(most)}
    return [
        pytest.param(way, method, marks=() if (w, m) in fast else pytest.mark.slow)
        for w, way in enumerate(ways)
        for m, method in enumerate(methods)
    ]


@pytest.mark.parametrize(("way", "method"), pairs())
def test_two_opposing_tasks_are_learned(way, method):
    assert min(shares_right(way(widths=(16, 8)), method())) > 0.9


def test_without_learning_nothing_is_known():
    assert min(shares_right(sharing.PLE(widths=(16, 8)), balancing.Equal(), steps=1)) < 0.8
