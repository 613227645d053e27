"""Yes or no at each of the next steps: by its definition, without a leak, and on a shop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.metrics import log_loss, roc_auc_score
from torch.autograd import gradcheck

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec.errors import DataError, ProjectError
from jointrec.evaluation.baselines.matrix import matrix
from jointrec.functional import losses, metrics
from jointrec.plan import plan
from jointrec.prepare import obtain
from jointrec.project import parse
from jointrec.sharing import SharedBottom
from jointrec.splits import TRAIN
from jointrec.tasks import Sequence

DAY = 86_400_000_000
STEPS = 3
CELLS = st.lists(st.sampled_from([0.0, 1.0, None]), min_size=STEPS, max_size=STEPS)


def number(steps: list[float | None]) -> float:
    """A sequence as one number, digit by digit."""
    return float(sum((0 if s is None else 1 + int(s)) * 3**k for k, s in enumerate(steps)))


@given(st.lists(CELLS | st.none(), min_size=1, max_size=8))
@settings(max_examples=40)
def test_a_number_holds_the_steps_and_gives_them_back(lists) -> None:
    column = pl.Series(lists, dtype=pl.List(pl.Float64))
    numbers = Sequence("t.x").encode(column, {"steps": STEPS})
    for found, steps in zip(numbers, lists, strict=True):
        if steps is None or steps == [None] * STEPS:
            assert np.isnan(found)
            continue
        assert found == number(steps)
        again = losses.digits(torch.tensor([found], dtype=torch.float64), STEPS)[0].tolist()
        assert again == [0 if s is None else 1 + s for s in steps]


def test_thirty_two_steps_are_exact() -> None:
    task, yes = Sequence(later.steps("e.c", of="u", first=32)), [1.0] * 32
    numbers = task.encode(pl.Series([yes, [0.0] * 31 + [1.0]]), {"steps": 32})
    found = losses.digits(torch.from_numpy(numbers), 32)
    assert found.tolist() == [[2] * 32, [1] * 31 + [2]]
    start = task.constant(numbers, {"steps": 32})
    assert start[0] == 0  # one of two
    assert start[31] == pytest.approx(np.log(2.5 / 0.5))
    assert len(task.metrics) == 4 + 2 * 32
    assert task.happened(torch.from_numpy(numbers), 32).tolist() == [[1.0] * 32, [0.0] * 31 + [1.0]]


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_what_happened_is_each_known_step(rows) -> None:
    numbers = Sequence("t.x").encode(pl.Series(rows, dtype=pl.List(pl.Float64)), {"steps": STEPS})
    found = Sequence("t.x").happened(torch.from_numpy(numbers), STEPS)
    expected = [[np.nan if step is None else step for step in steps] for steps in rows]
    np.testing.assert_array_equal(found.numpy(), expected)


@given(st.lists(CELLS, min_size=1, max_size=5), st.data())
@settings(max_examples=40)
def test_loss_is_that_of_the_known_steps_alone(rows, data) -> None:
    shape = {"min_size": STEPS * len(rows), "max_size": STEPS * len(rows)}
    outputs = np.array(data.draw(st.lists(st.floats(-8, 8), **shape))).reshape(-1, STEPS)
    chances = special.expit(outputs)
    expected = [
        sum(
            -np.log(chance if step else 1 - chance)
            for chance, step in zip(said, steps, strict=True)
            if step is not None
        )
        for said, steps in zip(chances, rows, strict=True)
    ]
    logits = torch.from_numpy(outputs).requires_grad_()
    labels = torch.tensor([number(steps) for steps in rows], dtype=torch.float64)
    found = losses.sequence(logits, labels)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-10, atol=1e-10)
    assert gradcheck(lambda out: losses.sequence(out, labels), logits)
    found.sum().backward()
    unknown = torch.tensor([[step is None for step in steps] for steps in rows])
    assert (logits.grad[unknown] == 0).all()  # never negative: it is as if it were not there


def test_metrics_are_those_of_scikit_learn_at_each_step() -> None:
    rng = np.random.default_rng(0)
    seen = rng.integers(-1, 2, (400, STEPS))  # -1: unknown
    labels = ((seen + 1) @ 3 ** np.arange(STEPS)).astype(float)
    chances = np.clip(0.3 * (seen == 1) + 0.7 * rng.random(seen.shape), 0.01, 0.99)
    weights = rng.integers(1, 4, 400).astype(float)
    for one, whole, oracle in (
        (metrics.step_log_loss, metrics.sequence_log_loss, log_loss),
        (metrics.step_auc, metrics.sequence_auc, roc_auc_score),
    ):
        each = []
        for k in range(STEPS):
            known = seen[:, k] >= 0
            each.append(oracle(seen[known, k], chances[known, k], sample_weight=weights[known]))
            found = one(labels, chances, weights=weights, step=k)
            assert found == pytest.approx(each[-1], abs=1e-10)
        assert whole(labels, chances, weights=weights) == pytest.approx(np.mean(each), abs=1e-10)
    # Each step by itself, and all of them as one long column.
    known = seen >= 0
    one_by_one = [
        metrics.ece(seen[known[:, k], k], chances[known[:, k], k], weights=weights[known[:, k]])
        for k in range(STEPS)
    ]
    found = metrics.sequence_ece(labels, chances, weights=weights)
    assert found == pytest.approx(np.mean(one_by_one))
    counted = (weights[:, None] * known)[known]
    expected = (counted @ chances[known]) / (counted @ seen[known])
    assert metrics.sequence_pcoc(labels, chances, weights=weights) == pytest.approx(expected)
    with pytest.raises(DataError, match="sequence_auc: labels must be sequences of 1 steps"):
        metrics.sequence_auc(np.array([3.0]), np.array([[0.5]]))


TOML = """
    entity.user = { source = "users.csv", key = "id" }
    [event.shown]
    source = "shown.csv"
    entities = ["user"]
    time = "at"
    [tasks]
    next = { kind = "Sequence", label = LABEL }
"""


def test_in_the_file() -> None:
    label = '{ steps = "shown.clicked", of = "user", first = 5, active = "30d", every = "1d" }'
    shop = parse(TOML.replace("LABEL", label))
    wanted = later.steps("shown.clicked", of="user", first=5, active="30d", every="1d")
    assert shop.tasks["next"].label == wanted
    assert str(wanted) == "steps(shown.clicked, of=user, active=30d, every=1d, first=5)"
    assert parse(shop.to_toml()) == shop
    assert plan(shop).outcomes == {"shown": ("clicked",)}


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ('{ steps = "shown.clicked", of = "user" }', "how many of the next events .*: first = 5"),
        ('{ steps = "shown", of = "user", first = 5 }', r'steps = "shown\.COLUMN"'),
        (
            '{ steps = "shown.clicked", of = "user", first = 5, within = "7d" }',
            "`steps` looks forward until something comes. Leave `within` out",
        ),
        ('{ any = "shown", of = "user", first = 5, within = "7d" }', "`first` is how many `steps`"),
        ('"user.clicks"', r'Write label = \{ steps = "event.column", of = "entity", first = 5 \}'),
        ('{ steps = "shown.clicked", of = "user", first = 0 }', "`first` should be 1 to 32 steps"),
        ('{ steps = "shown.clicked", of = "user", first = 33 }', "`first` should be 1 to 32 steps"),
    ],
)
def test_what_cannot_be_meant_is_said(label: str, told: str) -> None:
    with pytest.raises(ProjectError, match=told):
        plan(parse(TOML.replace("LABEL", label)))


USERS, DAYS = 60, 30
CHANCES = np.array([[0.9, 0.5, 0.2], [0.4, 0.1, 0.02]])
"""How often each of the three things shown in a day is clicked, by two kinds of people."""


def shown() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Everybody is shown three things on each of most days; the first is clicked most."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, USERS)
    day, user = np.nonzero(rng.random((DAYS, USERS)) < 0.8)
    at = (19_723 + np.repeat(day, 3)) * DAY + np.tile(np.arange(3), len(day)) * DAY // 3
    rows = pl.DataFrame(
        {
            "user": [f"u{n}" for n in np.repeat(user, 3)],
            "at": pl.Series(at.astype(np.int64)).cast(pl.Datetime("us")),
            "clicked": (rng.random((len(day), 3)) < CHANCES[kind[user]]).ravel(),
        }
    )
    return pl.DataFrame({"user": [f"u{n}" for n in range(USERS)], "kind": kind.astype(str)}), rows


def shop(rows: pl.DataFrame | None = None) -> jr.Project:
    users, all_rows = shown()
    features = {"kind": f.Category()}
    return jr.Project(
        entity={"user": jr.Entity(users, key="user", features=features, id_floor=0)},
        event={
            "shown": jr.Event(
                all_rows if rows is None else rows, entities=("user",), time="at", matures="20h"
            )
        },
        tasks={"next": Sequence(later.steps("shown.clicked", of="user", first=STEPS, every="1d"))},
        counters=("7d",),
        sharing=SharedBottom(widths=(32, 16)),
        split=jr.ByTime(test_days=10, valid_days=5),
        budget=jr.Budget(epochs=3, rows=128),
    )


def test_rows_see_nothing_of_their_steps_and_training_nothing_of_what_came_later() -> None:
    """Cells change from the validation cut on: what is read before it and learned stays."""
    _, rows = shown()
    found = obtain(shop(), plan(shop()), Path(), cache=None)
    cut = found.tables.cuts.valid
    (asked,) = found.prepared.asked.values()
    late = rows["at"].dt.epoch("us") + 20 * DAY // 24 > cut
    changed = rows.with_columns(clicked=pl.when(late).then(~pl.col("clicked")).otherwise("clicked"))
    other = obtain(shop(changed), plan(shop()), Path(), cache=None)
    (again,) = other.prepared.asked.values()
    before = np.flatnonzero(asked.times <= cut)
    one, two = (matrix(p.prepared, a, before) for p, a in ((found, asked), (other, again)))
    assert any("clicked" in name for name in one.names)  # what was clicked is known of the past
    np.testing.assert_array_equal(one.values, two.values)
    trains = asked.parts["next"] == TRAIN
    np.testing.assert_array_equal(asked.labels["next"][trains], again.labels["next"][trains])
    # The plant is seen: steps after the cut did change, and rows near the cut know fewer steps.
    assert (asked.labels["next"] != again.labels["next"])[~trains].any()
    near = asked.labels["next"][trains & (asked.times > cut - 2 * DAY)]
    assert (losses.digits(torch.from_numpy(near[~np.isnan(near)]), STEPS) == 0).any()


def test_a_shop_learns_what_is_clicked_at_each_step() -> None:
    project = shop()
    model = jr.fit(project, compare=jr.Compare(alone=False, baselines=(), rounds=20))
    measured = model.report.tasks["next"]
    assert measured.metric == "sequence_log_loss"
    assert measured.positives is None
    ours = measured.systems["joint"]
    assert [name for name in ours if name.startswith("auc")] == [f"auc_step_{k}" for k in (1, 2, 3)]
    assert all(ours[f"auc_step_{k}"].low > 0.6 for k in (1, 2, 3))
    assert "3 answers shifted" in model.report.facts["calibrated"]["next"]
    said = model.predict("next")
    assert said.columns == ["user", "answer", "P(step 1)", "P(step 2)", "P(step 3)"]
    kinds = said.join(shown()[0], on="user").sort("kind")["kind"].to_numpy().astype(int)
    chances = said.join(shown()[0], on="user").sort("kind").select(pl.col("^P.*$")).to_numpy()
    for kind in (0, 1):
        mean = chances[kinds == kind].mean(axis=0)
        np.testing.assert_allclose(mean, CHANCES[kind], atol=0.1)
    np.testing.assert_allclose(said["answer"].to_numpy(), said.select("^P.*$").sum_horizontal())
