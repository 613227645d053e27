"""Test rows cut by how often training met their things, chances before and after, propensities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shop_prepared as shop

from jointrec.evaluation import Report, Ways, evaluate, slices_table
from jointrec.evaluation.slices import BOUNDS, WARM
from jointrec.functional.intervals import bootstrap
from jointrec.functional.metrics import auc, ece, log_loss, pcoc
from jointrec.network import answers_of
from jointrec.splits import TEST

ROUNDS = 20
MET = {
    "user": np.arange(shop.USERS + 1) // 2,  # 0, 0, 1, 1, …: code 1 is cold
    "item": np.where(np.arange(shop.ITEMS + 1) == 3, 0, 500),
}


@pytest.fixture(scope="module")
def world():
    return shop.with_random_network()


def measured(world, *, met=MET, prepared=None, project=None):
    own, planned, arrays, networks = world
    ways = Ways(networks, {}, (), {})
    return evaluate(
        project or own, planned, prepared or arrays, ways, met=met, rounds=ROUNDS
    )  # fmt: skip


def test_rows_as_their_code_list_them(world):
    """The slow way: row by row, from the codes of the rows themselves."""
    found = measured(world)["click"].slices
    asked = world[2].asked["impression"]
    test = np.flatnonzero((asked.parts["click"] == TEST) & ~np.isnan(asked.labels["click"]))
    assert list(found) == ["user", "item"]
    for entity, slices in found.items():
        moments = asked.moments[entity].things[asked.at[entity][test]]
        times = [int(MET[entity][code]) for code in moments]
        by_hand = {
            "cold": sum(time == 0 for time in times),
            "tail": sum(0 < time < WARM for time in times),
            "warm": sum(time >= WARM for time in times),
        }
        assert {name: one.rows for name, one in slices.items()} == {
            name: rows for name, rows in by_hand.items() if rows
        }
        assert sum(one.positives for one in slices.values()) == asked.labels["click"][test].sum()
    assert [one.events for one in found["user"].values()] == ["0", f"1–{WARM - 1}", f"{WARM}+"]


def test_each_slice_is_measured_by_itself(world):
    project, _, prepared, networks = world
    asked = prepared.asked["impression"]
    known = (asked.parts["click"] == TEST) & ~np.isnan(asked.labels["click"])
    codes = asked.moments["item"].things[asked.at["item"]]
    rows = np.flatnonzero(known & (codes == 3))
    (piece,) = answers_of(networks["click"], prepared, asked, ("click",), rows)
    users, labels = asked.clusters[rows], asked.labels["click"][rows]
    expected = bootstrap(
        auc, labels, piece["click"], users, groups=users, rounds=ROUNDS, seed=project.budget.seed
    )
    found = measured(world)["click"].slices["item"]["cold"].systems["joint"]
    assert repr(found) == repr(expected)


def test_a_catalogue_is_cut_by_the_right_one_too(world):
    slices = measured(world)["next"].slices
    assert list(slices) == ["user", "item"]
    asked = world[2].asked["user before purchase"]
    test = asked.parts["next"] == TEST
    assert slices["item"].get("cold") is None or (
        slices["item"]["cold"].rows == (asked.labels["next"][test] == 3).sum()
    )
    assert sum(one.rows for one in slices["item"].values()) == test.sum()


def test_nothing_is_cut_where_nobody_counted(world):
    assert all(not report.slices for report in measured(world, met={}).values())


def test_slices_come_back_from_json_and_stand_in_a_table(world):
    report = Report(measured(world), {})
    assert repr(Report.from_json(report.to_json())) == repr(report)
    table = slices_table(report)
    assert table is not None
    assert [column.header for column in table.columns][2:] == [
        "cold (0)", f"tail (1–{WARM - 1})", f"warm ({WARM}+)",
    ]  # fmt: skip
    warm = {name: np.full_like(times, WARM) for name, times in MET.items()}
    assert slices_table(Report(measured(world, met=warm), {})) is None
    assert set(BOUNDS) == {"cold", "tail", "warm"}


def test_chances_before_they_are_set_right_and_after(world):
    _, _, prepared, networks = world
    network = networks["click"]
    asked = prepared.asked["impression"]
    rows = np.flatnonzero((asked.parts["click"] == TEST) & ~np.isnan(asked.labels["click"]))
    labels = asked.labels["click"][rows]
    platt = network.calibrated("click").first
    before = platt.shift.clone()
    try:
        platt.shift.fill_(-3.0)
        found = measured(world)
        (after,) = answers_of(network, prepared, asked, ("click",), rows)
    finally:
        platt.shift.copy_(before)
    (raw,) = answers_of(network, prepared, asked, ("click",), rows)
    told = found["click"].reliability
    for when, answers in (("before", raw["click"]), ("after", after["click"])):
        assert told[when].pcoc == pytest.approx(pcoc(labels, answers), rel=1e-5)
        assert told[when].ece == pytest.approx(ece(labels, answers), rel=1e-4)
        assert sum(told[when].rows) == len(rows)
        assert list(told[when].said) == sorted(told[when].said)
    assert told["after"].pcoc < 0.5 * told["before"].pcoc
    assert found["spent"].reliability == {}  # an amount is no chance


def test_rows_weigh_one_over_their_propensity(world):
    """By the slow way: rows stand there as often as their weight says."""
    project, _, prepared, networks = world
    tasks = {**project.tasks, "click": replace(project.tasks["click"], propensity="impression.p")}
    asked = prepared.asked["impression"]
    weights = 1.0 + np.arange(len(asked)) % 4
    own = replace(asked, weights={"click": weights})
    arrays = replace(prepared, asked={**prepared.asked, "impression": own})
    found = measured(world, project=replace(project, tasks=tasks), prepared=arrays)
    rows = np.flatnonzero((asked.parts["click"] == TEST) & ~np.isnan(asked.labels["click"]))
    (piece,) = answers_of(networks["click"], prepared, asked, ("click",), rows)
    again = np.repeat(np.arange(len(rows)), weights[rows].astype(int))
    labels, answers = asked.labels["click"][rows][again], piece["click"][again]
    told = found["click"].by_propensity
    assert told.systems["joint"]["auc"].value == pytest.approx(auc(labels, answers), abs=1e-10)
    expected = log_loss(labels, answers)
    assert told.systems["joint"]["log_loss"].value == pytest.approx(expected, abs=1e-10)
    kish = weights[rows].sum() ** 2 / (weights[rows] ** 2).sum()
    assert told.effective_rows == pytest.approx(kish)
    low, high = told.systems["joint"]["auc"].low, told.systems["joint"]["auc"].high
    assert low < told.systems["joint"]["auc"].value < high
    assert found["buy"].by_propensity is None
    report = Report(found, {})
    assert repr(Report.from_json(report.to_json())) == repr(report)
