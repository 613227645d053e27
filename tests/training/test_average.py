"""The average of the weights, against the formula written out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from jointrec.training.average import KEPT, Average


def moved(layer: nn.Linear, steps: int) -> tuple[Average, list[float]]:
    """An average over steps that set the one weight to 1, 2, 3 …, and what the weight was."""
    average, seen = Average(layer), [layer.weight.item()]
    for step in range(1, steps + 1):
        with torch.no_grad():
            layer.weight.fill_(float(step))
        seen.append(float(step))
        average.update()
    return average, seen


@pytest.mark.parametrize("steps", [1, 7, 400])
def test_it_is_the_formula(steps):
    average, seen = moved(nn.Linear(1, 1, bias=False).double(), steps)
    expected = seen[0]
    for number, weight in enumerate(seen[1:]):
        kept = min(KEPT, (1 + number) / (10 + number))
        expected = kept * expected + (1 - kept) * weight
    assert average.weights["weight"].item() == pytest.approx(expected, rel=1e-12)


def test_the_network_gets_its_own_weights_back_even_after_an_error():
    layer = nn.Linear(1, 1, bias=False)
    average, _ = moved(layer, 5)
    with pytest.raises(KeyboardInterrupt), average.in_place():
        assert layer.weight.item() == average.weights["weight"].item() != 5.0
        raise KeyboardInterrupt
    assert layer.weight.item() == 5.0


def test_it_goes_on_from_what_was_kept():
    one, other = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    first, _ = moved(one, 9)
    second = Average(other)
    second.load(first.weights, first.steps)
    other.load_state_dict(one.state_dict())
    first.update()
    second.update()
    assert torch.equal(first.weights["weight"], second.weights["weight"])
