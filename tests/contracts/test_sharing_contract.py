"""What holds for every way of sharing."""

from __future__ import annotations

import families
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from jointrec import sharing
from jointrec.errors import ProjectError
from jointrec.sharing.base import Heard, SharedNetwork, Sharing

SIZE, TASKS = 6, ("click", "buy", "type", "a.b", "items")
MEMBERS = [cls(widths=(8, 4)) for cls in families.members(sharing, Sharing)]
DEEP = [
    sharing.SharedBottom(widths=(5,)),
    sharing.MMoE(widths=(5, 4, 3), experts=1),
    sharing.PLE(widths=(8, 4), levels=2),
    sharing.PLE(widths=(5,), shared=1, own=2, levels=3),
]
every = pytest.mark.parametrize("member", [*MEMBERS, *DEEP], ids=repr)


def built(member: Sharing, seed: int = 0) -> SharedNetwork:
    torch.manual_seed(seed)
    return families.shaken(member.build(SIZE, TASKS)).eval()


def rows_of(rows: int, *, seed: int = 1, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(rows, SIZE, generator=torch.Generator().manual_seed(seed))


def check_rows_are_alone(network: SharedNetwork) -> None:
    """A row comes out the same bit by bit, whatever the other rows hold, in training too."""
    before, after = rows_of(6, seed=1), rows_of(6, seed=2)
    after[2] = before[2]
    for mode in (True, False):
        network.train(mode)
        torch.manual_seed(3)  # the same activations are dropped both times
        one = network(before, TASKS)
        torch.manual_seed(3)
        other = network(after, TASKS)
        assert all(torch.equal(one[task][2], other[task][2]) for task in TASKS)


def check_nobody_else_matters(network: SharedNetwork) -> None:
    """A task gets the same whoever is asked beside it."""
    x = rows_of(5)
    together = network(x, TASKS)
    for task in TASKS:
        for asked in ((task,), tuple(reversed(TASKS)), (TASKS[0], task)):
            torch.testing.assert_close(network(x, asked)[task], together[task], rtol=0, atol=1e-6)


def used_by(network: SharedNetwork, task: str) -> set[str]:
    """The parameters that a task by itself gives a gradient to."""
    network.zero_grad()
    network(rows_of(5), (task,))[task].square().sum().backward()
    return {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}


def check_own_is_own(network: SharedNetwork) -> None:
    """What only other tasks use can change without a change to a task, even asked together."""
    x = rows_of(5)
    for task in TASKS:
        own = used_by(network, task)
        before = network(x, TASKS)[task]
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if name not in own:
                    parameter += 1.0
        assert torch.equal(network(x, TASKS)[task], before)


def check_the_unasked_rest(network: SharedNetwork) -> None:
    """What serves only tasks that are not asked gets no gradient, not even zeros."""
    own = used_by(network, "buy")
    touched = {name for name, p in network.named_parameters() if p.grad is not None}
    assert touched == own


def test_all_members_are_listed():
    assert families.unlisted(sharing, Sharing) == []


@pytest.mark.parametrize("cls", families.members(sharing, Sharing))
def test_declaration(cls):
    families.check_declaration(cls)


@every
@settings(max_examples=15)
@given(rows=st.integers(0, 4), asked=st.lists(st.sampled_from(TASKS), min_size=1, unique=True))
def test_one_vector_per_row_and_task(member, rows, asked):
    given_ = built(member)(rows_of(rows), asked)
    assert list(given_) == asked
    assert {x.shape for x in given_.values()} == {(rows, member.widths[-1])}


@every
def test_shares_are_of_each_task_and_at_most_all(member):
    heard = built(member).heard(rows_of(4), TASKS[:3])
    assert heard.shares.shape[:2] == (4, 3)
    assert (heard.shares >= 0).all()
    assert (heard.shares.sum(dim=2) <= 1 + 1e-6).all()


@every
def test_rows_are_alone(member):
    check_rows_are_alone(built(member))


@every
def test_nobody_else_matters(member):
    check_nobody_else_matters(built(member))


@every
def test_own_is_own(member):
    check_own_is_own(built(member))


# The gate of a single expert decides nothing, so members that have one are left out.
@pytest.mark.parametrize("member", [*MEMBERS, DEEP[2]], ids=repr)
def test_the_unasked_rest(member):
    check_the_unasked_rest(built(member))


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
def test_gradients_reach_all_parameters(member):
    network = built(member)
    total = torch.stack(list(network(rows_of(7), TASKS).values())).square().sum()
    families.check_gradients_reach(network, total)


@every
def test_finite_at_extremes(member):
    network = built(member)
    x = rows_of(5, scale=1e4).requires_grad_()
    families.check_finite_gradients(network, torch.stack(list(network(x, TASKS).values())).mean())
    assert torch.isfinite(x.grad).all()


@every
def test_the_seed_decides(member):
    assert families.same_weights(built(member), built(member))
    assert not families.same_weights(built(member), built(member, seed=1))


@pytest.mark.parametrize("cls", families.members(sharing, Sharing))
def test_dropout_is_for_training_and_follows_the_seed(cls):
    network, plain = built(cls(widths=(8, 4), dropout=0.5)), built(cls(widths=(8, 4)))
    x = rows_of(5)
    assert torch.equal(network(x, TASKS)["buy"], plain(x, TASKS)["buy"])
    network.train()
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(network(x, TASKS)["buy"])
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


# --- planted faults ------------------------------------------------------------------------------


def alone(vectors) -> Heard:
    """Vectors that share nothing."""
    rows = len(next(iter(vectors.values())))
    return Heard(vectors, torch.zeros(rows, len(vectors), 0))


class Normalising(SharedNetwork):
    """Normalises over the batch."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(SIZE)

    def heard(self, x, tasks):
        return alone(dict.fromkeys(tasks, self.norm(x)))


class Mingling(SharedNetwork):
    """Each task has weights of its own, and takes the mean over all who are asked."""

    def __init__(self):
        super().__init__()
        self.own = nn.ModuleList(nn.Linear(SIZE, 4) for _ in TASKS)

    def heard(self, x, tasks):
        return alone(
            dict.fromkeys(tasks, sum(self.own[TASKS.index(t)](x) for t in tasks) / len(tasks))
        )


class Stacking(SharedNetwork):
    """One weight for all tasks, of which each takes its slice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(SIZE, 4)
        self.second = nn.Linear(SIZE, 4)

    def heard(self, x, tasks):
        both = {"buy": self.first(x), "other": self.second(x)}
        return alone({task: both.get(task, both["other"]) + 0 * both["other"] for task in tasks})


def test_a_network_that_looks_at_other_rows_is_found():
    with pytest.raises(AssertionError):
        check_rows_are_alone(Normalising())


def test_a_network_that_depends_on_who_is_asked_is_found():
    with pytest.raises(AssertionError):
        check_nobody_else_matters(Mingling())
    with pytest.raises(AssertionError):
        check_own_is_own(Mingling())


def test_a_network_that_moves_the_unasked_is_found():
    with pytest.raises(AssertionError):
        check_the_unasked_rest(Stacking())


# --- each by the slow way ------------------------------------------------------------------------


def slow_expert(experts, group, number, x):
    """One expert, computed by itself."""
    for place, layer in enumerate(experts.layers):
        x = layer.weights[group][number] @ x + layer.biases[group][number]
        if place < len(experts.layers) - 1:
            x = x.clamp(min=0)
    x = (x - x.mean()) / torch.sqrt(((x - x.mean()) ** 2).mean() + 1e-5)
    x = x * experts.gains[group][number] + experts.shifts[group][number]
    return x.clamp(min=0)


def slow_mix(gates, reader, x, opinions):
    scores = gates.weights[reader] @ x
    shares = scores.exp() / scores.exp().sum()
    return sum(share * opinion for share, opinion in zip(shares, opinions, strict=True))


def test_mmoe_by_the_slow_way():
    network = built(sharing.MMoE(widths=(5, 4), experts=3)).double()
    x = rows_of(4).double()
    got = network(x, ["type", "click"])
    for row, task, place in ((0, "type", 2), (3, "click", 0)):
        opinions = [slow_expert(network.experts, 0, number, x[row]) for number in range(3)]
        expected = slow_mix(network.gates, place, x[row], opinions)
        torch.testing.assert_close(got[task][row], expected, rtol=1e-12, atol=1e-12)


def test_ple_by_the_slow_way():
    network = built(sharing.PLE(widths=(5, 4), shared=2, own=2, levels=2)).double()
    x = rows_of(4).double()
    got = network(x, ["type", "click"])
    low, high = network.levels
    for row, task, group in ((0, "type", 3), (3, "click", 1)):
        shared = [slow_expert(low.experts, 0, number, x[row]) for number in range(2)]
        own = [slow_expert(low.experts, group, number, x[row]) for number in range(2)]
        below = slow_mix(low.between, 0, x[row], shared)
        mine = slow_mix(low.gates, group - 1, x[row], own + shared)
        shared = [slow_expert(high.experts, 0, number, below) for number in range(2)]
        own = [slow_expert(high.experts, group, number, mine) for number in range(2)]
        expected = slow_mix(high.gates, group - 1, mine, own + shared)
        torch.testing.assert_close(got[task][row], expected, rtol=1e-12, atol=1e-12)


def test_gates_start_by_listening_to_all_alike():
    network = sharing.MMoE(widths=(4,), experts=4).build(SIZE, TASKS)
    assert network.gates([rows_of(2)], [0]).tolist() == [[[0.25] * 4]] * 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: sharing.SharedBottom(widths=()),
            "`widths` should hold a width of at least 2 for each layer, such as [128, 64]. "
            "Found `[]`.",
        ),
        (
            lambda: sharing.MMoE(widths=(8, 1)),
            "`widths` should hold a width of at least 2 for each layer, such as [128, 64]. "
            "Found `[8, 1]`.",
        ),
        (lambda: sharing.PLE(dropout=1.0), "`dropout` should be from 0 to below 1. Found `1.0`."),
        (lambda: sharing.MMoE(experts=0), "`experts` should be at least 1. Found `0`."),
        (lambda: sharing.PLE(shared=0), "`shared` should be at least 1. Found `0`."),
        (lambda: sharing.PLE(own=0), "`own` should be at least 1. Found `0`."),
        (lambda: sharing.PLE(levels=0), "`levels` should be at least 1. Found `0`."),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(ProjectError) as caught:
        make()
    assert str(caught.value) == message
