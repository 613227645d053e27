"""What holds for every history encoder."""

from __future__ import annotations

import families
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from jointrec import history
from jointrec.errors import ProjectError
from jointrec.history.base import CausalEncoder, HistoryEncoder

WIDTH, STEPS = 8, 5
MEMBERS = families.members(history, history.History)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)
masks = st.lists(st.lists(st.booleans(), min_size=STEPS, max_size=STEPS), min_size=1, max_size=4)


def built(cls: type, seed: int = 0) -> HistoryEncoder:
    torch.manual_seed(seed)
    return families.shaken(cls().build(WIDTH)).eval()  # what is dropped by chance tells nothing


def steps_of(rows: int, *, steps: int = STEPS, seed: int = 1) -> torch.Tensor:
    return torch.randn(rows, steps, WIDTH, generator=torch.Generator().manual_seed(seed))


def check_what_is_not_there_has_no_effect(encoder: HistoryEncoder, there: torch.Tensor) -> None:
    """A row reads as if only its own events stood there, whatever is in the gaps."""
    steps = steps_of(len(there))
    got = encoder(steps, there)
    for nonsense in (float("nan"), float("inf"), 1e30):
        assert torch.equal(encoder(steps.masked_fill(~there.unsqueeze(2), nonsense), there), got)
    for row, own in enumerate(there):
        events = steps[row, own].unsqueeze(0)
        if own.any():
            alone = encoder(events, torch.ones(1, events.shape[1], dtype=torch.bool))[0]
            torch.testing.assert_close(got[row], alone, rtol=1e-5, atol=1e-5)
        else:
            assert got[row].tolist() == [0.0] * WIDTH


def check_rows_are_alone(encoder: HistoryEncoder) -> None:
    """A row comes out the same bit by bit, whatever the pasts of the other rows are."""
    there = torch.rand(6, STEPS, generator=torch.Generator().manual_seed(3)) < 0.6
    before, after = steps_of(6, seed=1), steps_of(6, seed=2)
    after[4] = before[4]
    assert torch.equal(encoder(before, there)[4], encoder(after, there)[4])


def check_an_empty_past_is_harmless(encoder: HistoryEncoder) -> None:
    """No event: exactly zero, and gradients that are numbers, of zeros where nothing was read."""
    steps = steps_of(3).requires_grad_()
    there = torch.tensor([[False] * STEPS, [True] * STEPS, [False] * STEPS])
    out = encoder(steps, there)
    assert not out[[0, 2]].any()
    out.square().sum().backward()
    assert torch.isfinite(steps.grad).all()
    assert not steps.grad[[0, 2]].any()
    assert steps.grad[1].any()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in encoder.parameters())


def test_all_members_are_listed():
    assert families.unlisted(history, history.History) == []


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
@settings(max_examples=25)
@given(there=masks)
def test_what_is_not_there_has_no_effect(cls, there):
    check_what_is_not_there_has_no_effect(built(cls), torch.tensor(there))


@every
def test_rows_are_alone(cls):
    check_rows_are_alone(built(cls))


@every
def test_an_empty_past_is_harmless(cls):
    check_an_empty_past_is_harmless(built(cls))


@every
@pytest.mark.parametrize(("rows", "steps"), [(0, STEPS), (3, 0), (0, 0), (2, 40)])
def test_any_number_of_rows_and_steps(cls, rows, steps):
    there = torch.ones(rows, steps, dtype=torch.bool)
    out = built(cls)(steps_of(rows, steps=steps), there)
    assert out.shape == (rows, WIDTH)
    assert bool(out.any()) == bool(rows and steps)


@every
def test_gradients_reach_all_parameters(cls):
    encoder = built(cls)
    if list(encoder.parameters()):
        there = torch.ones(4, STEPS, dtype=torch.bool)
        families.check_gradients_reach(encoder, encoder(steps_of(4), there).square().sum())


@every
def test_finite_at_extremes(cls):
    encoder = built(cls)
    steps = (1e4 * steps_of(4)).requires_grad_()
    out = encoder(steps, torch.tensor([[True] * STEPS, [True] + [False] * (STEPS - 1)] * 2))
    families.check_finite_gradients(encoder, out.mean())
    assert torch.isfinite(steps.grad).all()


@every
def test_the_seed_decides(cls):
    there = torch.ones(3, STEPS, dtype=torch.bool)
    assert families.same_weights(built(cls), built(cls))
    assert torch.equal(built(cls)(steps_of(3), there), built(cls)(steps_of(3), there))


# --- causal ones ---------------------------------------------------------------------------------


CAUSAL = [cls for cls in MEMBERS if cls.causal]


def check_what_follows_has_no_effect(encoder: CausalEncoder) -> None:
    """The state at an event is what the past up to it, read alone, comes to."""
    steps, there = steps_of(4), torch.ones(4, STEPS, dtype=torch.bool)
    there[1, :2] = False
    states = encoder.states(steps, there)
    for length in range(1, STEPS + 1):
        cut = slice(None, length)
        some = there[:, cut].any(dim=1)
        alone = encoder(steps[:, cut], there[:, cut])
        torch.testing.assert_close(states[some, length - 1], alone[some], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cls", CAUSAL, ids=lambda cls: cls.__name__)
def test_what_follows_has_no_effect(cls):
    check_what_follows_has_no_effect(built(cls))


@every
def test_who_says_causal_is(cls):
    assert isinstance(built(cls), CausalEncoder) == cls.causal


class Foreseeing(CausalEncoder):
    """Every event knows all."""

    def states(self, steps, there):
        return steps.masked_fill(~there.unsqueeze(2), 0.0).mean(dim=1, keepdim=True) + 0 * steps


def test_an_encoder_that_looks_ahead_is_found():
    with pytest.raises(AssertionError):
        check_what_follows_has_no_effect(Foreseeing())


# --- planted faults ------------------------------------------------------------------------------


class Careless(HistoryEncoder):
    """Divides by the number of places, and multiplies nonsense by zero."""

    def forward(self, steps, there):
        return (steps * there.unsqueeze(2)).mean(dim=1)


class Unguarded(HistoryEncoder):
    """A softmax over nothing."""

    def forward(self, steps, there):
        scores = steps.sum(dim=2).masked_fill(~there, float("-inf"))
        return torch.einsum("rs,rsw->rw", scores.softmax(dim=1), steps).nan_to_num()


class Peeking(HistoryEncoder):
    """Takes the mean over all pasts away."""

    def forward(self, steps, there):
        pooled = steps.masked_fill(~there.unsqueeze(2), 0.0).sum(dim=1)
        return pooled - pooled.mean(dim=0)


def test_an_encoder_that_reads_what_is_not_there_is_found():
    there = torch.tensor([[True, False, True, False, False]])
    with pytest.raises(AssertionError):
        check_what_is_not_there_has_no_effect(Careless(), there)


def test_an_encoder_that_fails_on_no_past_is_found():
    with pytest.raises(AssertionError):
        check_an_empty_past_is_harmless(Unguarded())


def test_an_encoder_that_looks_at_other_rows_is_found():
    with pytest.raises(AssertionError):
        check_rows_are_alone(Peeking())


# --- each by the slow way ------------------------------------------------------------------------


def test_mean_by_eye():
    steps = torch.tensor([[[9.0, 9.0], [1.0, 2.0], [3.0, 6.0]]])
    there = torch.tensor([[False, True, True]])
    assert history.Mean().build(2)(steps, there).tolist() == [[2.0, 4.0]]


def test_attention_knows_the_order_of_events():
    encoder, there = built(history.Attention), torch.ones(1, STEPS, dtype=torch.bool)
    steps = steps_of(1)
    assert not torch.allclose(encoder(steps, there), encoder(steps.flip(1), there), atol=1e-3)


def test_attention_by_the_slow_way():
    torch.manual_seed(0)
    encoder = families.shaken(history.Attention(heads=2).build(4)).double()
    steps = torch.randn(1, 3, 4, dtype=torch.float64)
    got = encoder(steps, torch.ones(1, 3, dtype=torch.bool))[0]

    def attend(queries, keys, values):
        rows = []
        for query in queries:
            heads = []
            for head in (slice(0, 2), slice(2, 4)):
                scores = torch.stack([query[head] @ key[head] / 2**0.5 for key in keys])
                shares = scores.exp() / scores.exp().sum()
                heads.append(sum(s * v[head] for s, v in zip(shares, values, strict=True)))
            rows.append(torch.cat(heads))
        return torch.stack(rows)

    h = steps[0] + encoder.positions[[2, 1, 0]]
    query, key, value = encoder.look(encoder.before_looking(h)).split(4, dim=1)
    h = h + encoder.looked(attend(query, key, value))
    h = h + encoder.think(encoder.before_thinking(h))
    key, value = encoder.read(encoder.before_reading(h)).split(4, dim=1)
    expected = encoder.answer(attend(encoder.query[0], key, value)[0])
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


def test_sasrec_by_the_slow_way():
    torch.manual_seed(0)
    encoder = families.shaken(history.SASRec(heads=2, blocks=2).build(4)).double().eval()
    steps = torch.randn(1, 3, 4, dtype=torch.float64)
    got = encoder(steps, torch.ones(1, 3, dtype=torch.bool))[0]
    h = steps[0] + encoder.positions[:3]
    for block in encoder.blocks:
        query, key, value = block.look(block.before_looking(h)).split(4, dim=1)
        rows = []
        for now in range(3):
            mixed = []
            for head in (slice(0, 2), slice(2, 4)):
                seen = range(now + 1)
                scores = torch.stack([query[now, head] @ key[i, head] / 2**0.5 for i in seen])
                shares = scores.exp() / scores.exp().sum()
                mixed.append(sum(shares[i] * value[i, head] for i in seen))
            rows.append(torch.cat(mixed))
        h = h + block.looked(torch.stack(rows))
        thought = block.think(block.before_thinking(h))
        h = h + block.thought(thought * (1 + torch.erf(thought / 2**0.5)) / 2)
    torch.testing.assert_close(got, encoder.last(h)[-1], rtol=1e-12, atol=1e-12)


def test_gru_by_the_slow_way():
    torch.manual_seed(0)
    encoder = families.shaken(history.GRU().build(4)).double().eval()
    steps = torch.randn(1, 5, 4, dtype=torch.float64)
    there = torch.tensor([[True, False, True, True, False]])
    got = encoder(steps, there)
    unit = encoder.unit
    h = np.zeros(4)
    for x in steps[0, there[0]].numpy():
        of_x, of_h = (
            (weight.detach().numpy() @ by + bias.detach().numpy()).reshape(3, 4)
            for weight, bias, by in (
                (unit.weight_ih_l0, unit.bias_ih_l0, x),
                (unit.weight_hh_l0, unit.bias_hh_l0, h),
            )
        )
        reset, update = special.expit(of_x[:2] + of_h[:2])
        h = (1 - update) * np.tanh(of_x[2] + reset * of_h[2]) + update * h
    np.testing.assert_allclose(got[0].detach().numpy(), h, rtol=1e-12, atol=1e-12)


def test_gru_forgets_what_is_far_and_knows_the_order():
    encoder, there = built(history.GRU), torch.ones(1, STEPS, dtype=torch.bool)
    steps = steps_of(1)
    assert not torch.allclose(encoder(steps, there), encoder(steps.flip(1), there), atol=1e-3)
    far, near = steps.clone(), steps.clone()
    far[0, 0] += 1.0
    near[0, -1] += 1.0
    moved = [(encoder(one, there) - encoder(steps, there)).abs().max() for one in (far, near)]
    assert moved[0] < moved[1]


@pytest.mark.parametrize("cls", CAUSAL, ids=lambda cls: cls.__name__)
def test_in_half_precision_it_is_about_the_same(cls):
    encoder, there = built(cls), torch.ones(2, STEPS, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        half = encoder(steps_of(2).bfloat16(), there)
    assert (half - encoder(steps_of(2), there)).abs().max() < 0.1


def test_settings_that_cannot_be():
    with pytest.raises(ProjectError, match=r"^`width` should be at least 1. Found `0`.$"):
        history.Mean(width=0)
    with pytest.raises(ProjectError, match=r"^`layers` should be at least 1. Found `0`.$"):
        history.GRU(layers=0)
    with pytest.raises(ProjectError, match=r"^`dropout` should be from 0 to below 1. Found `1`.$"):
        history.GRU(dropout=1)
    with pytest.raises(ProjectError, match=r"^`blocks` should be at least 1. Found `0`.$"):
        history.SASRec(blocks=0)
    with pytest.raises(ProjectError, match=r"^`dropout` should be from 0 to below 1. Found `1`.$"):
        history.SASRec(dropout=1)
    with pytest.raises(ProjectError, match=r"^history.heads: 3 heads cannot share a width of 8"):
        history.SASRec(heads=3).build(8)
    with pytest.raises(ProjectError, match=r"^`last` should be at least 1. Found `0`.$"):
        history.Mean(last=0)
    with pytest.raises(ProjectError, match=r"^`heads` should be at least 1. Found `0`.$"):
        history.Attention(heads=0)
    with pytest.raises(ProjectError) as caught:
        history.Attention(heads=3).build(8)
    assert str(caught.value) == (
        "history.heads: 3 heads cannot share a width of 8. Those that can: 1, 2, 4, 8."
    )
