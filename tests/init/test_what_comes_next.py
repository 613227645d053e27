"""What comes next: of which event it is asked, and how the past is read for it."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import history
from jointrec.init import propose
from jointrec.init.following import LARGE, MANY

START = datetime(2024, 1, 1)


def events(rows: int, users: int, *, days: int = 100, items: int = 50) -> pl.DataFrame:
    """Rows of an event, each user about as often as any other."""
    chance = np.random.default_rng(rows)
    at = np.sort(chance.integers(0, days * 24, rows))
    return pl.DataFrame(
        {
            "user_id": [f"u{user}" for user in chance.integers(0, users, rows)],
            "item_id": [f"i{item}" for item in chance.integers(0, items, rows)],
            "time": [START + timedelta(hours=int(hour)) for hour in at],
        }
    )


def proposed(folder: Path, **frames: pl.DataFrame) -> tuple[jr.Project, str]:
    """What is proposed for two tables of things and these of events."""
    things = {
        "users": pl.DataFrame({"user_id": [f"u{n}" for n in range(MANY)]}),
        "items": pl.DataFrame(
            {"item_id": [f"i{n}" for n in range(50)], "hue": ["red", "blue"] * 25}
        ),
    }
    for name, frame in {**things, **frames}.items():
        frame.write_parquet(folder / f"{name}.parquet")
    text = propose(folder)
    return jr.parse(text), text


def test_many_purchases_are_learned_from_their_order(tmp_path: Path):
    project, text = proposed(tmp_path, purchases=events(MANY, 2_000))
    assert isinstance(project.history, history.SASRec)
    assert str(project.tasks["next_item"].label) == "next(purchase.item, of=user)"
    assert "# There are 20,000 rows of `purchase`, enough to learn from their order" in text


def test_among_thousands_of_things_wider_vectors_are_offered(tmp_path: Path):
    project, text = proposed(tmp_path, purchases=events(MANY, 2_000, items=LARGE + 500))
    assert project.history == history.SASRec()
    offered = text.replace("# history", "history").replace("# table", "table")
    project = jr.parse(offered.replace('history = "SASRec"\n', ""))
    assert (project.history, project.table.width) == (history.SASRec(width=128, dropout=0.5), 64)


@pytest.mark.parametrize(
    ("rows", "users"), [(MANY - 1, 2_000), (MANY, MANY // 2)], ids=["few", "one or two of each"]
)
def test_otherwise_the_past_is_read_as_by_default(tmp_path: Path, rows: int, users: int):
    project, _ = proposed(tmp_path, purchases=events(rows, users))
    assert project.history == history.Mean()
    assert str(project.tasks["next_item"].label) == "next(purchase.item, of=user)"


def test_where_purchases_are_few_views_are_followed(tmp_path: Path):
    project, text = proposed(tmp_path, purchases=events(900, 300), views=events(MANY, 2_000))
    assert isinstance(project.history, history.SASRec)
    assert str(project.tasks["next_item"].label) == "next(view.item, of=user)"
    assert "# `purchase` comes too seldom to learn" in text


def test_what_is_shown_is_not_followed(tmp_path: Path):
    project, _ = proposed(tmp_path, purchases=events(900, 300), impressions=events(MANY, 2_000))
    assert str(project.tasks["next_item"].label) == "next(purchase.item, of=user)"
    assert project.history == history.Mean()


def test_without_purchases_what_comes_next_is_asked_of_what_there_is(tmp_path: Path):
    project, _ = proposed(tmp_path, ratings=events(MANY, 2_000))
    assert isinstance(project.history, history.SASRec)
    assert {name: str(task.label) for name, task in project.tasks.items()} == {
        "next_item": "next(rating.item, of=user)"
    }


def test_data_too_short_to_look_ahead_in_read_the_past_as_by_default(tmp_path: Path):
    project, text = proposed(tmp_path, purchases=events(MANY, 2_000, days=14))
    assert "# next_item" in text
    assert project.history == history.Mean()


@pytest.mark.slow
def test_what_is_proposed_answers_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jointrec.init.following.MANY", 800)
    project, _ = proposed(tmp_path, ratings=events(800, 80))
    assert isinstance(project.history, history.SASRec)
    model = jr.fit(
        replace(project, budget=jr.Budget(epochs=1)),
        root=tmp_path,
        compare=jr.Compare(alone=False, baselines=(), rounds=10),
    )
    assert len(model.recommend(k=5, rank_by={"next_item": 1}, user="u1")) == 5
