from dataclasses import replace

import numpy as np
import pytest
import torch
from shop_prepared import prepared, project

from jointrec.batches import Assembler, Batch
from jointrec.errors import BundleError, ProjectError
from jointrec.features import Number
from jointrec.funnels import AITM, ESCM2, Product, ResFlow
from jointrec.funnels.product import SURE
from jointrec.history import Attention
from jointrec.network import JointNetwork, answers_of
from jointrec.plan import plan
from jointrec.prepare.prepared import FieldsLayout
from jointrec.schema import Entity
from jointrec.sharing import PLE, MMoE, SharedBottom
from jointrec.tasks import Binary

SHARINGS = [SharedBottom(widths=(16, 8)), MMoE(widths=(16, 8)), PLE(widths=(16, 8))]


def whole(seed: int = 0, **changes: object) -> tuple[JointNetwork, Batch]:
    """A network that was shaken, so that heads differ, and all rows as one batch."""
    shop, planned, arrays = prepared(project(**changes))
    torch.manual_seed(seed)
    network = JointNetwork(shop, planned, arrays.layout).eval()
    with torch.no_grad():
        for weight in [*network.parameters(), network.table.weight]:
            weight.add_(torch.randn_like(weight) * 0.1)
    assemble = Assembler(arrays, planned, shop.history.last)
    return network, assemble([(a, np.arange(len(a))) for a in arrays.asked.values()])


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_every_task_answers_every_row_of_its_grain(sharing: object) -> None:
    network, batch = whole(sharing=sharing)
    outputs = network(batch)
    sizes = {"click": 1, "buy": 1, "spent": 3, "grade": 2, "next": 16, "odd": 1}
    for examples in batch.examples:
        for task in examples.grain.tasks:
            assert outputs[task].shape == (len(examples), sizes[task])
            assert outputs[task].isfinite().all()
    assert list(outputs) == list(sizes)


@pytest.mark.parametrize("funnel", [Product(), ResFlow(), AITM(), ESCM2()], ids=repr)
@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_the_first_answer_is_the_best_constant(sharing: object, funnel: object) -> None:
    shop, planned, arrays = prepared(project(sharing=sharing, funnel=funnel))
    network = JointNetwork(shop, planned, arrays.layout).eval()
    assemble = Assembler(arrays, planned, shop.history.last)
    outputs = network(assemble([(a, np.arange(len(a))) for a in arrays.asked.values()]))
    for task, constant in arrays.layout.constants.items():
        if task == "next":
            continue
        expected = torch.tensor(constant).expand_as(outputs[task])
        # All who buy spend something; a step of a funnel starts at most SURE from certain.
        torch.testing.assert_close(
            outputs[task], expected, rtol=0, atol=2 * SURE if task == "spent" else 1e-5
        )


def test_retrieval_starts_from_what_was_popular_lately() -> None:
    shop, planned, arrays = prepared()
    network = JointNetwork(shop, planned, arrays.layout).eval()
    asked = arrays.asked["user before purchase"]
    batch = Assembler(arrays, planned, 3)([(asked, np.arange(40))])
    candidates = batch.examples[0].candidates["next"]
    expected = candidates.counts[candidates.days][:, :, -1]
    # The history whispers: vectors of items are short before training.
    torch.testing.assert_close(network(batch)["next"], expected, rtol=0, atol=0.05)


@pytest.mark.parametrize("funnel", [Product(), ResFlow(), AITM(), ESCM2()], ids=repr)
def test_a_funnel_never_widens(funnel: object) -> None:
    for seed in range(3):
        network, batch = whole(seed, funnel=funnel)
        outputs = network(batch)
        assert (outputs["buy"][:, 0] <= outputs["click"][:, 0]).all()
        assert (outputs["spent"][:, 0] <= outputs["buy"][:, 0]).all()
        assert (outputs["buy"][:, 0] < outputs["click"][:, 0]).any()


@pytest.mark.parametrize("funnel", [Product(), ResFlow(), AITM(), ESCM2()], ids=repr)
def test_the_earlier_step_feels_nothing_of_the_later(funnel: object) -> None:
    network, batch = whole(funnel=funnel)
    head = network.heads[network.tasks.index("click")]
    network(batch)["buy"].sum().backward()
    assert all(weight.grad is None for weight in head.parameters())


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
@pytest.mark.parametrize("history", [None, Attention(last=3)], ids=repr)
def test_rows_do_not_see_each_other(sharing: object, history: object) -> None:
    changes = {"sharing": sharing} if history is None else {"sharing": sharing, "history": history}
    shop, planned, arrays = prepared(project(**changes))
    torch.manual_seed(1)
    network = JointNetwork(shop, planned, arrays.layout).double().eval()
    with torch.no_grad():
        for weight in [*network.parameters(), network.table.weight]:
            weight.add_(torch.randn_like(weight) * 0.1)
    assemble = Assembler(arrays, planned, shop.history.last)
    for asked in arrays.asked.values():
        rows = np.arange(20)
        together = network(in_double(assemble([(asked, rows)])))
        for row in rows[::7]:
            by_itself = network(in_double(assemble([(asked, rows[row : row + 1])])))
            for task, outputs in by_itself.items():
                torch.testing.assert_close(outputs[0], together[task][row], rtol=1e-12, atol=1e-12)


def in_double(batch: Batch) -> Batch:
    """The batch with all numbers in double, to see what is equal and what is only near."""

    def fields(one: object) -> object:
        return replace(one, numbers=one.numbers.double())  # type: ignore[type-var, attr-defined]

    return replace(
        batch,
        things={name: fields(one) for name, one in batch.things.items()},
        examples=tuple(
            replace(
                e,
                moments={n: replace(m, numbers=m.numbers.double()) for n, m in e.moments.items()},
                context=fields(e.context),
                clock=e.clock.double(),
                pairs={pair: counts.double() for pair, counts in e.pairs.items()},
                candidates={
                    t: replace(c, counts=c.counts.double()) for t, c in e.candidates.items()
                },
            )
            for e in batch.examples
        ),
    )


def test_a_task_cannot_depend_on_what_it_may_not_see() -> None:
    sees = {"click": Binary("impression.clicked", sees=("user",)), "odd": Binary("user.odd")}
    shop = project(tasks=sees)
    assert [grain.sees for grain in plan(shop).grains] == [("user",), ("user",)]
    shop, planned, arrays = prepared(shop)
    network = JointNetwork(shop, planned, arrays.layout)
    batch = Assembler(arrays, planned, 3)([(arrays.asked["impression"], np.arange(400))])
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    vectors = network.table.gather(batch.touched).requires_grad_()
    network(batch, vectors)["click"].sum().backward()
    assert vectors.grad is not None
    moved = set(batch.touched[vectors.grad.abs().sum(1) > 0].tolist())
    past_items = {int(code) for code in arrays.past["user"].objects["item"]}
    kinds = {
        name: {row for row in moved if row // 100 == n}
        for n, name in enumerate(("user", "item", "tags"))
    }
    assert kinds["user"]
    assert kinds["item"] <= {100 + code for code in past_items}  # only through what users did
    assert not any(part.kind == "pair" or part.of == ("item",) for part in network.parts)


def test_grains_without_moments_have_no_past_in_them() -> None:
    network, batch = whole()
    vectors = network.table.gather(batch.touched).requires_grad_()
    network(batch, vectors)["odd"].sum().backward()
    assert vectors.grad is not None
    moved = batch.touched[vectors.grad.abs().sum(1) > 0]
    assert moved.max() < 100  # rows of users only
    assert all(weight.grad is None for weight in network.past.parameters())


def test_only_the_tasks_asked_and_what_they_come_after() -> None:
    network, batch = whole()
    every = network(batch)
    some = network(batch, tasks=("buy", "odd"))
    assert set(some) == {"click", "buy", "odd"}
    for task in some:
        torch.testing.assert_close(some[task], every[task], rtol=1e-5, atol=1e-5)


def test_answers_in_pieces_are_the_answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    network, batch = whole()
    _, _, arrays = prepared()
    expected = network(batch)
    for size in (33, 10_000):
        monkeypatch.setattr(import_module("jointrec.batches.pieces"), "PIECE", size)
        for asked in arrays.asked.values():
            tasks = network.plan.grain_of(next(iter(asked.labels))).tasks
            pieces = list(answers_of(network, arrays, asked, tasks, np.arange(len(asked))))
            assert len(pieces) == -(-len(asked) // size)
            for task in tasks:
                found = np.concatenate([piece[task] for piece in pieces])
                answer = network.project.tasks[task].answer(expected[task]).detach().double()
                np.testing.assert_allclose(found, answer.numpy(), rtol=1e-4, atol=1e-5)


def test_a_grain_with_nothing_to_look_at_is_refused() -> None:
    shop = project(
        entity={"user": Entity("users.csv", "user_id", {"age": Number()})},
        event={},
        tasks={"odd": Binary("user.odd")},
    )
    _, _, arrays = prepared()
    layout = replace(arrays.layout, things={"user": FieldsLayout()})
    with pytest.raises(
        ProjectError, match="grain `user`: there is nothing to answer `odd` from: user"
    ):
        JointNetwork(shop, plan(shop), layout)


def test_weights_of_another_network_are_refused() -> None:
    network, _ = whole()
    other, _ = whole(sharing=SharedBottom(widths=(16, 4)))
    with pytest.raises(BundleError, match="belong to another project"):
        network.put_weights(other.weights())
    network.put_weights({name: value + 0 for name, value in network.weights().items()})
    assert network.num_weights == sum(value.numel() for value in network.weights().values())
