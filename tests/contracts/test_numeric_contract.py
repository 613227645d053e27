"""What holds for every way to read numbers."""

from __future__ import annotations

from itertools import pairwise

import families
import pytest
import torch

from jointrec import numeric
from jointrec.errors import ProjectError
from jointrec.numeric import NumericReader, PiecewiseLinear

EDGES = ((-1.0, 0.0, 0.5, 3.0), (), (0.25,), (-2.0, 2.0))
MEMBERS = families.members(numeric, numeric.Numeric)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)


def built(cls: type, edges: tuple[tuple[float, ...], ...] = EDGES) -> NumericReader:
    torch.manual_seed(0)
    return families.shaken(cls().build(edges))


def numbers_of(rows: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(rows, len(EDGES), generator=torch.Generator().manual_seed(seed))


def test_all_members_are_listed():
    assert families.unlisted(numeric, numeric.Numeric) == []


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
def test_it_is_as_wide_as_it_says(cls):
    reader = built(cls)
    assert reader(numbers_of(5)).shape == (5, reader.size)
    assert reader(numbers_of(0)).shape == (0, reader.size)


@every
def test_rows_are_alone(cls):
    reader, before, after = built(cls), numbers_of(6, seed=1), numbers_of(6, seed=2)
    after[4] = before[4]
    assert torch.equal(reader(before)[4], reader(after)[4])


@every
def test_every_number_matters(cls):
    """A change of any number changes the row: nothing that was counted is lost."""
    reader, row = built(cls), numbers_of(1)
    for number in range(len(EDGES)):
        other = row.clone()
        other[0, number] += 0.1
        assert not torch.equal(reader(other), reader(row))


@every
def test_where_nothing_was_seen_it_still_reads(cls):
    reader = built(cls, ((), ()))
    assert torch.isfinite(reader(torch.tensor([[3.0, -4.0]]))).all()


@every
def test_gradients_reach_every_weight(cls):
    reader = built(cls)
    if list(reader.parameters()):
        families.check_gradients_reach(reader, reader(numbers_of(64)).square().sum())


@every
def test_what_it_learned_is_all_that_is_saved(cls):
    """A reader built anew from the same edges and given the weights answers the same bits."""
    reader, again = built(cls), cls().build(EDGES)
    again.load_state_dict(reader.state_dict())
    assert torch.equal(reader(numbers_of(9)), again(numbers_of(9)))


def slow_pieces(row: list[float]) -> list[float]:
    """The formula of the paper, number by number, held within each piece."""
    found = []
    for x, edges in zip(row, EDGES, strict=True):
        for low, high in pairwise(edges):
            found.append(0.0 if x < low else 1.0 if x >= high else (x - low) / (high - low))
    return found


def test_pieces_are_those_of_the_paper():
    reader = PiecewiseLinear().build(EDGES)
    rows = 3 * numbers_of(50)
    expected = torch.tensor([slow_pieces(row.tolist()) for row in rows])
    torch.testing.assert_close(reader.pieces(rows), expected)


def test_a_width_below_one_is_refused():
    with pytest.raises(ProjectError, match=r"`width` should be at least 1\. Found `0`"):
        PiecewiseLinear(width=0)
