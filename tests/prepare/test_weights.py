"""Rows that count more: weights as declared, propensities inverted and clipped."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.labels import later
from jointrec.plan import plan
from jointrec.prepare import obtain
from jointrec.prepare.weights import CLIP
from jointrec.sharing import SharedBottom
from jointrec.splits import TRAIN


def shop(rows: int = 3_000, **tasks: t.Task) -> jr.Project:
    """Whoever likes it was shown it four times as often; half of all people like it."""
    rng = np.random.default_rng(0)
    likes = rng.random(rows) < 0.5
    chance = np.where(likes, 0.8, 0.2)
    seen = rng.random(rows) < chance
    table = pl.DataFrame(
        {
            "id": [f"u{n}" for n in range(rows)],
            "noise": rng.normal(size=rows),
            "bought": rng.random(rows) < np.where(likes, 0.9, 0.1),
            "chance": chance,
            "count": np.where(likes, 1.0, 3.0),
        }
    ).filter(pl.Series(seen))
    return jr.Project(
        entity={"user": jr.Entity(table, key="id", features={"noise": f.Number()}, id_floor=0)},
        event={"visit": jr.Event("visits.csv", entities=("user",), time="at")} if not tasks else {},
        tasks=tasks or {"bought": t.Binary("user.bought")},
        sharing=SharedBottom(widths=(16, 8)),
        split=jr.ByEntity(),
        budget=jr.Budget(epochs=4, rows=128, patience=4),
    )


def weights(task: t.Task) -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
    project = shop(bought=task)
    asked = obtain(project, plan(project), None).prepared.asked["user"]
    return asked.weights["bought"], asked.parts["bought"], project.entity["user"].source


def test_a_weight_is_the_column_and_one_on_average() -> None:
    found, parts, table = weights(t.Binary("user.bought", weight="user.count"))
    assert found[parts == TRAIN].mean() == pytest.approx(1.0)
    np.testing.assert_allclose(found / found.min(), table["count"].to_numpy())


def test_a_propensity_is_inverted() -> None:
    found, parts, table = weights(t.Binary("user.bought", propensity="user.chance"))
    assert found[parts == TRAIN].mean() == pytest.approx(1.0)
    np.testing.assert_allclose(found * table["chance"].to_numpy(), found[0] * table["chance"][0])


def test_a_rare_row_counts_at_most_ten_times_the_mean_and_what_is_no_chance_nothing() -> None:
    project = shop(bought=t.Binary("user.bought", propensity="user.chance"))
    table = project.entity["user"].source
    odd = table.with_columns(
        chance=pl.when(pl.int_range(pl.len()) % 50 == 0).then(1e-9).otherwise(1.0)
    )
    odd[3, "chance"], odd[4, "chance"], odd[5, "chance"] = None, 0.0, 1.5
    entity = jr.Entity(odd, key="id", features={"noise": f.Number()}, id_floor=0)
    project = jr.Project(**{**vars(project), "entity": {"user": entity}})
    asked = obtain(project, plan(project), None).prepared.asked["user"]
    found = asked.weights["bought"]
    assert found[3:6].tolist() == [0.0, 0.0, 0.0]
    assert found.max() / np.median(found) > CLIP
    assert found[asked.parts["bought"] == TRAIN].mean() == pytest.approx(1.0)


def test_what_was_seen_is_told_from_what_there_is() -> None:
    """Of those seen, .74 buy; of all, half do. Weighed, the answer is the half."""
    plain = jr.fit(
        shop(bought=t.Binary("user.bought")),
        compare=jr.Compare(alone=False, baselines=(), rounds=5),
    )
    task = t.Binary("user.bought", propensity="user.chance")
    weighed = jr.fit(shop(bought=task), compare=jr.Compare(alone=False, baselines=(), rounds=5))
    said = [model.predict("bought")["answer"].mean() for model in (plain, weighed)]
    assert said[0] == pytest.approx(0.74, abs=0.1)
    assert said[1] == pytest.approx(0.5, abs=0.1)


def test_weights_are_handed_over_and_weigh_the_losses(tmp_path) -> None:
    task = t.Binary("user.bought", propensity="user.chance")
    project = shop(rows=600, bought=task)
    compare = jr.Compare(alone=False, baselines=(), rounds=5)
    kept = [jr.fit(project, compare=compare, cache=tmp_path / "kept") for _ in range(2)]
    said = [model.predict("bought")["answer"].to_list() for model in kept]
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (t.Binary("user.x", weight="user.a", propensity="user.b"), "Leave one out"),
        (t.Binary("user.x", weight="visit.a"), "`visit.a` is no column of the rows that are asked"),
        (
            t.Binary(later.any("visit", of="user", within="7d"), weight="user.a"),
            "the rows of `user` are made, not read",
        ),
    ],
)
def test_weights_that_cannot_be(task, said) -> None:
    project = shop()
    project = jr.Project(entity=project.entity, event=project.event, tasks={"x": task})
    with pytest.raises(ProjectError) as caught:
        plan(project)
    assert said in str(caught.value)
