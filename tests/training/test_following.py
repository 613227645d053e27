"""Log odds follow labels as these settle, and nothing that was not settled when a day began."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from shop_prepared import DAY, impressions, prepared, project
from torch.nn.functional import binary_cross_entropy_with_logits as log_loss

from jointrec.batches import Assembler
from jointrec.budget import Budget
from jointrec.calibration import About, Calibrator, Following, Platt, Raw, Settled
from jointrec.network import answers_of
from jointrec.plan import plan
from jointrec.splits import TEST, TRAIN, VALID
from jointrec.training import followed, train
from jointrec.training.calibrate import calibrate

MATURES = 1
"""Days until the labels of an impression are settled."""


def alone(own: torch.Tensor) -> torch.Tensor:
    return own


def drifting(days: int, rows: int, walk: float, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Log odds, labels of which the base rate walks from day to day, and the day of each row."""
    chance = torch.Generator().manual_seed(seed)
    shift = (torch.randn(days, generator=chance) * walk).cumsum(0)
    day = torch.arange(days).repeat_interleave(rows)
    logits = torch.randn(days * rows, generator=chance) - 2
    happens = torch.rand(days * rows, generator=chance) < torch.sigmoid(logits + shift[day])
    return logits, happens.double(), day


def fitted(
    logits: torch.Tensor, labels: torch.Tensor, day: torch.Tensor, **settings: float
) -> Calibrator:
    """Followed over labels that settle a day after their own."""
    calibrator = Following(first=Raw(), **settings).build()
    rows = Settled(logits, labels, day + MATURES + 1, About(day), torch.ones_like(labels))
    calibrator.follow(rows, lambda some: alone)
    return calibrator


def test_a_base_rate_that_walks_is_followed() -> None:
    logits, labels, day = drifting(60, 3000, walk=0.15)
    calibrator = fitted(logits, labels, day, per_day=0.15, crowding=1.0)
    later = day >= 5
    said = calibrator(logits[later], About(day[later])).double()
    before, seen = logits[later].double(), labels[later]
    assert log_loss(said, seen) < log_loss(before, seen) - 0.005
    for number in range(5, 60):
        today = day[later] == number
        # A shift is two days late, and has walked on since then.
        assert float(said[today].sigmoid().sum() / seen[today].sum()) == pytest.approx(1, abs=0.55)
    assert float(said.sigmoid().sum() / seen.sum()) == pytest.approx(1, abs=0.03)


def test_labels_that_settle_later_play_no_part() -> None:
    """The planted leak: labels of a day are turned round; shifts of earlier days must not move."""
    logits, labels, day = drifting(20, 200, walk=0.2)
    honest = fitted(logits, labels, day)
    for turned_on in (4, 11):
        turned = torch.where(day == turned_on, 1 - labels, labels)
        moved = fitted(logits, turned, day)
        known = turned_on + MATURES + 1  # the first day that may know
        days = torch.arange(0, 20)
        zero = torch.zeros(20)
        same = honest(zero, About(days)) == moved(zero, About(days))
        assert same[:known].all()
        assert not same[known:].any()


def test_a_shift_by_the_slow_way() -> None:
    """The same filter on a grid: a prior that spreads each day, times the chance of the labels."""
    logits, labels, day = drifting(6, 400, walk=0.3, seed=3)
    calibrator = fitted(logits, labels, day, per_day=0.3, crowding=2.0)
    grid = np.linspace(-4, 4, 3201)
    step = grid[1] - grid[0]
    spread = np.exp(-0.5 * (grid / 0.3) ** 2)
    belief = (np.abs(grid) < step / 2).astype(float)
    for number in range(6):
        belief = np.convolve(belief, spread, mode="same")
        z = logits[day == number].double().numpy() + grid[:, None]
        y = labels[day == number].numpy()
        told = -(np.logaddexp(0, z) - y * z).sum(axis=1) / 2
        belief = belief * np.exp(told - told.max())
        belief /= belief.sum()
        found = calibrator(torch.zeros(1), About(torch.tensor([number + MATURES + 1])))
        assert float(found) == pytest.approx(float((grid * belief).sum()), abs=0.01)


def test_before_the_first_label_nothing_moves_and_after_the_last_the_last_shift_holds() -> None:
    logits, labels, day = drifting(4, 300, walk=0.5)
    calibrator = fitted(logits, labels, day)
    asked = torch.tensor([0, 1, 5, 6, 500, 100_000])
    shifts = calibrator(torch.zeros(6), About(asked))
    assert (shifts[:2] == 0).all()
    assert shifts[2] != 0
    assert (shifts[3:] == shifts[2]).all()
    assert torch.equal(calibrator(logits), logits)  # without moments


def test_followed_again_it_goes_on_from_where_it_was() -> None:
    logits, labels, day = drifting(30, 300, walk=0.2)
    whole = fitted(logits, labels, day)
    early = day < 20
    calibrator = fitted(logits[early], labels[early], day[early])
    late = ~early
    calibrator.follow(
        Settled(
            logits[late], labels[late], day[late] + 2, About(day[late]),
            torch.ones_like(labels[late]),
        ),
        lambda some: alone,
    )  # fmt: skip
    last = About(torch.tensor([31]))
    assert float(calibrator(torch.zeros(1), last)) == pytest.approx(
        float(whole(torch.zeros(1), last)), abs=0.05
    )


# --- in a network --------------------------------------------------------------------------------


def split_by_time(calibration: object) -> tuple:
    """The small shop, its last four days testing and the two before them validating."""
    shop = project(calibration=calibration, budget=Budget(epochs=1))
    grain = next(grain for grain in plan(shop).grains if grain.name == "impression")
    rows = impressions(grain)
    day = rows.times // DAY
    parts = np.where(day >= 6, TEST, np.where(day >= 4, VALID, TRAIN)).astype(np.int8)
    rows = replace(rows, parts=dict.fromkeys(rows.labels, parts))
    shop, planned, arrays = prepared(shop, impression=rows)
    return train(shop, planned, arrays).networks, planned, arrays, day


def said_of(network: object, arrays: object, task: str) -> np.ndarray:
    asked = arrays.asked["impression"]
    pieces = answers_of(network, arrays, asked, (task,), np.arange(len(asked)))
    return np.concatenate([piece[task] for piece in pieces])


def test_test_rows_are_answered_by_what_was_settled_before_their_day() -> None:
    networks, planned, arrays, day = split_by_time(Following(per_day=0.5, crowding=1.0))
    network, asked = networks["buy"], arrays.asked["impression"]
    before = {task: said_of(network, arrays, task) for task in ("click", "buy")}
    for task in ("click", "buy"):
        asked.labels[task][day >= 7] = 1.0
    calibrate(network, Assembler(arrays, planned, 3), ("click", "buy"))
    for task in ("click", "buy"):
        after = said_of(network, arrays, task)
        # A label of the first instant of day 7 is settled when day 8 begins; all others later.
        np.testing.assert_array_equal(after[day < 8], before[task][day < 8])
        assert (after[day == 9] > before[task][day == 9]).all()


def test_labels_that_settle_too_late_are_not_followed() -> None:
    calibrator = Following(within="2d").build()
    assert calibrator.follows(2 * DAY)
    assert not calibrator.follows(2 * DAY + 1)
    networks, _, _, _ = split_by_time(Following(per_day=0.5, within="12h"))  # labels take a day
    assert not networks["click"].calibrated("click").shifts.any()


def test_steps_of_a_funnel_stay_in_order() -> None:
    networks, _, arrays, _ = split_by_time(Following(per_day=0.5, crowding=1.0))
    click, buy = (said_of(networks["buy"], arrays, task) for task in ("click", "buy"))
    assert (buy <= click + 1e-7).all()


def test_nothing_is_followed_where_time_does_not_split() -> None:
    shop, planned, arrays = prepared(project(calibration=Following(), budget=Budget(epochs=1)))
    network = train(shop, planned, arrays).networks["click"]
    platt = project(calibration=Platt(), budget=Budget(epochs=1))
    other = train(*prepared(platt)).networks["click"]
    assert not network.calibrated("click").shifts.any()
    np.testing.assert_array_equal(
        said_of(network, arrays, "click"), said_of(other, arrays, "click")
    )


def test_following_other_rows_leaves_the_network_as_it_was() -> None:
    networks, _, arrays, day = split_by_time(Following(per_day=0.5, crowding=1.0))
    before = said_of(networks["click"], arrays, "click")
    newer = arrays.asked["impression"]
    newer.labels["click"][day >= 4] = 1.0
    moved = followed(networks, arrays)
    assert moved["click"].table is networks["click"].table
    np.testing.assert_array_equal(said_of(networks["click"], arrays, "click"), before)
    assert said_of(moved["click"], arrays, "click")[day == 9].mean() > before[day == 9].mean()
