"""The benchmark beside other libraries: its rows hold what they should, its page is true."""

from __future__ import annotations

import importlib
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from jointrec.functional import metrics

CHECKOUT = Path(__file__).resolve().parents[1]
PEERS = CHECKOUT / "benchmarks" / "speed" / "peers"


@pytest.fixture(scope="module")
def peers():
    """Imports a module of the benchmark, which is no part of the package; forgets all of them."""
    names = {path.stem for path in PEERS.glob("*.py")}
    # Another benchmark may have modules of the same names.
    others = {name: sys.modules.pop(name) for name in names & set(sys.modules)}
    sys.path.insert(0, str(PEERS))
    yield importlib.import_module
    sys.path.remove(str(PEERS))
    for name in names & set(sys.modules):
        del sys.modules[name]
    sys.modules.update(others)


# --- the rows -------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_rows(peers):
    workload = peers("workload")
    one, same, other = (
        workload.draw(workload.Workload(ids=30, rows=500, held=50, seed=seed)) for seed in (1, 1, 2)
    )
    for name in ("ids", "numbers", "labels", "times"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert (one.ids != other.ids).any()


def test_rows_are_as_declared(peers):
    workload = peers("workload")
    table = workload.draw(workload.Workload(ids=100, rows=20_000, held=100))
    assert (table.ids.shape, table.numbers.shape) == ((20_000, 20), (20_000, 10))
    assert table.ids.min() >= 0
    assert table.ids.max() < 100
    assert np.isnan(table.labels).mean() == pytest.approx(0.3, abs=0.01)
    assert (np.diff(table.times) > 0).all()
    counts = np.sort(np.bincount(table.ids[:, 3], minlength=100))[::-1]
    # P(k) = log(1 + 1/k) / log(100): the first is ln 2 / ln 100 of all, and the tail is long.
    assert counts[0] / 20_000 == pytest.approx(np.log(2) / np.log(100), rel=0.1)
    assert counts[:10].sum() / 20_000 == pytest.approx(np.log(11) / np.log(100), rel=0.05)


def test_there_is_something_to_learn_and_not_all(peers):
    workload = peers("workload")
    table = workload.draw(workload.Workload(ids=20, rows=60_000, held=0))
    cut = 40_000
    for task in range(3):
        known = ~np.isnan(table.labels[:, task])
        said = np.zeros(len(table.ids))
        for column in range(20):  # what each id alone tells: a naive score of the first rows
            some = known[:cut]
            own = table.ids[:cut, column][some]
            total = np.bincount(own, minlength=20) + 20
            mean = table.labels[:cut, task][some].mean()
            share = (np.bincount(own, table.labels[:cut, task][some], 20) + 20 * mean) / total
            said += np.log(share / (1 - share))[table.ids[:, column]]
        late = known & (np.arange(len(said)) >= cut)
        truth = table.labels[late, task].astype(np.float64)
        assert 0.55 < metrics.auc(truth, said[late]) < 0.9


def test_numbered_ids_say_the_same(peers):
    workload = peers("workload")
    ids = np.random.default_rng(0).integers(0, 50, size=(300, 20)).astype(np.int32)
    codes, sizes = workload.numbered(ids, rows=200)
    for column in range(20):
        met = set(ids[:200, column].tolist())
        assert sizes[column] == len(met) + 1
        pairs = {*zip(ids[:, column].tolist(), codes[:, column].tolist(), strict=True)}
        assert all((code == 0) == (own not in met) for own, code in pairs)
        assert len({code for _, code in pairs if code}) == len(met)


def test_a_table_is_written_once(peers, tmp_path):
    workload = peers("workload")
    asked = workload.Workload(ids=10, rows=200, held=20)
    folder = workload.written(asked, tmp_path)
    stamp = (folder / "rows.parquet").stat().st_mtime_ns
    assert workload.written(asked, tmp_path) == folder
    assert (folder / "rows.parquet").stat().st_mtime_ns == stamp
    declared = peers("declared")
    assert declared.learned(folder) == folder
    polars = peers("polars")
    assert len(polars.read_parquet(folder / "train.parquet")) == 180
    held = polars.read_parquet(folder / "held.parquet")
    assert (len(held), "click" in held.columns, held["row"][0]) == (20, False, 180)


def test_the_declared_project_has_the_inputs_of_its_peers(peers, tmp_path):
    declared, workload = peers("declared"), peers("workload")
    folder = declared.learned(
        workload.written(workload.Workload(ids=10, rows=400, held=40), tmp_path)
    )
    from jointrec.plan import plan
    from jointrec.prepare import load, prepare

    project = declared.project()
    _, prepared, _ = prepare(project, plan(project), load(project, folder))
    asked = prepared.asked["shown"]
    assert asked.context.ids.shape == (360, 20)
    assert asked.context.numbers.shape == (360, 10)
    assert (prepared.past, asked.clock.shape[1], dict(asked.pairs)) == ({}, 0, {})


def test_pasts_are_those_that_were_settled(peers):
    sequences = peers("sequences")
    shown = np.arange(4 * 2 * 3).reshape(4, 2, 3)  # four days, two users, lists of three
    past = sequences.pasts(shown).reshape(4, 2, 3, sequences.LAST)
    assert (past[:2] == -1).all()
    assert past[3, 1, 0, -6:].tolist() == [3, 4, 5, 9, 10, 11]
    assert (past[3, 1, 0] == past[3, 1, 2]).all()


# --- the page -------------------------------------------------------------------------------------


def run(system, level, number, rows, peak=100, **more):
    measured = {"rows": rows, "wall_s": 2.0, "cpu_s": 1.0}
    return {
        "part": "training", "system": system, "level": level, "round": number, "train": measured,
        "peak_mib": peak, "at": f"2026-01-01T00:00:0{number}Z", "load": 1.0, **more,
    }  # fmt: skip


def told(*runs):
    machine = {
        "processor": "A chip", "cores": 2, "memory_gib": 8, "bf16_products": True,
        "system": "Linux", "python": "3.11", "threads": 1,
    }  # fmt: skip
    return {"machine": machine, "commit": "abc", "commands": ["python x"], "runs": list(runs)}


RUNS = (
    run("jointrec", "1k", 0, 40_000), run("torch-rechub", "1k", 0, 10_000),
    run("jointrec", "1k", 1, 20_000), run("torch-rechub", "1k", 1, 10_000),
    run("jointrec", "1M", 0, 30_000, 50), run("torch-rechub", "1M", 0, 300, 200),
    run("torch-rechub", "1M met", 0, 3_000),
)  # fmt: skip


def test_ratios_are_taken_within_a_round(peers):
    figures = peers("figures")
    assert figures.ratios(RUNS, "torch-rechub", "1k") == [4.0, 2.0]
    assert figures.ratios(RUNS, "torch-rechub", "1M met") == [10.0]
    assert figures.ratios(RUNS, "keras", "1k") == []
    assert figures.memory(RUNS, "torch-rechub", "1M") == [0.25]


def test_goals_are_judged_by_their_median(peers):
    figures = peers("figures")
    reached = {goal.text: goal.reached for goal in figures.goals(RUNS)}
    assert reached["training against torch-rechub, 1k ids a column"] is False  # 3.0 of 3.5
    assert reached["training against torch-rechub, 1M ids a column"] is True
    assert reached["peak memory at 1M ids a column, as a share of torch-rechub"] is True
    assert reached["sequences, against a plain transformer"] is None


def test_a_goal_that_is_missed_stands_on_the_page(peers, tmp_path):
    page = peers("page")
    (tmp_path / "examples").mkdir()
    own = tmp_path / "examples" / "speed.md"
    marks = (f"{page.BEGIN[bf16]}\nBygone {bf16}.\n{page.END}" for bf16 in (True, False))
    own.write_text("Before.\n{}\nBetween.\n{}\nAfter.\n".format(*marks))
    failed = {"part": "pieces", "piece": "rows", "failed": "out of memory", "at": "", "load": 1.0}
    page.write(told(*RUNS, failed), tmp_path)
    text = own.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("After.\n")
    assert "Bygone True" not in text
    assert "Between.\n" in text
    assert "Bygone False" in text  # figures of another machine
    assert "| ≥ 3.5× | 3.0× (2.0–4.0) | **not reached** |" in text
    assert "| ≥ 60.0× | 100× | reached |" in text
    assert "| torch-rechub | 10,000 | 3.0× (2.0–4.0) | 5,000 | 100 |" in text
    assert "out of memory" in text
    ElementTree.parse(tmp_path / "assets" / "speed.svg")
    first = (tmp_path / "assets" / "speed.svg").read_bytes()
    page.write(told(*RUNS, failed), tmp_path)
    assert (tmp_path / "assets" / "speed.svg").read_bytes() == first


def test_what_was_measured_is_kept_and_what_failed_is_tried_again(peers, tmp_path):
    results = peers("results")
    path = tmp_path / "some" / "speed.json"
    kept = results.Results(path, "python x")
    kept.add(part="training", round=0, level="1k", system="a", failed="no memory")
    assert not kept.done(part="training", round=0, level="1k", system="a")
    kept.add(part="training", round=0, level="1k", system="a", train={"rows": 1, "cpu_s": 1})
    kept.add(part="training", round=0, level="1k", system="b", failed="no memory")
    again = results.Results(path, "python x")
    assert [one.get("failed") for one in again.told["runs"]] == [None, "no memory"]
    assert again.done(part="training", round=0, level="1k", system="a")
    again.add(part="quality", level="1k", system="lightgbm", train={"rows": 1, "cpu_s": 1})
    again.add(part="quality", level="1k", system="keras", failed="no memory")
    other = json.loads(path.read_text()) | {"commit": "another"}
    path.write_text(json.dumps(other))
    later = results.Results(path, "python x").told["runs"]
    assert [one["system"] for one in later] == ["lightgbm"]


@pytest.mark.parametrize("bf16", [True, False])
def test_the_page_is_made_of_the_figures_that_are_kept(peers, bf16):
    page = peers("page")
    without = "" if bf16 else "-without-bf16"
    path = CHECKOUT / "benchmarks" / "results" / f"speed-peers{without}.json"
    if not path.exists():
        pytest.skip("nothing was measured yet: make bench-speed")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["machine"]["bf16_products"] is bf16
    text = (CHECKOUT / "docs" / "examples" / "speed.md").read_text(encoding="utf-8")
    own = text.split(page.BEGIN[bf16])[1].split(page.END)[0].strip()
    assert own == page.figures(kept).strip()
