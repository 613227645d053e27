"""What holds for every fusion."""

from __future__ import annotations

import families
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from jointrec import fusion
from jointrec.errors import ProjectError
from jointrec.fusion.base import Fused

SIZES = (5, 3, 1, 8)
MEMBERS = families.members(fusion, fusion.Fusion)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)


def built(cls: type, seed: int = 0) -> Fused:
    torch.manual_seed(seed)
    return cls().build(SIZES)


def parts_of(rows: int, *, there=(True,) * 4, scale: float = 1.0, seed: int = 1):
    generator = torch.Generator().manual_seed(seed)
    return [
        scale * torch.randn(rows, size, generator=generator) if has else None
        for size, has in zip(SIZES, there, strict=True)
    ]


def check_rows_are_alone(fused: Fused) -> None:
    """A row comes out the same bit by bit, whatever the other rows hold."""
    before, after = parts_of(6, seed=1), parts_of(6, seed=2)
    for part, other in zip(before, after, strict=True):
        other[3] = part[3]
    assert torch.equal(fused(before)[3], fused(after)[3])


def check_nothing_is_not_zeros(fused: Fused) -> None:
    """A part that is missing is told apart from one that holds zeros."""
    for place in range(len(SIZES)):
        parts = parts_of(2)
        parts[place] = None
        missing = fused(parts)
        parts[place] = torch.zeros(2, SIZES[place])
        assert not torch.equal(missing, fused(parts))


def test_all_members_are_listed():
    assert families.unlisted(fusion, fusion.Fusion) == []


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
@settings(max_examples=30)
@given(rows=st.integers(0, 4), there=st.tuples(*[st.booleans()] * 4).filter(any))
def test_one_vector_per_row_whatever_is_missing(cls, rows, there):
    fused = built(cls)
    out = fused(parts_of(rows, there=there))
    assert out.shape == (rows, fused.size)
    assert out.dtype == torch.float32


@every
def test_rows_are_alone(cls):
    check_rows_are_alone(built(cls))


@every
def test_nothing_is_not_zeros(cls):
    check_nothing_is_not_zeros(families.shaken(built(cls)))


@every
def test_gradients_reach_all_parameters_and_parts(cls):
    fused = families.shaken(built(cls))
    parts = [part.requires_grad_() for part in parts_of(7)]
    total = fused(parts).square().sum()
    families.check_gradients_reach(fused, total)
    assert all(part.grad is not None and part.grad.any() for part in parts)


@every
@pytest.mark.parametrize("there", [(True,) * 4, (False, True, False, True)])
def test_finite_at_extremes(cls, there):
    fused = built(cls)
    out = fused(parts_of(5, scale=1e4, there=there))
    assert torch.isfinite(out).all()
    if any(p.requires_grad for p in fused.parameters()):
        families.check_finite_gradients(fused, out.mean())


@every
def test_the_seed_decides(cls):
    one, same, other = built(cls), built(cls), built(cls, seed=1)
    assert families.same_weights(one, same)
    assert torch.equal(one(parts_of(3)), same(parts_of(3)))
    if list(one.parameters()):
        assert not families.same_weights(one, other)


# --- planted faults ------------------------------------------------------------------------------


class Peeking(Fused):
    """Normalises over the batch, so rows see each other."""

    def __init__(self):
        super().__init__()
        self.size = sum(SIZES)

    def forward(self, parts):
        x = torch.cat(parts, dim=1)
        return x - x.mean(dim=0)


class Faking(Fused):
    """Fills a missing part with zeros and does not say so."""

    def __init__(self):
        super().__init__()
        self.size = sum(SIZES)
        self.mix = nn.Linear(self.size, self.size)

    def forward(self, parts):
        filled = [torch.zeros(2, s) if p is None else p for p, s in zip(parts, SIZES, strict=True)]
        return self.mix(torch.cat(filled, dim=1))


def test_a_fusion_that_looks_at_other_rows_is_found():
    with pytest.raises(AssertionError):
        check_rows_are_alone(Peeking())


def test_a_fusion_that_fakes_is_found():
    with pytest.raises(AssertionError):
        check_nothing_is_not_zeros(Faking())


# --- each by the slow way ------------------------------------------------------------------------


def test_concat_by_eye():
    fused = fusion.Concat().build([2, 1])
    assert fused([torch.tensor([[4.0, 5.0]]), None]).tolist() == [[4.0, 5.0, 0.0, 1.0, 0.0]]


def test_sum_and_mean_by_eye():
    parts = [torch.tensor([[1.0, 2.0]]), None, torch.tensor([[5.0, 0.0]])]
    assert fusion.Sum(width=2).build([2, 2, 2])(parts).tolist() == [[6.0, 2.0]]
    assert fusion.Mean(width=2).build([2, 2, 2])(parts).tolist() == [[3.0, 1.0]]
    assert list(fusion.Sum(width=2).build([2, 2]).parameters()) == []


@pytest.mark.parametrize("rank", [2, 1000])
def test_cross_by_the_slow_way(rank):
    fused = fusion.Cross(layers=2, rank=rank).build([3, 2]).double()
    families.shaken(fused)
    parts = [torch.randn(4, 3, dtype=torch.float64), None]
    got = fused(parts)
    for row, x in enumerate(parts[0].tolist()):
        first = [*x, 0.0, 0.0, 1.0, 0.0]
        state = first
        for layer in fused.layers:
            if rank == 1000:
                weight, bias = layer.weight.tolist(), layer.bias.tolist()
            else:
                assert layer[0].weight.shape == (2, 7)
                weight = (layer[1].weight @ layer[0].weight).tolist()
                bias = layer[1].bias.tolist()
            inner = [
                sum(w * s for w, s in zip(weight[i], state, strict=True)) + bias[i]
                for i in range(7)
            ]
            state = [f * i + s for f, i, s in zip(first, inner, state, strict=True)]
        assert got[row].tolist() == pytest.approx(state, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fusion.Sum(width=0), "`width` should be at least 1. Found `0`."),
        (lambda: fusion.Mean(width=-1), "`width` should be at least 1. Found `-1`."),
        (lambda: fusion.Cross(layers=0), "`layers` should be at least 1. Found `0`."),
        (lambda: fusion.Cross(rank=0), "`rank` should be at least 1. Found `0`."),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(ProjectError) as caught:
        make()
    assert str(caught.value) == message
