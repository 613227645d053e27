"""BG/NBD and RFM: who comes back, by how often, how lately and since when."""

from __future__ import annotations

from dataclasses import replace

import baseline_shop as shop
import numpy as np
import pytest

from jointrec.errors import MissingExtra
from jointrec.evaluation.baselines import BGNBD, RFM, interactions, logistic
from jointrec.evaluation.baselines.bg_nbd import (
    Customers,
    _latest,
    chance_of_none,
    fitted,
    log_likelihood,
)
from jointrec.evaluation.baselines.habits import Habits, habits, people_of
from jointrec.functional.metrics import auc, log_loss
from jointrec.labels import DAY

integrate = pytest.importorskip("scipy.integrate", reason="pip install 'jointrec[baselines]'")
stats = pytest.importorskip("scipy.stats")
PARAMETERS = Customers(r=1.3, alpha=9.0, a=0.9, b=2.4)


def some(*rows: tuple[float, float, float]) -> Habits:
    return Habits(*np.array(rows, dtype=np.float64).T)


CASES = some((0, 0, 20), (0, 0, 0), (1, 5, 20), (4, 19, 20), (4, 6, 40), (2, 12, 12))


def likelihood(x: float, last: float, age: float, later: float = 0.0) -> float:
    """Both laws integrated over all people; ``later`` more days without a purchase."""
    rates = stats.gamma(PARAMETERS.r, scale=1 / PARAMETERS.alpha)
    leaving = stats.beta(PARAMETERS.a, PARAMETERS.b)

    def over_rates(days: float) -> float:
        buys = lambda rate: rate**x * np.exp(-rate * days) * rates.pdf(rate)  # noqa: E731
        return integrate.quad(buys, 0, 5, limit=200)[0]

    def over_chances(leaves: float, stays: float) -> float:
        return leaving.expect(lambda p: p**leaves * (1 - p) ** stays)

    stayed = over_chances(0, x) * over_rates(age + later)
    return stayed + (over_chances(1, x - 1) * over_rates(last) if x else 0.0)


def test_it_is_the_integral_over_all_people():
    rows = list(zip(CASES.repeats, CASES.last, CASES.age, strict=True))
    slow = np.array([likelihood(*row) for row in rows])
    assert np.allclose(log_likelihood(PARAMETERS, CASES), np.log(slow), atol=1e-4)
    none = np.array([likelihood(*row, 14) for row in rows])
    assert np.allclose(chance_of_none(PARAMETERS, CASES, 14.0), none / slow, atol=1e-4)


def test_long_pasts_are_answered():
    asked = some((3_000, 10, 4_000), (3_000, 4_000, 4_000))
    found = chance_of_none(PARAMETERS, asked, 7.0)
    assert found[0] == 1.0
    assert 0 <= found[1] < 0.1


def simulated(people: int) -> tuple[Habits, np.ndarray]:
    """People as the model has them, seen for 60 days, and whether they came in the next 14."""
    rng = np.random.default_rng(0)
    rows, came = [], []
    for rate, leave in zip(
        rng.gamma(PARAMETERS.r, 1 / PARAMETERS.alpha, people),
        rng.beta(PARAMETERS.a, PARAMETERS.b, people),
        strict=True,
    ):
        day, x, last, again = 0.0, 0, 0.0, False
        while (day := day + rng.exponential(1 / rate)) < 74:
            if day < 60:
                x, last = x + 1, day
            else:
                again = True
            if rng.random() < leave:
                break
        rows.append((x, last, 60.0))
        came.append(again)
    return some(*rows), np.array(came)


def test_it_finds_the_people_it_describes():
    known, came = simulated(3_000)
    found = fitted(known)
    # The parameters hide behind each other; the law that they make does not.
    better = log_likelihood(found, known).mean() - log_likelihood(PARAMETERS, known).mean()
    assert 0 <= better < 0.005
    said, truth = (1 - chance_of_none(one, known, 14.0) for one in (found, PARAMETERS))
    assert np.abs(said - truth).max() < 0.05
    assert said.mean() == pytest.approx(came.mean(), abs=0.02)


def test_habits_are_those_of_the_table():
    asked = shop.question("gone")
    rows = np.concatenate([asked.test[::7], asked.train[::7]])
    found = habits(asked, rows)
    lines, keys = shop.shop()[0].event["line"].source, asked.prepared.things["user"].keys
    bought = list(zip(lines["user"], lines["at"].cast(int).to_list(), strict=True))
    for n, (code, when) in enumerate(
        zip(people_of(asked, rows).tolist(), asked.asked.times[rows].tolist(), strict=True)
    ):
        days = sorted({at // DAY for user, at in bought if user == keys[code] and at < when})
        assert found.repeats[n] == len(days) - 1
        assert found.last[n] == days[-1] - days[0]
        assert found.age[n] == when // DAY - days[0]


def test_it_is_fitted_to_the_last_training_row_of_each():
    asked = shop.question("gone")
    known = habits(asked, asked.train)
    people, times = people_of(asked, asked.train), asked.asked.times[asked.train]
    rows = [np.flatnonzero(people == one) for one in np.unique(people)]
    last = [int(own[times[own].argmax()]) for own in rows]
    assert _latest(asked, known).age.tolist() == known.age[last].tolist()


@pytest.mark.parametrize("way", [BGNBD, RFM])
def test_it_says_who_comes_back(way):
    gone, back = (way().answer(shop.question(task), seed=0) for task in ("gone", "back"))
    assert np.allclose(gone + back, 1, atol=1e-9 if way is BGNBD else 1e-3)
    asked = shop.question("gone")
    labels = asked.labels[asked.test]
    assert auc(labels, gone) > 0.7
    constant = np.full(len(labels), asked.labels[asked.train].mean())
    assert log_loss(labels, gone) < log_loss(labels, constant)


@pytest.mark.parametrize("way", [BGNBD, RFM])
def test_of_those_without_a_past_it_says_what_is_usual_of_them(way):
    asked = shop.question("gone")
    moments = asked.asked.moments["user"]
    nothing = replace(moments, stop=moments.start)
    empty = replace(asked, asked=replace(asked.asked, moments={"user": nothing}))
    labels = asked.labels[asked.train]
    usual = (labels.sum() + labels.mean()) / (len(labels) + 1)
    assert np.allclose(way().answer(empty, seed=0), usual)


@pytest.mark.parametrize("way", [BGNBD, RFM])
def test_those_without_a_past_change_nothing_for_the_others(way):
    asked = shop.question("gone")
    moments = asked.asked.moments["user"]
    rows = asked.asked.at["user"][asked.test[:3]]
    stop = moments.stop.copy()
    stop[rows] = moments.start[rows]
    some = replace(asked, asked=replace(asked.asked, moments={"user": replace(moments, stop=stop)}))
    first, second = (way().answer(one, seed=0) for one in (asked, some))
    assert np.array_equal(first[3:], second[3:])
    assert np.isfinite(second).all()


@pytest.mark.parametrize("way", [BGNBD, RFM])
def test_it_applies_where_it_is_asked_who_comes_back(way):
    assert [task for task in shop.TASKS if way().applies(shop.question(task))] == ["gone", "back"]
    asked = shop.question("gone")
    assert not way().applies(replace(asked, prepared=replace(asked.prepared, past={})))
    assert not way().applies(replace(asked, train=asked.train[:0]))


@pytest.mark.parametrize(("way", "file"), [(BGNBD, interactions), (RFM, logistic)])
def test_without_its_package_it_says_what_to_install(way, file, monkeypatch):
    monkeypatch.setattr(file, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'jointrec\[baselines\]'"):
        way().answer(shop.question("gone"), seed=0)
