"""LightGBM is given the very rows and features of the network, and is as strong as it can be."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import shop_prepared as shop
import torch

from jointrec.errors import MissingExtra
from jointrec.evaluation.baselines import LightGBM
from jointrec.evaluation.baselines import lightgbm as ours
from jointrec.evaluation.baselines.lightgbm import few_codes, objective
from jointrec.evaluation.baselines.matrix import Matrix, matrix
from jointrec.evaluation.baselines.parts import _hazards
from jointrec.evaluation.evaluate import question_of
from jointrec.functional.metrics import auc, c_index
from jointrec.labels import later
from jointrec.tasks import (
    Amount,
    Binary,
    Choice,
    Count,
    Multi,
    Ordinal,
    Quantiles,
    Retrieval,
    Sequence,
    Survival,
)

lightgbm = pytest.importorskip("lightgbm", reason="pip install 'jointrec[baselines]'")


@pytest.fixture(scope="module")
def world():
    return shop.prepared()


def question(world, name: str, grain: str):
    project, _, prepared = world
    return question_of(project, prepared, prepared.asked[grain], name)


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (Binary("a.b"), "binary"),
        (Amount("a.b"), "tweedie"),
        (Count("a.b"), "poisson"),
        (Choice("a.b"), "multiclass"),
        (Ordinal("a.b"), "multiclass"),
        (Quantiles("a.b"), "quantile"),
        (Multi("a.b"), "binary"),
        (Sequence("a.b"), "binary"),
        (Survival("a.b"), "binary"),
        (Retrieval(later.next("a.b", of="c")), None),
    ],
)
def test_the_objective_is_that_of_the_answer(task, name):
    assert objective(task) == name


def test_it_is_given_exactly_the_rows_of_each_part(world, monkeypatch):
    asked = question(world, "click", "impression")
    made, trained = [], []
    real_dataset, real_train = lightgbm.Dataset, lightgbm.train

    def dataset(values, labels, **settings):
        made.append((values, labels))
        return real_dataset(values, labels, **settings)

    def train(settings, *rest, **more):
        trained.append(settings)
        return real_train(settings, *rest, **more)

    monkeypatch.setattr(lightgbm, "Dataset", dataset)
    monkeypatch.setattr(lightgbm, "train", train)
    answers = LightGBM().answer(asked, seed=3)
    assert len(made) == 2
    for (values, labels), rows in zip(made, (asked.train, asked.valid), strict=True):
        assert (values == matrix(asked.prepared, asked.asked, rows).values).all()
        assert labels.tolist() == asked.labels[rows].tolist()
    assert answers.shape == (len(asked.test),)
    assert {settings["seed"] for settings in trained} == {3}
    assert [settings["num_leaves"] for settings in trained] == list(ours.LEAVES)
    # Weighing classes moves no order and spoils the probabilities.
    assert all("scale_pos_weight" not in s and "is_unbalance" not in s for s in trained)


def test_test_labels_are_never_looked_at(world):
    asked = question(world, "click", "impression")
    labels = asked.labels.copy()
    labels[asked.test] = 1 - labels[asked.test]
    others = replace(asked.asked, labels={**asked.asked.labels, "click": labels})
    first = LightGBM().answer(asked, seed=0)
    assert (LightGBM().answer(replace(asked, asked=others), seed=0) == first).all()


def test_it_learns_what_can_be_learned(world):
    # Who clicks what depends on user and item together: parity against parity.
    asked = question(world, "click", "impression")
    assert auc(asked.labels[asked.test], LightGBM().answer(asked, seed=0)) > 0.95


def test_chances_and_amounts_are_where_they_should_be(world):
    click = LightGBM().answer(question(world, "click", "impression"), seed=0)
    assert ((click > 0) & (click < 1)).all()
    spent = question(world, "spent", "impression")
    amounts = LightGBM().answer(spent, seed=0)
    assert (amounts >= 0).all()
    assert amounts.mean() == pytest.approx(spent.labels[spent.test].mean(), rel=0.5)
    grade = LightGBM().answer(question(world, "grade", "judgement"), seed=0)
    assert grade.shape[1] == 2
    assert np.allclose(grade.sum(axis=1), 1)


def test_quantiles_are_a_model_each_and_stand_in_order(world):
    spent = question(world, "spent", "impression")
    levels = (0.5, 0.95)
    asked = Quantiles("impression.spent", levels=levels)
    project = replace(spent.project, tasks={**spent.project.tasks, "spent": asked})
    answers = LightGBM().answer(replace(spent, project=project), seed=0)
    assert answers.shape == (len(spent.test), 2)
    assert (np.diff(answers, axis=1) >= 0).all()
    share = (spent.labels[spent.test][:, None] <= answers).mean(axis=0)
    assert share[0] < share[1]
    assert share[1] > 0.7


def asked_as(question, task, labels, size: int):
    """The same question of the shop's ``click``, asked as another kind of task."""
    layout = replace(
        question.prepared.layout, sizes={**question.prepared.layout.sizes, "click": size}
    )
    return replace(
        question,
        project=replace(question.project, tasks={**question.project.tasks, "click": task}),
        prepared=replace(question.prepared, layout=layout),
        asked=replace(question.asked, labels={**question.asked.labels, "click": labels}),
    )


def test_members_of_a_set_are_a_model_each(world):
    click = question(world, "click", "impression")
    # The first is what is clicked, the second always is, the third never.
    sets = np.where(np.isnan(click.labels), np.nan, (click.labels > 0) + 2.0)
    asked = asked_as(click, Multi("impression.clicked"), sets, 3)
    answers = LightGBM().answer(asked, seed=0)
    assert answers.shape == (len(click.test), 3)
    assert auc((click.labels > 0)[click.test].astype(float), answers[:, 0]) > 0.95
    assert (answers[:, 1] > 0.99).all()
    assert (answers[:, 2] < 0.01).all()


def test_steps_are_a_model_each_of_the_rows_that_know_them(world):
    click = question(world, "click", "impression")
    # The first step is what is clicked; the second is never, as far as half of the rows know it.
    known = np.arange(len(click.labels)) % 2
    steps = np.where(np.isnan(click.labels), np.nan, 1.0 + (click.labels > 0) + 3.0 * known)
    asked = asked_as(click, Sequence("impression.clicked"), steps, 2)
    answers = LightGBM().answer(asked, seed=0)
    assert answers.shape == (len(click.test), 2)
    assert auc((click.labels > 0)[click.test].astype(float), answers[:, 0]) > 0.95
    assert (answers[:, 1] < 0.01).all()


def test_times_are_a_hazard_for_each_bin(world):
    click = question(world, "click", "impression")
    task = Survival("impression.clicked", within="10d", bins=4)
    days = np.where(click.labels > 0, 2.0, -10.0)
    days = np.where(np.isnan(click.labels), np.nan, days)
    answers = LightGBM().answer(asked_as(click, task, days, 4), seed=0)
    assert answers.shape == (len(click.test), 4)
    assert (np.diff(answers, axis=1) >= 0).all()
    assert c_index(days[click.test], answers) > 0.95
    assert answers[:, -1].mean() == pytest.approx((days[click.test] > 0).mean(), rel=0.25)


def test_the_parts_of_time_have_the_loss_of_the_network():
    task = Survival("a.b", within="10d", bins=4)
    days = np.array([0.0, 0.3, 0.625, 7.0, -0.4, -4.0, -10.0, np.nan])
    parts = _hazards(days, None, task.bounds)
    hazards = np.random.default_rng(0).uniform(0.1, 0.9, (len(days), 4))
    mine = np.zeros(len(days))
    for n, part in enumerate(parts):
        right = np.where(part.labels == 1, hazards[:, n], 1 - hazards[:, n])
        mine -= np.where(np.isnan(part.labels), 0.0, part.weights * np.log(right))
    known = ~np.isnan(days)
    theirs = task.loss(
        torch.from_numpy(np.log(hazards / (1 - hazards))[known]), torch.from_numpy(days[known])
    )
    assert np.allclose(mine[known], theirs.numpy())
    weighed = _hazards(days, np.full(len(days), 2.0), task.bounds)
    assert all(
        (two.weights == 2 * one.weights).all() for one, two in zip(parts, weighed, strict=True)
    )


def test_chances_learned_from_a_part_of_the_rows_are_those_of_all(world):
    click = question(world, "click", "impression")
    some = Binary("impression.clicked", negatives=0.25)
    project = replace(click.project, tasks={**click.project.tasks, "click": some})
    rng = np.random.default_rng(0)
    parts = {}
    for name in ("train", "valid"):
        rows = getattr(click, name)
        parts[name] = rows[~some.left_out(click.labels[rows], rng.random(len(rows)))]
    answers = LightGBM().answer(replace(click, project=project, **parts), seed=0)
    assert answers.mean() == pytest.approx(click.labels[click.test].mean(), rel=0.25)


def test_it_stops_by_validation_and_the_smaller_loss_answers(world, monkeypatch):
    asked = question(world, "buy", "impression")
    tried = []
    real_train = lightgbm.train

    def train(*given, **more):
        tried.append(real_train(*given, **more))
        return tried[-1]

    monkeypatch.setattr(lightgbm, "train", train)
    answers = LightGBM().answer(asked, seed=0)
    losses = [booster.best_score["valid_0"]["binary_logloss"] for booster in tried]
    assert len(losses) == len(ours.LEAVES)
    test = matrix(asked.prepared, asked.asked, asked.test)
    best = tried[losses.index(min(losses))]
    assert (answers == best.predict(test.values, num_iteration=best.best_iteration)).all()


def test_without_validation_rows_it_answers_all_the_same(world):
    asked = question(world, "odd", "user")
    assert len(asked.valid) == 0
    assert LightGBM().answer(asked, seed=0).shape == (len(asked.test),)


def test_the_same_seed_gives_the_same_answers(world):
    asked = question(world, "click", "impression")
    first, second, other = (LightGBM().answer(asked, seed=seed) for seed in (0, 0, 1))
    assert (first == second).all()
    assert (first != other).any()


def test_without_its_package_it_says_what_to_install(world, monkeypatch):
    monkeypatch.setattr(ours, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'jointrec\[baselines\]'"):
        LightGBM().answer(question(world, "click", "impression"), seed=0)
    assert all(find_spec(package) for package in LightGBM.packages)


def test_it_applies_where_there_is_something_to_learn(world):
    click = question(world, "click", "impression")
    assert LightGBM().applies(click)
    assert not LightGBM().applies(replace(click, train=click.train[:0]))
    assert not LightGBM().applies(question(world, "next", "user before purchase"))


def test_codes_are_categories_where_they_are_few():
    codes = np.stack([np.arange(2000), np.arange(2000) % 7, np.arange(2000) / 2000], axis=1)
    data = Matrix(codes.astype(np.float32), ("user", "device", "price"), (0, 1))
    assert few_codes(data) == [1]


def test_the_matrix_holds_all_that_the_network_reads(world):
    _, _, prepared = world
    asked = prepared.asked["impression"]
    rows = np.array([5, 0, 77, 5])
    found = matrix(prepared, asked, rows)
    user_id, item_id = (f"{n}.{prepared.layout.things[n].ids[0]}" for n in ("user", "item"))
    assert found.names[:2] == (user_id, "user.age")
    assert [found.names[n] for n in found.categories] == [
        user_id,
        item_id,
        "impression.device",
    ]
    assert {"user: seen", "user: season", "item: code", "user × item: met", "cos"} <= set(
        found.names
    )
    tags = [n for n in found.names if n.startswith("item.tags ")]
    assert len(tags) == 1 + 7
    for line, row in zip(found.values, rows.tolist(), strict=True):
        told = dict(zip(found.names, line.tolist(), strict=True))
        user, item = asked.moments["user"], asked.moments["item"]
        who = int(user.things[asked.at["user"][row]])
        what = int(item.things[asked.at["item"][row]])
        # Codes begin at 0 for the unknown one, wherever the fused table has them.
        assert told[user_id] == who
        assert told[item_id] == what
        device = asked.context.ids[row, 0] - asked.context.ids[:, 0].min()
        assert told["impression.device"] == device
        assert told["user.age"] == prepared.things["user"].fields.numbers[who, 0]
        assert told["user: seen"] == user.numbers[asked.at["user"][row], 0]
        assert told["item: code"] == item.numbers[asked.at["item"][row], 0]
        assert told["user × item: liked"] == asked.pairs["user", "item"][row, 1]
        assert told["sin"] == asked.clock[row, 0]
        bag = prepared.things["item"].fields.bags[0]
        own = bag.values[bag.offsets[what] : bag.offsets[what + 1]] - shop.START["tags"]
        assert told["item.tags 0"] == len(own)
        assert [told[f"item.tags {n}"] for n in range(1, 8)] == [
            float(n in own) for n in range(7)
        ]  # fmt: skip


def test_only_the_most_frequent_of_many_values_have_columns(world, monkeypatch):
    _, _, prepared = world
    monkeypatch.setattr("jointrec.evaluation.baselines.matrix.MANY_OF_FEW", 3)
    asked = prepared.asked["impression"]
    found = matrix(prepared, asked, np.arange(50))
    assert [name for name in found.names if name.startswith("item.tags")] == [
        f"item.tags {n}" for n in range(4)
    ]
    values, counts = np.unique(prepared.things["item"].fields.bags[0].values, return_counts=True)
    chosen = sorted(sorted(values, key=lambda v: -counts[values.tolist().index(v)])[:3])
    bag = prepared.things["item"].fields.bags[0]
    at = asked.moments["item"].things[asked.at["item"][np.arange(50)]]
    for line, item in zip(found.values, at.tolist(), strict=True):
        own = bag.values[bag.offsets[item] : bag.offsets[item + 1]]
        columns = [line[found.names.index(f"item.tags {n}")] for n in range(1, 4)]
        assert columns == [float(value in own) for value in chosen]
