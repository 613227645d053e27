"""Every way of answering is measured on the same test rows, by the metrics right for the task."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shop_prepared as shop
from hypothesis import given
from hypothesis import strategies as st

from jointrec.evaluation import Baseline, Ways, evaluate
from jointrec.evaluation.evaluate import question_of, task_report
from jointrec.evaluation.said import as_measured, said_of
from jointrec.functional.intervals import bootstrap
from jointrec.splits import TEST, TRAIN, VALID

ROUNDS = 40


class Told(Baseline):
    """Answers what it was told to, and remembers what it was asked."""

    name = "told"

    def __init__(self, answers) -> None:
        self.answers, self.questions = answers, {}

    def applies(self, question) -> bool:
        return question.task in self.answers

    def answer(self, question, *, seed):
        self.questions[question.task] = question
        return self.answers[question.task](question)


@pytest.fixture(scope="module")
def world():
    return shop.with_random_network()


def measured(world, *, alone=None, baselines=(), oracles=None, rounds=ROUNDS):
    project, planned, prepared, networks = world
    ways = Ways(networks, alone or {}, baselines, oracles or {})
    return evaluate(project, planned, prepared, ways, rounds=rounds)


def joint_answers(world):
    """For each task what the network answers, as a baseline would."""
    networks = world[3]

    def answer(question):
        return said_of(networks[question.task], question).answers

    return dict.fromkeys(world[0].tasks, answer)


def test_each_task_has_its_own_metrics_and_the_first_decides(world):
    project = world[0]
    found = measured(world)
    assert list(found) == list(project.tasks)
    for name, task in project.tasks.items():
        report, metrics = found[name], task.metrics
        assert list(report.systems) == ["joint"]
        order = ["order_violations"] if name == "buy" else []
        assert list(report.systems["joint"]) == [*metrics, *task.band_metrics, *order]
        assert report.metric == next(iter(metrics))
        assert report.better == metrics[report.metric].better
        assert report.kind == type(task).__name__
    assert {name: report.metric for name, report in found.items()} == {
        "click": "auc", "buy": "auc", "spent": "gini", "grade": "choice_log_loss",
        "next": "ndcg@10", "odd": "auc",
    }  # fmt: skip


def test_rows_are_counted_as_they_are(world):
    _, planned, prepared, _ = world
    for name, report in measured(world).items():
        asked = prepared.asked[planned.grain_of(name).name]
        known = ~np.isnan(asked.labels[name])
        test = known & (asked.parts[name] == TEST)
        assert report.grain == asked.grain.name
        assert report.sees == asked.grain.sees
        assert report.rows == test.sum()
        assert report.train_rows == (known & (asked.parts[name] == TRAIN)).sum()
        assert report.clusters == len(set(asked.clusters[test].tolist()))
        yes = int((asked.labels[name][test] > 0).sum())
        assert report.positives == (None if name in ("grade", "next") else yes)
        by_user: dict[int, set[float]] = {}
        for user, label in zip(asked.clusters[test], asked.labels[name][test], strict=True):
            by_user.setdefault(int(user), set()).add(float(label))
        both = sum(len(labels) == 2 for labels in by_user.values())
        assert report.gauc_clusters == (both if name in ("click", "buy", "odd") else None)


def test_all_ways_are_asked_the_very_same_rows(world):
    _, planned, prepared, networks = world
    told = Told(joint_answers(world))
    found = measured(world, alone=networks, baselines=[told])
    for name, report in found.items():
        # The same answers to the same rows: equal to the bit, with no gain at all.
        assert list(report.systems) == ["joint", "alone", "told"]
        assert repr(report.systems["alone"]) == repr(report.systems["joint"])
        bands = world[0].tasks[name].band_metrics  # which networks alone tell
        answers = {m: v for m, v in report.systems["joint"].items() if m not in bands}
        assert repr(report.systems["told"]) == repr(answers)
        for gain in report.gains.values():
            assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0) or math.isnan(gain.low)
        question, asked = told.questions[name], prepared.asked[planned.grain_of(name).name]
        assert question.asked is asked
        known = ~np.isnan(asked.labels[name])
        for part, rows in ((TRAIN, question.train), (VALID, question.valid), (TEST, question.test)):
            assert rows.tolist() == np.flatnonzero(known & (asked.parts[name] == part)).tolist()


def perfect(question):
    """The labels themselves, in the form in which the task answers."""
    labels = question.labels[question.test]
    if question.task == "next":
        return np.ones(len(labels))
    if question.task == "grade":
        return np.stack([1 - labels, labels], axis=1) * 0.998 + 0.001
    return labels


def test_a_gain_is_above_zero_where_joint_is_better_whichever_way_the_metric_runs(world):
    tasks = ("click", "spent", "grade", "next")
    best = Told(dict.fromkeys(tasks, perfect))
    found = measured(world, baselines=[best])
    assert {found[name].better for name in tasks} == {"higher", "lower"}
    for name in tasks:
        report = found[name]
        joint, told = (report.systems[way][report.metric].value for way in ("joint", "told"))
        sign = 1 if report.better == "higher" else -1
        assert report.gains["told"].value == pytest.approx(sign * (joint - told), abs=1e-12)
        assert report.gains["told"].value < 0
        assert report.gains["told"].high < 0
        assert report.verdict("told") == "worse"
        assert "joint" not in report.gains


def test_intervals_draw_clusters(world):
    project, _, prepared, networks = world
    report = measured(world)["click"]
    asked = prepared.asked["impression"]
    question = question_of(project, prepared, asked, "click")
    answers = said_of(networks["click"], question).answers
    users = asked.clusters[question.test]
    for name, metric in project.tasks["click"].metrics.items():
        labels = question.labels[question.test]
        expected = bootstrap(
            metric.measure, labels, answers, users, groups=users, rounds=ROUNDS, seed=0
        )
        assert report.systems["joint"][name] == expected


def test_copies_of_rows_make_nothing_surer(world):
    project, _, prepared, networks = world
    asked = prepared.asked["impression"]
    once = question_of(project, prepared, asked, "click")
    answers = said_of(networks["click"], once).answers
    tripled = replace(once, test=np.repeat(once.test, 3))
    found = [
        task_report(project, question, {"joint": given}, rounds=ROUNDS).systems["joint"]["auc"]
        for question, given in ((once, answers), (tripled, np.repeat(answers, 3)))
    ]
    assert found[0].low < found[0].value < found[0].high
    for end in ("value", "low", "high"):
        assert getattr(found[1], end) == pytest.approx(getattr(found[0], end), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_the_answer_to_a_catalogue_is_the_rank_of_the_right_one(seed, most):
    project, _, prepared = shop.prepared()
    question = question_of(project, prepared, prepared.asked["user before purchase"], "next")
    rows = question.test
    scores = np.random.default_rng(seed).integers(0, most, (len(rows), shop.ITEMS)).astype(float)
    found = as_measured(question, rows, scores)
    for row, line, rank in zip(rows, scores.tolist(), found.tolist(), strict=True):
        right = int(question.labels[row]) - 1
        others = [score for item, score in enumerate(line) if item != right]
        assert rank == 1 + sum(score >= line[right] for score in others)


def test_an_oracle_is_measured_like_the_rest(world):
    def truth(asked, rows):
        scores = np.zeros((len(rows), shop.ITEMS))
        scores[np.arange(len(rows)), asked.labels["next"][rows].astype(int) - 1] = 1.0
        return scores

    report = measured(world, oracles={"next": truth})["next"]
    assert {m: i.value for m, i in report.systems["oracle"].items()} == {
        "ndcg@10": 1.0, "recall@10": 1.0, "mrr": 1.0,
    }  # fmt: skip


def test_a_task_without_test_rows_is_not_defined_and_nobody_is_asked(world):
    project, planned, prepared, networks = world
    none = {
        name: replace(asked, parts={t: np.minimum(p, VALID) for t, p in asked.parts.items()})
        for name, asked in prepared.asked.items()
    }
    told = Told(joint_answers(world))
    ways = Ways(networks, networks, [told], {"next": lambda asked, rows: None})
    found = evaluate(project, planned, replace(prepared, asked=none), ways, rounds=5)
    assert told.questions == {}
    for report in found.values():
        assert (report.rows, report.clusters) == (0, 0)
        assert list(report.systems) == ["joint", "alone"]
        values = [i.value for metrics in report.systems.values() for i in metrics.values()]
        assert all(math.isnan(value) for value in values)
        assert report.verdict("alone") == "unknown"


def test_what_is_being_measured_is_told(world):
    project, planned, prepared, networks = world
    told: list[tuple[str, str]] = []
    ways = Ways(networks, networks, [Told({"click": perfect})], {})
    evaluate(project, planned, prepared, ways, rounds=2, observe=lambda *what: told.append(what))
    assert [way for task, way in told if task == "click"] == ["joint", "alone", "told", "intervals"]
    assert [way for task, way in told if task == "odd"] == ["joint", "alone", "intervals"]


def test_a_funnel_never_contradicts_itself_and_others_are_told_that_they_do(world):
    """A baseline that answers each step by itself says of some rows that buying is likelier."""

    class Odd(Told):
        name = "odd"

        def applies(self, question):
            return question.project.tasks[question.task].form == "chance"

        def answer(self, question, *, seed):
            return np.random.default_rng(len(question.task)).random(len(question.test))

    reports = measured(world, baselines=[Odd({})])
    buy = reports["buy"].systems
    assert buy["joint"]["order_violations"].value == 0.0
    assert 0.2 < buy["odd"]["order_violations"].low < buy["odd"]["order_violations"].high < 0.8
    assert "order_violations" not in reports["click"].systems["joint"]
    assert "order_violations" not in reports["spent"].systems["joint"]
