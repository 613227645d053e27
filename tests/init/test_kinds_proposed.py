"""Every kind of question is proposed where a table answers it, and can be trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from quick import small_grains_seldom

import jointrec as jr
from jointrec.budget import Budget
from jointrec.init import propose
from jointrec.init.columns import column_of
from jointrec.init.kinds import asked_of
from jointrec.model import Compare
from jointrec.prepare.check import check
from jointrec.splits import ByEntity

START = datetime(2024, 1, 1)
Frames = Mapping[str, pl.DataFrame]


def shop(days: int = 320, rows: int = 600) -> Frames:
    """Who bought what when, what they said of it, and what is planned."""
    chance = np.random.default_rng(3)
    users, items = chance.integers(0, 30, rows), chance.integers(0, 10, rows)
    hours = np.sort(chance.integers(0, days * 24, rows)).tolist()
    at = [START + timedelta(hours=hour) for hour in hours]
    said = {"user_id": users, "item_id": items}
    reasons = np.array(["too late", "broken", "wrong|broken", "wrong|too late"])
    return {
        "orders": pl.DataFrame({**said, "at": at, "quantity": chance.integers(1, 4, rows)}),
        "reviews": pl.DataFrame(
            {
                **said,
                "at": at,
                "rating": chance.integers(1, 6, rows),
                "fit": chance.choice(["small", "fit", "large"], rows),
                "resolution": chance.choice(["kept", "sent back", "exchanged"], rows),
                "complaints": chance.choice(reasons, rows),
                "delivery_days": chance.gamma(3, 2, rows).round(1),
            }
        ),
        "promotions": pl.DataFrame(
            {
                "item_id": [item for item in range(10) for _ in range(12)],
                "day": [START + timedelta(days=30 * n - item) for item in range(10)
                        for n in range(12)],
            }
        ),
    }  # fmt: skip


def written(folder: Path, frames: Frames) -> Path:
    for name, frame in frames.items():
        frame.write_csv(folder / f"{name}.csv")
    return folder


def kinds(project: jr.Project) -> dict[str, str]:
    return {name: type(task).__name__ for name, task in project.tasks.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("shop"), shop())


@pytest.fixture(scope="module")
def proposed(folder: Path) -> str:
    return propose(folder)


def test_each_kind_is_proposed_with_a_reason(proposed: str):
    assert kinds(jr.parse(proposed)) == {
        "rating": "Ordinal",
        "fit": "Ordinal",
        "resolution": "Choice",
        "complaints": "Multi",
        "delivery_days": "Quantiles",
        "churn": "Binary",
        "until_order": "Survival",
        "sales_7d": "Count",
        "sales_14d": "Count",
        "sales_28d": "Count",
        "next_item": "Retrieval",
    }
    for line in (
        'rating = { kind = "Ordinal", label = "review.rating" }  # 5 grades in an order',
        'fit = { kind = "Ordinal", label = "review.fit", levels = ["small", "fit", "large"] }  '
        "# words in an order, the lowest first",
        'resolution = { kind = "Choice", label = "review.resolution" }  # one of 3 classes',
        'complaints = { kind = "Multi", label = "review.complaints" }  '
        "# any number of them at once",
        'delivery_days = { kind = "Quantiles", label = "review.delivery_days" }  '
        "# how long it takes, at least and at most",
        'until_order = { kind = "Survival", label = { until = "order", of = "user", within = "90d" '
        "} }  # how many days until the next `order`, where churn asks of 30d alone",
    ):
        assert line in proposed.splitlines()


def test_what_is_proposed_has_labels_in_every_part(folder: Path, proposed: str):
    checked = check(jr.parse(proposed), folder)
    assert all(min(task.known) > 0 for grain in checked.grains for task in grain.tasks.values())
    assert checked.quarantined == {}


@pytest.mark.slow
def test_what_is_proposed_is_trained(folder: Path, proposed: str, tmp_path: Path):
    project = replace(jr.parse(proposed), budget=Budget(epochs=1))
    with small_grains_seldom():
        model = jr.fit(
            project, root=folder, out=tmp_path, compare=Compare(alone=False, baselines=())
        )
    assert set(model.report.tasks) == set(project.tasks)


def test_what_goes_on_after_the_end_is_a_plan(proposed: str):
    project = jr.parse(proposed)
    assert project.event["promotion"].entities == ("item",)
    # The last promotion is on day 330 of 320.
    assert project.event["promotion"].ahead == "10d"
    assert project.event["order"].ahead is project.event["review"].ahead is None


@pytest.mark.parametrize("late", [False, True])
def test_no_plan_is_seen_where_people_act_or_all_ends_together(tmp_path: Path, late: bool):
    frames = dict(shop(rows=100))
    end = pl.lit(START + timedelta(days=300))
    frames["promotions"] = frames["promotions"].filter(pl.col("day") < end)
    if late:
        frames["reviews"] = frames["reviews"].with_columns(pl.col("at") + timedelta(days=20))
    project = jr.parse(propose(written(tmp_path, frames)))
    assert {event.ahead for event in project.event.values()} == {None}


def test_shorter_data_are_asked_about_shorter_times(tmp_path: Path):
    for days, expected in ((100, {"28d", "7d", "14d"}), (60, {"7d"})):
        orders = shop(days, rows=200)["orders"]
        project = jr.parse(propose(written(tmp_path, {"orders": orders})))
        tasks = [t for t in project.tasks if t.startswith(("sales", "until"))]
        assert {project.tasks[task].label.within for task in tasks} == expected


def test_sales_of_things_that_nobody_buys_by_name(tmp_path: Path):
    orders = shop(100, rows=300)["orders"].drop("user_id")
    items = pl.DataFrame({"item_id": range(10), "brand": ["red", "blue"] * 5})
    project = jr.parse(propose(written(tmp_path, {"orders": orders, "items": items})))
    assert set(project.tasks) == {"sales_7d", "sales_14d"}


def test_judgements_of_pairs_join_queries_and_items(tmp_path: Path):
    chance = np.random.default_rng(1)
    query, item = chance.integers(0, 90, 300), chance.integers(0, 80, 300)
    judged = pl.DataFrame(
        {
            "id": range(300),
            "product_uid": item,
            "product_title": [f"a thing of number {n}" for n in item],
            "search_term": [f"the thing {n}" for n in query],
            "relevance": chance.choice([1.0, 1.33, 2.0, 2.67, 3.0], 300),
        }
    )
    text = propose(written(tmp_path, {"judgements": judged}))
    project = jr.parse(text)
    assert kinds(project) == {"relevance": "Ordinal"}
    assert project.event["judgement"].entities == ("query", "product")
    assert set(project.entity["query"].features) == {"search_term"}
    assert set(project.entity["product"].features) == {"product_title"}
    assert project.split == ByEntity()
    check(project, tmp_path)


def test_steps_before_an_outcome_and_money_after_it_are_no_features(tmp_path: Path):
    chance = np.random.default_rng(2)
    visit = chance.random(600) < 0.3
    conversion = visit & (chance.random(600) < 0.4)
    flat = pl.DataFrame(
        {
            "channel": chance.choice(["web", "phone", "both"], 600),
            "newbie": chance.integers(0, 2, 600),
            "visit": visit.astype(int),
            "conversion": conversion.astype(int),
            "spend": np.where(conversion, 9.5, 0.0),
            "page_value": np.where(chance.random(600) < 0.2, 3.5, 0.0),
        }
    )
    project = jr.parse(propose(written(tmp_path, {"mailing": flat})))
    assert {name: task.after for name, task in project.tasks.items()} == {
        "visit": None,
        "conversion": "visit",
        "spend": "conversion",
    }
    assert set(project.entity["mailing"].features) == {"channel", "newbie", "page_value"}
    check(project, tmp_path)


def test_what_is_known_of_an_item_is_no_outcome(tmp_path: Path):
    frames = dict(shop(rows=300))
    frames["reviews"] = frames["reviews"].with_columns(
        tags=pl.when(pl.col("item_id") < 5).then(pl.lit("red|new")).otherwise(pl.lit("blue")),
        score=pl.col("item_id") % 4,
    )
    assert not {"tags", "score"} & set(jr.parse(propose(written(tmp_path, frames))).tasks)


def test_two_columns_of_one_name_are_two_tasks(tmp_path: Path):
    frames = dict(shop(rows=300))
    frames["orders"] = frames["orders"].with_columns(rating=frames["reviews"]["rating"])
    tasks = jr.parse(propose(written(tmp_path, frames))).tasks
    assert {str(task.label) for task in tasks.values()} >= {"order.rating", "review.rating"}


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("stars", [1, 2, 3, 4, 5], "Ordinal"),
        ("score", np.linspace(0, 1, 50).tolist(), None),  # of a model
        ("city", ["low", "high", "medium"], None),
        ("esci_label", ["E", "S", "C", "I"], "Ordinal"),
        ("label", ["shoes", "shirts", "hats"], "Choice"),
        ("label", [f"word {n}" for n in range(60)], None),
        ("tags", [["red"], ["blue", "new"], []], "Multi"),
        ("genres", [["red"], ["blue", "new"], []], None),
        ("genres", ["a|b", "c", "b"], None),
        ("delivery_time", np.linspace(0, 9, 50).tolist(), "Quantiles"),
        ("days_since_delivery_time", np.linspace(0, 9, 50).tolist(), None),
        ("delivery_time", np.linspace(-3, 9, 50).tolist(), None),
        ("quantity", [1, 2, 3], None),
    ],
)
def test_what_a_column_is_asked(name: str, values: list[object], kind: str | None):
    asked = asked_of(column_of(pl.Series(name, values)))
    assert (asked and asked.kind) == kind
