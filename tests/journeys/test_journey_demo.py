"""The demo: the whole job on a simulated shop, with the truth beside it."""

from __future__ import annotations

import json
import shlex

import polars as pl
import pytest

import jointrec as jr
from jointrec import demo
from jointrec.evaluation.evaluate import question_of
from jointrec.functional.metrics import auc
from jointrec.plan import plan
from jointrec.prepare import load, prepare
from jointrec.simulate import Shop

SMALL = Shop(users=150, items=48, days=80)
TIMED = ("churn", "spend", "orders", "sales")


@pytest.fixture(scope="module")
def shop_project(tmp_path_factory):
    folder = SMALL.write(tmp_path_factory.mktemp("shop"))
    text = (demo.resources.files("jointrec.simulate") / "shop.toml").read_text(encoding="utf-8")
    return jr.parse(text), folder


def test_there_is_an_oracle_for_every_row_of_every_task(shop_project):
    project, folder = shop_project
    planned = plan(project)
    _, prepared, _ = prepare(project, planned, load(project, folder))
    oracles = demo.oracles(project, SMALL, SMALL.tables())
    assert list(oracles) == list(project.tasks)
    assert len(project.tasks) >= 10
    assert len(planned.grains) >= 5
    for name, oracle in oracles.items():
        asked = prepared.asked[planned.grain_of(name).name]
        rows = question_of(project, prepared, asked, name).test
        assert len(rows), name
        answers = oracle(asked, rows)
        assert len(answers) == len(rows)
        if name in ("click", "favourite", "cart", "buy"):
            # Rows of the truth are those of the question: else it would guess.
            assert auc(asked.labels[name][rows], answers) > 0.75
        if name in TIMED:
            moved = oracle(asked, rows[::-1])
            assert moved.tolist() == answers[::-1].tolist()


@pytest.mark.slow
def test_the_demo_shows_the_table_and_answers_and_says_how_to_go_on(tmp_path, capsys):
    model = demo.run(tmp_path / "demo", shop=SMALL, epochs=1)
    shown = capsys.readouterr().out
    report = json.loads((tmp_path / "demo" / "report.json").read_text(encoding="utf-8"))
    for name, task in report["tasks"].items():
        assert task["rows"] > 0
        assert {"joint", "alone", "oracle"} <= set(task)
        assert f" {name} " in shown
    assert {"lightgbm", "popularity"} <= set(report["tasks"]["click"]) | set(
        report["tasks"]["next_item"]
    )
    for words in (
        "The plan",
        "Search “",
        "Recommended to",
        "most likely not to buy",
        "best sellers",
    ):
        assert words in shown
    steps = [shlex.split(line) for line in shown.splitlines() if line.startswith("  jointrec ")]
    assert [step[1] for step in steps] == ["predict", "recommend", "init"]
    assert steps[0][3] in model.project.tasks
    key = steps[1][steps[1].index("--key") + 1].partition("=")[2]
    assert model.recommend(user=key, rank_by={"buy": 1.0}).height == 10
    users = pl.read_parquet(tmp_path / "demo" / "shop" / "users.parquet")
    assert set(demo._active(model, "churn")) < set(users["user_id"])
