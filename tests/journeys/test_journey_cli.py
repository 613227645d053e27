"""The same way from the command line: from init to recommend, and what goes wrong."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import journey_shop
import polars as pl
import pytest
from journey_shop import NEXT_MONTH, SHOP

import jointrec as jr
from jointrec.init import propose
from jointrec.training import Interrupted


@pytest.fixture(scope="module")
def out(run) -> Path:
    return run[1]


# Help


@pytest.mark.parametrize(
    ("command", "teaches"),
    [
        ((), ["jointrec demo", "jointrec init DIR", "COMMAND --help"]),
        (("init",), ["jointrec init data", "Read it and change what is wrong", "--force"]),
        (("check",), ["jointrec check shop.toml", "every problem at once", "--root"]),
        (("fit",), ["jointrec fit shop.toml", "--test-from", "--resume", "report.json"]),
        (("evaluate",), ["jointrec evaluate runs/first", "another folder", "--root"]),
        (("predict",), ["jointrec predict runs/first churn", "--key user=u7", "--rows", "--at"]),
        (("recommend",), ["jointrec recommend runs/first", "--rank-by buy=1", "times its weight"]),
        (("demo",), ["Simulate a shop", "no data", "--seed"]),
    ],
)
def test_help_teaches(cli, command, teaches):
    for flag in ("--help", "-h"):
        ran = cli(*command, flag)
        assert ran.code == 0
        for words in teaches:
            assert words in ran.said
        assert "[bold]" not in ran.out


def test_every_command_is_in_the_help(cli):
    said = cli("--help").said
    for command in ("init", "check", "fit", "evaluate", "predict", "recommend", "demo"):
        assert f" {command} " in said
    assert cli().code != 0


def test_the_version(cli):
    assert cli("--version").out.strip() == jr.__version__


def test_it_runs_as_a_module_and_its_output_can_be_piped_anywhere(out):
    command = [sys.executable, "-W", "error", "-m", "jointrec", "predict", str(out), "gone"]
    env = {**os.environ, "PYTHONUTF8": "1", "LC_ALL": "C"}
    ran = subprocess.run([*command, "--key", "user=u1"], capture_output=True, check=False, env=env)
    assert ran.returncode == 0, ran.stderr
    assert "u1" in ran.stdout.decode("utf-8")


def test_as_a_module_it_tells_what_is_wrong():
    command = [sys.executable, "-W", "error", "-m", "jointrec", "no-such", "nothing.toml"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "no-such" in ran.stderr
    assert "Traceback" not in ran.stderr


# The way


def test_from_a_folder_of_tables_to_answers(cli, tmp_path):
    SHOP.write(tmp_path / "data")
    ran = cli("init", "data")
    assert ran.code == 0
    assert (tmp_path / "shop.toml").read_text(encoding="utf-8") == propose(tmp_path / "data")
    assert "jointrec check shop.toml --root data" in ran.said
    assert cli("init", "data").said.startswith("Error: shop.toml: the file is there already")
    journey_shop.write(tmp_path / "data")
    small = (tmp_path / "data" / "shop.toml").read_text(encoding="utf-8")
    (tmp_path / "shop.toml").write_text(small.replace("epochs = 2", "epochs = 3"), encoding="utf-8")

    ran = cli("check", "shop.toml", "--root", "data")
    assert ran.code == 0
    for words in (
        "impression",
        "user every 5d",
        "click",
        "impression.clicked",
        "Rows read: user 100",
    ):
        assert words in ran.said
    step = ran.out.strip().splitlines()[-1].partition("Next: ")[2]
    assert shlex.split(step) == [
        "jointrec", "fit", "shop.toml", "--root", "data", "--out", "runs/first",
    ]  # fmt: skip

    ran = cli(
        *shlex.split(step)[1:], "--no-compare", "--epochs", 1, "--seed", 5,
        "--test-from", "2025-02-10", "--rounds", 5,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    first = tmp_path / "runs" / "first"
    report = json.loads((first / "report.json").read_text(encoding="utf-8"))
    assert report["facts"]["test_from"].startswith("2025-02-10")
    assert report["facts"]["seed"] == 5
    assert "epochs=1" in report["facts"]["budget"]
    shown = SHOP.tables()["impressions"]["shown_at"]
    later = shown.to_frame().filter(pl.col("shown_at") >= pl.datetime(2025, 2, 10)).height
    assert report["tasks"]["click"]["rows"] == later
    stages = [json.loads(line) for line in (first / "log.jsonl").read_text().splitlines()]
    told = [line["stage"] for line in stages if "stage" in line]
    assert told == ["prepare", "leaks", "train", "compare"]

    # What it proposes to do next really works.
    steps = [line.strip() for line in ran.out.splitlines() if line.startswith("  jointrec ")]
    assert len(steps) == 2
    for step in steps:
        program, *words = shlex.split(step)
        assert program == "jointrec"
        followed = cli(*words)
        assert followed.code == 0, followed.err
    assert pl.read_csv(tmp_path / "answers.csv").height > 0

    NEXT_MONTH.write(tmp_path / "next")
    ran = cli("evaluate", "runs/first", "--root", "next", "--out", "new/report.json", "--rounds", 5)
    assert ran.code == 0
    assert "click" in ran.said
    measured = json.loads((tmp_path / "new" / "report.json").read_text(encoding="utf-8"))
    assert measured["facts"]["measured_on"] == "next"


def test_answers_are_those_of_python(cli, out, model, tmp_path):
    ran = cli("predict", out, "gone", "--out", "gone.parquet")
    assert ran.said == "Wrote 100 answers to gone.parquet."
    assert pl.read_parquet(tmp_path / "gone.parquet").equals(model.predict("gone"))
    ran = cli("predict", out / "model", "click", "--key", "user=u7", "--key", "item=i1",
              "--key", "item=i2", "--out", "click.csv")  # fmt: skip
    assert ran.code == 0
    expected = model.predict("click", user=["u7"] * 2, item=["i1", "i2"])
    assert pl.read_csv(tmp_path / "click.csv")["answer"].to_list() == expected["answer"].to_list()
    rows = SHOP.tables()["impressions"].head(7)
    rows.write_parquet(tmp_path / "rows.parquet")
    assert cli("predict", out, "click", "--rows", "rows.parquet", "--out", "a.parquet").code == 0
    assert pl.read_parquet(tmp_path / "a.parquet").equals(model.predict("click", rows))
    assert cli("predict", out, "click,cart", "--rows", "rows.parquet", "--out", "b.csv").code == 0
    assert pl.read_csv(tmp_path / "b.csv")["click"].to_list() == (
        model.predict("click", rows)["answer"].to_list()
    )
    rows.rename({"device": "devise"}).write_parquet(tmp_path / "rows.parquet")
    for more in ((), ("--out", "a.parquet")):
        ran = cli("predict", out, "click", "--rows", "rows.parquet", *more)
        assert ran.code == 0
        assert "Note: rows: `devise` is not read. Did you mean `device`?" in ran.said
    listed = cli("predict", out, "next", "--key", "user=u7", "--k", 3).out
    for name in model.predict("next", user="u7", k=3)["answer"]:
        assert f" {name} " in listed
    assert "40 of 100 rows" in cli("predict", out, "gone", "--at", "2025-02-20").said


def test_recommendations_are_those_of_python(cli, out, model):
    ran = cli("recommend", out, "--key", "user=u7", "--key", "query=red shoes", "--k", 2,
              "--rank-by", "cart=1", "--rank-by", "revenue=.5", "--exclude", "i3")  # fmt: skip
    assert ran.code == 0
    best = model.recommend(
        user="u7", query="red shoes", k=2, rank_by={"cart": 1, "revenue": 0.5}, exclude=["i3"]
    )
    for item, score in best.select("item", "score").iter_rows():
        assert f" {item} " in ran.out
        assert f"{score:.4g}" in ran.out


def test_a_saved_model_is_measured(cli, out, model):
    ran = cli("evaluate", out, "--rounds", 2)
    assert ran.code == 0
    assert all(f" {task} " in ran.out for task in model.project.tasks)


# Errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "nothing.toml"], "nothing.toml"),
        (["fit", "nothing.toml"], "nothing.toml"),
        (["init", "nowhere"], "nowhere"),
        (["predict", "nowhere", "gone"], "nowhere: is not a saved model"),
        (["predict", "{folder}", "gone"], "is not a saved model"),
        (["evaluate", "{folder}"], "is not a saved model"),
        (["evaluate", "{out}", "--root", "nowhere"], "nowhere"),
        (["predict", "{out}", "gon"], "there is no task `gon`. Did you mean `gone`?"),
        (["predict", "{out}", "gone", "--key", "usr=u1"], "Did you mean `user`?"),
        (["predict", "{out}", "gone", "--key", "k=3"], "there is no entity `k`"),
        (["predict", "{out}", "gone", "--key", "item=i1"], "there is no entity `item`"),
        (["predict", "{out}", "gone", "--key", "u7"], "--key u7: write name=value"),
        (["predict", "{out}", "gone", "--key", "=u7"], "--key =u7: write name=value"),
        (["predict", "{out}", "click"], "cannot all be listed"),
        (["predict", "{out}", "gone", "--rows", "none.csv"], "none.csv"),
        (["predict", "{out}", "gone", "--rows", "bad.csv"], "user_id"),
        (["predict", "{out}", "gone", "--rows", "bad.parquet"], "bad.parquet"),
        (["predict", "{out}", "gone", "--out", "a.xls"], "write to a .csv or a .parquet file"),
        (["predict", "{out}", "gone", "--at", "soon"], "`soon` is not a moment"),
        (["predict", "{out}", "gone", "--out", "bad.csv/a.csv"], "bad.csv"),
        (["recommend", "{out}", "--key", "user=u1", "--rank-by", "clik=1"], "`click`"),
        (["recommend", "{out}", "--key", "user=u1", "--rank-by", "click"], "--rank-by click:"),
        (["recommend", "{out}", "--key", "user=u1", "--rank-by", "click=a"], "not a number"),
        (["recommend", "{out}", "--key", "user=u1", "--rank-by", "click=nan"], "be a number"),
        (["recommend", "{out}", "--key", "user=u1", "--key", "user=u2"], "give it once"),
        (["fit", "{folder}/shop.toml", "--root", "{folder}", "--out", "bad.csv"], "bad.csv"),
        (["fit", "{folder}/shop.toml", "--test-from", "soon"], "soon"),
        (["fit", "entity.toml", "--test-from", "2025-02-10"], "split by ByEntity"),
    ],
)
def test_errors_are_words_and_code_2(cli, out, folder, tmp_path, words, said):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 is all that is right")
    text = journey_shop.TOML.partition("\nbudget")[2]
    by_entity = f'split = {{ kind = "ByEntity" }}\nbudget{text}'
    (tmp_path / "entity.toml").write_text(by_entity, encoding="utf-8")
    ran = cli(*[word.format(out=out, folder=folder) for word in words])
    assert ran.code == 2
    assert ran.err.startswith("Error: ")
    assert said in ran.said
    assert "Traceback" not in ran.said


def test_check_tells_every_problem_at_once(cli, folder, tmp_path):
    text = journey_shop.TOML.replace('"impression.clicked"', '"impression.clickd"')
    text = text.replace('key = "query_id"', 'key = "qery_id"')
    (tmp_path / "shop.toml").write_text(text, encoding="utf-8")
    ran = cli("check", "shop.toml", "--root", folder)
    assert ran.code == 2
    assert "Did you mean `clicked`?" in ran.said
    assert "Did you mean `query_id`?" in ran.said
    assert "Nothing stands in the way" not in ran.said


def test_check_tells_of_tasks_that_nothing_will_measure(cli, folder, tmp_path):
    text = journey_shop.TOML.replace(journey_shop.TEST_FROM, "2025-02-21")
    (tmp_path / "late.toml").write_text(text, encoding="utf-8")
    ran = cli("check", "late.toml", "--root", folder)
    assert ran.code == 0
    assert "No row with a known label of `gone`, `views` tests" in ran.said
    assert "No row" not in cli("check", folder / "shop.toml").said


@pytest.mark.parametrize("words", [["predict"], ["fit", "a.toml", "--epochs", "0"], ["no-such"]])
def test_wrong_use_says_how_to_use_it(cli, words):
    ran = cli(*words)
    assert ran.code == 2
    assert "Usage:" in ran.said or "--help" in ran.said


def test_an_interrupted_run_says_how_to_go_on(cli, folder, monkeypatch):
    def stopped(*given, **more):
        raise Interrupted(1, Path("runs/x/checkpoints/joint"))

    monkeypatch.setattr("jointrec.model.fit", stopped)
    ran = cli("fit", folder / "shop.toml")
    assert ran.code == 130
    assert "--resume" in ran.err
    assert "Error" not in ran.err


def test_ctrl_c_elsewhere_is_no_traceback(cli, out, monkeypatch):
    def stopped(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("jointrec.model.load", stopped)
    ran = cli("evaluate", out, "--rounds", 2)
    assert ran.code == 130
    assert "Traceback" not in ran.said


def test_names_in_brackets_are_shown_as_they_are(cli, out):
    assert "[red]" in cli("predict", out, "gone", "--key", "user=[red]").out
