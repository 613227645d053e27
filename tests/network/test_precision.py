"""What is computed in bf16 is near what is computed in float32, and what must not be is not."""

import numpy as np
import pytest
import torch
from quick import small_grains_seldom
from shop_prepared import prepared, project

from jointrec.batches import Assembler
from jointrec.budget import Budget
from jointrec.errors import ProjectError
from jointrec.history import Attention
from jointrec.network import JointNetwork, answers_of
from jointrec.network import precision as module
from jointrec.network.precision import WORTH, computed_in
from jointrec.training import train
from jointrec.training.run import Run


def test_bf16_waits_for_large_steps_and_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "has_bf16", lambda: True)
    assert [computed_in("auto", rows) for rows in (WORTH - 1, WORTH)] == ["fp32", "bf16"]
    assert computed_in("fp32", WORTH) == "fp32"
    monkeypatch.setattr(module, "has_bf16", lambda: False)
    assert computed_in("auto", WORTH) == "fp32"
    assert computed_in("bf16", 1) == "bf16"


def test_another_precision_is_refused() -> None:
    with pytest.raises(ProjectError) as caught:
        Budget(precision="fp23")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "`precision` should be one of auto, fp32, bf16. Found `fp23`. Did you mean `fp32`?"
    )


def test_answers_are_near_and_outputs_are_float32() -> None:
    shop, planned, arrays = prepared(project(history=Attention(last=3)))
    torch.manual_seed(1)
    network = JointNetwork(shop, planned, arrays.layout).eval()
    with torch.no_grad():
        for weight in [*network.parameters(), network.table.weight]:
            weight.add_(torch.randn_like(weight) * 0.1)
    assemble = Assembler(arrays, planned, shop.history.last)
    batch = assemble([(asked, np.arange(min(64, len(asked)))) for asked in arrays.asked.values()])
    with torch.no_grad():
        exact = network(batch)
        network.computed = "bf16"
        near = network(batch)
    for task, outputs in near.items():
        assert outputs.dtype is torch.float32
        spread = (exact[task] - exact[task].mean(dim=0)).square().mean().sqrt()
        assert (outputs - exact[task]).square().mean().sqrt() < 0.02 * spread + 1e-3, task
        assert not torch.equal(outputs, exact[task])


def test_gradients_are_near_and_weights_stay_float32() -> None:
    found = {}
    for computed in ("fp32", "bf16"):
        torch.manual_seed(0)
        run = Run(*prepared(project()))
        run.network.computed = computed
        (batch, *_) = run.loader.epoch(0)
        for step in (1, 2, 3):  # heads start at zero: the first step moves nothing below them
            run._step(batch, run.tasks, step)
        found[computed] = torch.cat([g.grad.flatten() for g in run.dense if g.grad is not None])
        assert {weight.dtype for weight in run.network.weights().values()} == {torch.float32}
    # Where a unit is all but zero, three digits decide whether it learns: some differ wholly.
    assert (found["bf16"] - found["fp32"]).norm() < 0.1 * found["fp32"].norm()


def test_networks_answer_in_the_numbers_they_were_trained_in() -> None:
    shop, planned, arrays = prepared(project(budget=Budget(epochs=1, precision="bf16")))
    with small_grains_seldom(steps=16):
        trained = train(shop, planned, arrays)
    network = trained.networks["click"]
    assert network.computed == "bf16"
    asked = arrays.asked["impression"]
    (piece,) = answers_of(network, arrays, asked, ("click",), np.arange(10))
    network.computed = "fp32"
    (exact,) = answers_of(network, arrays, asked, ("click",), np.arange(10))
    np.testing.assert_allclose(piece["click"], exact["click"], atol=0.02)
    assert (piece["click"] != exact["click"]).any()
