"""The scores of a catalogue, by the slow way."""

import numpy as np
import pytest
import torch
from shop_prepared import prepared, project

from jointrec.batches import Assembler, Candidates
from jointrec.history import Mean, SASRec
from jointrec.network import JointNetwork
from jointrec.network.choice import BOLD, PLACES, ChoiceHead, Had


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


def test_what_is_like_what_was_had_is_told_by_category() -> None:
    """Three rows, events about things 1 to 4; things of brand 7 are 1 and 3, 4 has no brand."""
    values = torch.tensor([[5], [7], [8], [7], [5]])
    rows, things = torch.tensor([0, 0, 0, 1]), torch.tensor([1, 3, 2, 4])
    kinds, places = torch.tensor([1, 2, 1, 1]), torch.zeros(4, dtype=torch.long)
    had = Had(torch.zeros(3, 2), torch.zeros(5, 2), values, rows, things, kinds, places)
    positions, days = torch.tensor([1, 2, 3, 4]), torch.zeros(3, dtype=torch.long)
    candidates = Candidates(positions, None, torch.zeros(1, 4, 1), days)
    head = ChoiceHead(width=2, size=1, windows=1, kinds=3, categories=1)
    with torch.no_grad():
        head.alike.fill_(0.5)
        head.loud.copy_(torch.tensor([9.0, 0.0, 1.0]))
    said = head(torch.zeros(3, 2), torch.zeros(5, 1), candidates, had)
    seven, eight = np.log1p(1 + np.e), np.log1p(1)  # one event of kind 1 and one of 2; one of 1
    expected = torch.zeros(3, 4)
    expected[0] = BOLD * 0.5 * torch.tensor([seven, eight, seven, 0.0])
    torch.testing.assert_close(said.detach(), expected)  # having no brand is no likeness


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
    said = torch.zeros(17, 8), torch.zeros(17, 1, dtype=torch.long)
    had = Had.of("item", history, examples.at["user"], nothing, *said)
    assert len(had.rows) == 0
