"""What holds for every way to set several chances of a row right: members of a set, steps."""

from __future__ import annotations

import families
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from jointrec import calibration
from jointrec.calibration import Calibration, Platt, Raw, Several, Temperature
from jointrec.calibration.pooled import pooled
from jointrec.calibration.several import SPREAD
from jointrec.functional.metrics import ece, pcoc

MEMBERS = families.members(calibration, Calibration)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)
apart = pytest.mark.parametrize(
    "cls", [cls for cls in MEMBERS if cls().together.apart], ids=lambda cls: cls.__name__
)
SHIFTS = (0.0, 1.0, -0.8)


def several(cls: type[Calibration], size: int = 3) -> Several:
    """As a network builds it."""
    together = cls().together
    return Several(together.build(), size, apart=together.apart)


def drawn(rows: int, seed: int = 0, shifts: tuple[float, ...] = SHIFTS) -> tuple[torch.Tensor, ...]:
    """Log odds of three answers, of which two happen more and less often than said, and labels; of
    each tenth cell nobody knows."""
    chance = torch.Generator().manual_seed(seed)
    shape = (rows, len(shifts))
    logits = torch.randn(shape, generator=chance) * 1.5 - 1
    happens = torch.rand(shape, generator=chance) < torch.sigmoid(logits + torch.tensor(shifts))
    unknown = torch.rand(shape, generator=chance) < 0.1
    return logits, happens.float().masked_fill(unknown, torch.nan), torch.ones(rows).double()


@every
def test_nothing_changes_until_it_is_fitted(cls):
    logits = drawn(50)[0]
    assert torch.equal(several(cls)(logits), logits)


@every
def test_the_order_of_rows_by_any_one_answer_stays(cls):
    """Also where labels say the reverse."""
    logits, happened, weights = drawn(400)
    for labels in (happened, 1 - happened):
        module = several(cls)
        module.fit(logits, labels, weights)
        rising = torch.linspace(-9, 9, 500)[:, None].expand(-1, 3)
        assert (module(rising).diff(dim=0) > 0).all()


@every
def test_what_was_fitted_is_kept_with_the_weights_and_told(cls):
    one, other = several(cls), several(cls)
    one.fit(*drawn(500))
    other.load_state_dict(one.state_dict())
    logits = drawn(20, seed=1)[0]
    assert torch.equal(one(logits), other(logits))
    assert one.fitted


@every
def test_a_weight_is_how_often_a_row_stands_there(cls):
    logits, happened, _ = drawn(300)
    counts = torch.arange(300) % 4
    one, other = several(cls), several(cls)
    one.fit(logits, happened, counts.double())
    again = [part.repeat_interleave(counts, dim=0) for part in (logits, happened)]
    other.fit(*again, torch.ones(len(again[0])).double())
    torch.testing.assert_close(one(logits), other(logits), rtol=1e-3, atol=1e-3)


@every
def test_what_is_unknown_plays_no_part(cls):
    logits, happened, weights = drawn(300)
    other = logits.masked_fill(happened.isnan(), 7.0)
    one, two = several(cls), several(cls)
    one.fit(logits, happened, weights)
    two.fit(other, happened, weights)
    assert torch.equal(one(logits), two(logits))
    nothing = several(cls)
    nothing.fit(logits, torch.full_like(happened, torch.nan), weights)
    assert torch.equal(nothing(logits), logits)


@every
def test_few_rows_of_one_label_leave_it_finite_and_near(cls):
    for label in (0.0, 1.0):
        module = several(cls)
        logits = torch.tensor([[0.3, -2.0, 1.0]])
        module.fit(logits, torch.full((1, 3), label), torch.ones(1).double())
        assert module(logits).isfinite().all()
        assert (module(logits) - logits).abs().max() < 1.5


@apart
def test_chances_of_new_rows_are_nearer_to_what_happens(cls):
    module = several(cls)
    module.fit(*drawn(6_000))
    logits, happened, _ = drawn(6_000, seed=1)
    before, after = (torch.sigmoid(z).numpy() for z in (logits, module(logits).detach()))
    off = {"before": [], "after": []}
    for k in range(3):
        labels = happened[:, k].double().numpy()
        for name, said in (("before", before), ("after", after)):
            off[name].append(ece(labels, said[:, k]))
        assert pcoc(labels, after[:, k]) == pytest.approx(1, abs=0.05)
    assert np.mean(off["after"]) < np.mean(off["before"])


def test_one_temperature_is_for_all_and_moves_none_by_itself():
    logits, happened, weights = drawn(4_000, shifts=(0.0, 0.0, 0.0))
    module, alone = several(Temperature), Temperature().build()
    module.fit(2 * logits, happened, weights)
    known = ~happened.isnan()
    alone.fit(2 * logits[known], happened[known], lambda own: own)
    torch.testing.assert_close(module(logits)[:, 1], alone(logits[:, 1]))
    assert float(alone.scale) == pytest.approx(0.5, abs=0.03)
    raw = several(Raw)
    raw.fit(2 * logits, happened, weights)
    assert torch.equal(raw(logits), logits)


def test_an_answer_that_is_hardly_ever_known_moves_as_all_do():
    logits, happened, weights = drawn(5_000, shifts=(-1.0, -1.0, 0.0))
    happened[6:, 2] = torch.nan
    module, shared = several(Platt), Platt().build()
    module.fit(logits, happened, weights)
    known = ~happened.isnan()
    shared.fit(logits[known], happened[known], lambda own: own)
    # Six rows of the third answer say that it is not as the others; they are hardly heard.
    assert abs(float(module.shifts[2])) < 0.5
    assert float(shared.shift) == pytest.approx(-1, abs=0.1)


def test_own_numbers_by_the_slow_way():
    """The mode of the posterior of each group by itself, by Nelder and Mead, as SciPy has it."""
    logits, happened, _ = drawn(60)
    known = ~happened.isnan()
    at = torch.nonzero(known)[:, 1]
    found = pooled(logits[known], at, 3, SPREAD, happened[known])
    for group in range(3):
        z = logits[known][at == group].double().numpy()
        y = happened[known][at == group].double().numpy()

        def posterior(numbers: np.ndarray, z: np.ndarray = z, y: np.ndarray = y) -> float:
            said = np.exp(numbers[0]) * z + numbers[1]
            wrong = (np.logaddexp(0, said) - y * said).sum()
            return float(wrong + 0.5 * ((numbers / np.array(SPREAD)) ** 2).sum())

        best = minimize(posterior, np.zeros(2), method="Nelder-Mead", tol=1e-9).x
        assert float(found[0, group]) == pytest.approx(np.exp(best[0]), abs=1e-4)
        assert float(found[1, group]) == pytest.approx(best[1], abs=1e-4)
    assert found[:, 3].tolist() == [1.0, 0.0]


@given(st.integers(0, 2**32 - 1), st.floats(-2, 2))
@settings(max_examples=15, deadline=None)
def test_groups_do_not_hear_each_other(seed, shift):
    """Once all are set right together, labels of one group move that group alone."""
    logits, happened, _ = drawn(80, seed=seed, shifts=(0.0, shift, 0.0))
    happened = happened.nan_to_num(0.0)
    at = torch.arange(3).repeat(80)
    turned = happened.clone()
    turned[:, 1] = 1 - turned[:, 1]
    one, two = (pooled(logits.flatten(), at, 3, SPREAD, y.flatten()) for y in (happened, turned))
    torch.testing.assert_close(one[:, [0, 2]], two[:, [0, 2]], rtol=1e-3, atol=1e-3)


# --- planted faults ------------------------------------------------------------------------------


def test_a_mix_of_answers_is_found(monkeypatch):
    """Were the answers of a row taken in a wrong order, the tests above would say so."""
    own = Several.forward
    monkeypatch.setattr(Several, "forward", lambda self, z: own(self, z.flip(1)))
    with pytest.raises(AssertionError):
        test_chances_of_new_rows_are_nearer_to_what_happens(Platt)
