"""Where a funnel asks for it, a step costs more: what it costs given the step before it."""

from __future__ import annotations

import numpy as np
import torch
from shop_prepared import prepared, project

from jointrec.batches import Assembler
from jointrec.functional.losses import inverse_propensity
from jointrec.funnels import ESCM2, Product
from jointrec.network import JointNetwork
from jointrec.training.losses import summed


def sums_of(funnel: object) -> tuple[dict[str, float], JointNetwork, object]:
    shop, planned, arrays = prepared(project(funnel=funnel))
    torch.manual_seed(0)
    network = JointNetwork(shop, planned, arrays.layout).eval()
    batch = Assembler(arrays, planned, 3)([(arrays.asked["impression"], np.arange(400))])
    tasks = ("click", "buy", "spent")
    sums, _ = summed(shop, tasks, network(batch), batch)
    return dict(zip(tasks, sums.tolist(), strict=True)), network, batch


def test_only_a_step_of_chances_costs_more_and_as_much_as_its_loss_says() -> None:
    plain, _, _ = sums_of(Product())
    more, network, batch = sums_of(ESCM2(share=0.5, clip=4.0))
    assert more["click"] == plain["click"]
    assert more["spent"] == plain["spent"]
    examples, outputs = batch.examples[0], network(batch)
    known = examples.known["buy"]
    expected = inverse_propensity(
        outputs["buy"][known, 0],
        outputs["click"][known, 0],
        examples.labels["buy"][known].float(),
        (examples.labels["click"] > 0)[known] & examples.known["click"][known],
        4.0,
    )
    found = more["buy"] - plain["buy"]
    assert found > 0
    np.testing.assert_allclose(found, 0.5 * float(expected.sum().detach()), rtol=1e-4)
