from dataclasses import replace

import numpy as np
import pytest
import torch
from shop_prepared import prepared

from jointrec.batches import Assembler, Batch, candidates
from jointrec.network import JointNetwork

SHOP, PLAN, PREPARED = prepared()
ASKED = PREPARED.asked["user before purchase"]
ROWS = np.arange(64)


def loss(network: JointNetwork, batch: Batch) -> torch.Tensor:
    (examples,) = batch.examples
    return SHOP.tasks["next"].loss(network(batch)["next"], examples.labels["next"])


@pytest.fixture
def network() -> JointNetwork:
    torch.manual_seed(0)
    network = JointNetwork(SHOP, PLAN, PREPARED.layout).eval()
    with torch.no_grad():
        for weight in [*network.parameters(), network.table.weight]:
            weight.add_(torch.randn_like(weight) * 0.2)
    return network


def test_a_sample_of_everything_is_the_whole(
    network: JointNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    assemble = Assembler(PREPARED, PLAN, 3)
    whole = loss(network, assemble([(ASKED, ROWS)], seed=(0,)))
    monkeypatch.setattr("jointrec.batches.assemble.WHOLE", 1)
    batch = assemble([(ASKED, ROWS)], seed=(0,))
    sampled = batch.examples[0].candidates["next"]
    assert sampled.log_q is not None
    assert len(sampled.positions) == 16  # 4096 draws out of 16 leave none out
    assert (sampled.log_q.abs() < 1e-6).all()
    torch.testing.assert_close(loss(network, batch), whole, rtol=1e-5, atol=1e-5)


def test_the_correction_is_taken_off_the_scores(network: JointNetwork) -> None:
    batch = Assembler(PREPARED, PLAN, 3)([(ASKED, ROWS)])
    (examples,) = batch.examples
    chosen = replace(examples.candidates["next"], log_q=torch.linspace(-2, 0, 16))
    corrected = replace(batch, examples=(replace(examples, candidates={"next": chosen}),))
    difference = network(batch)["next"] - network(corrected)["next"]
    torch.testing.assert_close(
        difference, torch.linspace(-2, 0, 16).expand(64, 16), rtol=1e-5, atol=1e-5
    )
    assert candidates.WHOLE == 20_000
