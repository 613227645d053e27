"""What holds for every way to set chances right."""

from __future__ import annotations

from dataclasses import replace

import families
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression
from torch.nn.functional import logsigmoid

from jointrec import calibration
from jointrec.calibration import NOTHING, About, Calibration, Calibrator
from jointrec.functional.metrics import log_loss

MEMBERS = families.members(calibration, Calibration)
every = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)


def alone(own: torch.Tensor) -> torch.Tensor:
    return own


def drawn(rows: int, scale: float, shift: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Log odds, and labels that follow ``scale`` times them and ``shift``."""
    chance = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, generator=chance) * 1.5 - 1
    happens = torch.rand(rows, generator=chance) < torch.sigmoid(scale * logits + shift)
    return logits, happens.float()


def check_order_stays(calibrator: Calibrator) -> None:
    """Who stood above still does, also after being fitted to labels that say the reverse."""
    logits, labels = drawn(500, -3.0, 1.0)
    calibrator.fit(logits, labels, alone)
    moved = calibrator(logits.sort().values)
    assert (moved.diff() > 0).all()


def test_all_members_are_listed():
    assert families.unlisted(calibration, Calibration) == []


@every
def test_declaration(cls):
    families.check_declaration(cls)


@every
def test_nothing_changes_until_it_is_fitted(cls):
    logits = torch.linspace(-5, 5, 11)
    assert torch.equal(cls().build()(logits), logits)


@every
def test_order_stays(cls):
    check_order_stays(cls().build())


@every
def test_few_rows_of_one_label_leave_it_finite_and_near(cls):
    for label in (0.0, 1.0):
        calibrator = cls().build()
        calibrator.fit(torch.tensor([0.3, -2.0]), torch.full((2,), label), alone)
        moved = calibrator(torch.tensor([0.3, -2.0]))
        assert moved.isfinite().all()
        assert (moved - torch.tensor([0.3, -2.0])).abs().max() < 1.5


@every
def test_what_was_fitted_is_kept_with_the_weights(cls):
    one, other = cls().build(), cls().build()
    one.fit(*drawn(500, 0.5, -1.0), alone)
    other.load_state_dict(one.state_dict())
    logits = torch.linspace(-3, 3, 7)
    assert torch.equal(one(logits), other(logits))


@every
def test_a_weight_is_how_often_a_row_stands_there(cls):
    logits, labels = drawn(300, 0.5, -1.0)
    counts = torch.arange(300) % 4
    one, other = cls().build(), cls().build()
    one.fit(logits, labels, alone, counts.double())
    other.fit(logits.repeat_interleave(counts), labels.repeat_interleave(counts), alone)
    torch.testing.assert_close(one(logits), other(logits), rtol=1e-4, atol=1e-4)


def test_platt_finds_the_scale_and_the_shift():
    calibrator = calibration.Platt().build()
    calibrator.fit(*drawn(200_000, 0.7, -0.8), alone)
    # About five standard errors of each.
    assert float(calibrator.scale) == pytest.approx(0.7, abs=0.03)
    assert float(calibrator.shift) == pytest.approx(-0.8, abs=0.03)


def test_platt_makes_chances_right_on_the_whole():
    logits, labels = drawn(50_000, 1.3, -1.0)
    calibrator = calibration.Platt().build()
    calibrator.fit(logits, labels, alone)
    happened = float(labels.mean())
    assert float(torch.sigmoid(calibrator(logits)).mean()) == pytest.approx(happened, rel=0.002)
    assert float(torch.sigmoid(logits).mean()) > 1.2 * happened


def test_temperature_finds_the_scale():
    calibrator = calibration.Temperature().build()
    calibrator.fit(*drawn(200_000, 0.7, 0.0), alone)
    assert float(calibrator.scale) == pytest.approx(0.7, abs=0.03)


def test_a_step_of_a_funnel_is_set_right_in_its_place():
    """What is fitted is the chance of the step, not that of the step given the one before it."""
    earlier, happened = drawn(100_000, 1.0, 0.0)
    own = torch.randn(len(earlier), generator=torch.Generator().manual_seed(1))
    follows = torch.rand(len(own), generator=torch.Generator().manual_seed(2))
    labels = happened * (follows < torch.sigmoid(2 * own - 1)).float()

    def place(logits: torch.Tensor) -> torch.Tensor:
        log_chance = logsigmoid(earlier.double()) + logsigmoid(logits)
        return log_chance - torch.log1p(-log_chance.exp())

    calibrator = calibration.Platt().build()
    calibrator.fit(own, labels, place)
    assert float(calibrator.scale) == pytest.approx(2.0, abs=0.1)
    assert float(calibrator.shift) == pytest.approx(-1.0, abs=0.1)


def test_platt_by_the_slow_way():
    """The same numbers as a grid search over the posterior, in NumPy."""
    logits, labels = drawn(300, 1.5, 0.5)
    calibrator = calibration.Platt().build()
    calibrator.fit(logits, labels, alone)
    z, y = logits.double().numpy(), labels.double().numpy()
    logs, shifts = np.meshgrid(np.linspace(0, 0.75, 151), np.linspace(0, 1, 101), indexing="ij")
    said = np.exp(logs)[..., None] * z + shifts[..., None]
    wrong = (np.logaddexp(0, said) - y * said).sum(axis=-1)
    posterior = wrong + 0.5 * ((logs / 0.3) ** 2 + shifts**2)
    best = np.unravel_index(posterior.argmin(), posterior.shape)
    assert 0 < best[0] < 150  # not at the edge of the grid
    assert 0 < best[1] < 100
    assert float(calibrator.scale) == pytest.approx(np.exp(logs[best]), rel=0.006)
    assert float(calibrator.shift) == pytest.approx(shifts[best], abs=0.011)


@every
def test_what_was_fitted_is_told(cls):
    calibrator = cls().build()
    calibrator.fit(*drawn(500, 0.5, -1.0), alone)
    assert calibrator.fitted


@given(st.integers(0, 2**32 - 1), st.sampled_from([30, 3000]), st.floats(-3, 3))
@settings(max_examples=15, deadline=None)
def test_no_curve_changes_the_order(seed, rows, scale):
    """Also of scores that no label belongs to, and of labels that say the reverse."""
    chance = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, generator=chance) * 2
    labels = (torch.rand(rows, generator=chance) < torch.sigmoid(scale * logits)).float()
    asked = torch.linspace(-30, 30, 2001)
    for cls in MEMBERS:
        own = replace(cls(), positives=20, each=10) if cls is calibration.Isotonic else cls()
        calibrator = own.build()
        calibrator.fit(logits, labels, alone)
        assert (calibrator(asked).diff() > 0).all(), cls.__name__


def bent(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Log odds whose chance is no logistic curve of them: flat at first, then steep, then flat."""
    chance = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, generator=chance) * 2
    true = 0.02 + 0.5 * torch.sigmoid(6 * logits)
    return logits, (torch.rand(rows, generator=chance) < true).float()


def test_isotonic_is_as_near_as_the_likeliest_steps():
    """SciPy's own isotonic regression of the same rows, judged on others."""
    logits, labels = bent(60_000)
    curve, straight = calibration.Isotonic().build(), calibration.Platt().build()
    for one in (curve, straight):
        one.fit(logits, labels, alone)
    order = logits.argsort()
    steps = isotonic_regression(labels[order].double().numpy()).x
    asked, seen = bent(60_000, seed=1)
    by_steps = np.interp(asked.numpy(), logits[order].numpy(), steps)
    loss = {
        name: log_loss(seen.numpy(), said)
        for name, said in {
            "curve": torch.sigmoid(curve(asked)).double().numpy(),
            "straight": torch.sigmoid(straight(asked)).double().numpy(),
            "steps": np.clip(by_steps, 1e-4, 1 - 1e-4),
        }.items()
    }
    assert loss["curve"] < loss["steps"] + 0.001
    assert loss["straight"] > loss["curve"] + 0.01
    assert "10 pieces" in curve.fitted


def test_isotonic_with_few_positives_is_platt_and_says_so():
    logits, labels = bent(1000)
    curve, straight = calibration.Isotonic(positives=2000).build(), calibration.Platt().build()
    for one in (curve, straight):
        one.fit(logits, labels, alone)
    assert torch.equal(curve(logits), straight(logits))
    assert "too few" in curve.fitted


def segments(rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Three segments of which one happens far more often than its log odds say, and one is tiny."""
    chance = torch.Generator().manual_seed(4)
    codes = torch.tensor([7, 9, 4])[torch.randint(0, 3, (rows,), generator=chance)]
    codes[codes == 4] = torch.where(torch.arange(int((codes == 4).sum())) < 4, 4, 7)
    logits = torch.randn(rows, generator=chance) - 2
    own = torch.where(codes == 9, 1.0, 0.0)
    labels = (torch.rand(rows, generator=chance) < torch.sigmoid(logits + own)).float()
    return logits, labels, codes


def test_segments_are_set_right_by_themselves_and_small_ones_as_the_whole():
    logits, labels, codes = segments(40_000)
    about = About(segments=codes)
    own, whole = calibration.BySegment("event.device").build(), calibration.Platt().build()
    own.fit(logits, labels, alone, about=about)
    whole.fit(logits, labels, alone)
    said = torch.sigmoid(own(logits, about))
    before = torch.sigmoid(whole(logits))
    for code in (7, 9):
        some = codes == code
        assert float(said[some].sum() / labels[some].sum()) == pytest.approx(1, abs=0.02)
        assert abs(float(before[some].sum() / labels[some].sum()) - 1) > 0.2
    tiny = codes == 4
    assert (own(logits, about)[tiny] - whole(logits[tiny])).abs().max() < 0.4
    # Within a segment the order stays; a segment that was never met is as the whole.
    rising = torch.linspace(-6, 6, 200)
    for code in (7, 9, 4, 1000):
        there = About(segments=torch.full((200,), code))
        assert (own(rising, there).diff() > 0).all()
    assert torch.equal(own(rising, there), own.first(rising))


# --- planted faults ------------------------------------------------------------------------------


class Turning(Calibrator):
    """Follows labels that say the reverse."""

    fitted = "turned"

    def __init__(self):
        super().__init__()
        self.sign = 1.0

    def forward(self, logits, about=NOTHING):
        return self.sign * logits

    def fit(self, logits, labels, place, weights=None, about=NOTHING):
        self.sign = 1.0 if logits[labels == 1].mean() > logits[labels == 0].mean() else -1.0


def test_a_calibrator_that_turns_the_order_is_found():
    with pytest.raises(AssertionError):
        check_order_stays(Turning())
