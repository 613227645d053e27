"""The scores of a catalogue, by the slow way."""

import numpy as np
import pytest
import torch
from shop_prepared import prepared, project

from jointrec.batches import Assembler
from jointrec.history import Mean, SASRec
from jointrec.network import JointNetwork
from jointrec.network.choice import BOLD, PLACES, Had


@pytest.mark.parametrize("history", [Mean(last=3), SASRec(last=3, width=8)], ids=repr)
def test_what_was_had_is_said_of_the_right_candidates(history: object) -> None:
    """Moves only the weights that say whether it comes again, and counts events by hand."""
    shop, plan, arrays = prepared(project(history=history))
    asked = arrays.asked["user before purchase"]
    rows = np.arange(len(asked))
    batch = Assembler.of(shop, arrays, plan)([(asked, rows)])
    torch.manual_seed(0)
    network = JointNetwork(shop, plan, arrays.layout).eval()
    head = network.heads[network.tasks.index("next")]
    before = network(batch)["next"]
    with torch.no_grad():
        head.kind.normal_()
        head.place.normal_()
    said = network(batch)["next"] - before

    past, moments = arrays.past["user"], asked.moments["user"]
    expected = torch.zeros_like(said)
    for row, moment in enumerate(asked.at["user"].tolist()):
        start, stop = moments.start[moment], moments.stop[moment]
        for newer, event in enumerate(range(stop - 1, max(start, stop - 3) - 1, -1)):
            item = past.objects["item"][event]
            if item:
                place = min(int(np.log2(newer + 1)), PLACES - 1)
                weight = head.kind[past.kinds[event]] + head.place[place]
                expected[row, item - 1] += BOLD * weight.detach()
    assert expected.any()
    torch.testing.assert_close(said, expected, rtol=1e-4, atol=1e-4)


def test_the_history_meets_a_candidate_as_it_would_stand_in_it() -> None:
    shop, plan, arrays = prepared(project(history=SASRec(last=3, width=8)))
    asked = arrays.asked["user before purchase"]
    batch = Assembler.of(shop, arrays, plan)([(asked, np.arange(30))])
    torch.manual_seed(0)
    network = JointNetwork(shop, plan, arrays.layout).eval()
    with torch.no_grad():
        network.table.weight.normal_()
    scores = network(batch)["next"]
    reader = network.past[network.readers.index("user")]
    with torch.no_grad():
        reader.encoder.last.weight.zero_()  # the history says the same of everybody
        reader.encoder.last.bias.zero_()
    counts = network(batch)["next"]
    candidates = batch.examples[0].candidates["next"]
    expected = candidates.counts[candidates.days][:, :, -1]
    torch.testing.assert_close(counts, expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(scores, counts, atol=0.1)


def test_a_row_without_a_past_has_had_nothing() -> None:
    shop, plan, arrays = prepared(project(history=SASRec(last=3, width=8)))
    asked = arrays.asked["user before purchase"]
    moments = asked.moments["user"]
    none = np.flatnonzero((moments.stop == moments.start)[asked.at["user"]])
    assert len(none)
    (examples,) = Assembler.of(shop, arrays, plan)([(asked, none)]).examples
    history = examples.moments["user"].history
    assert history is not None
    nothing = torch.zeros(len(none), 8)
    had = Had.of("item", history, examples.at["user"], nothing, torch.zeros(17, 8))
    assert len(had.rows) == 0
