"""From a shop's tables to a measured model, in Python: the whole way on a small shop."""

from __future__ import annotations

from dataclasses import replace

import journey_shop
import polars as pl
import pytest
from journey_shop import NEXT_MONTH, QUICK, SHOP, TEST_FROM, same_weights

import jointrec as jr
from jointrec.errors import DataError, JointRecError, SourceError
from jointrec.evaluation import Baseline
from jointrec.model import Compare
from jointrec.training import Interrupted, Watch

# What was measured


def test_every_task_was_measured(model):
    for name, task in model.report.tasks.items():
        assert task.rows > 0, name
        joint = task.systems["joint"][task.metric]
        assert joint.low <= joint.value <= joint.high, name
    assert set(model.report.tasks["next"].systems) == {"joint", "popularity"}
    assert len({task.grain for task in model.report.tasks.values()}) == 6
    assert set(model.report.facts["from_pass"]) == set(model.report.tasks)
    assert 1 <= max(model.report.facts["from_pass"].values()) <= model.report.facts["passes"]


def test_the_same_project_gives_the_same_bits_from_other_files_too(model, tmp_path):
    path = journey_shop.write(tmp_path, kind="csv")
    again = jr.fit(jr.read(path), root=tmp_path, compare=QUICK)
    same_weights(again, model)
    assert repr(again.report.tasks) == repr(model.report.tasks)


def test_measuring_again_gives_what_fitting_gave(model):
    again = model.evaluate(rounds=10)
    for name, task in again.tasks.items():
        assert repr(task.systems["joint"]) == repr(model.report.tasks[name].systems["joint"])
        assert task.rows == model.report.tasks[name].rows


def test_another_folder_is_measured_from_the_same_cut_on(model, tmp_path):
    NEXT_MONTH.write(tmp_path)
    found = model.evaluate(tmp_path, rounds=5)
    shown = NEXT_MONTH.tables()["impressions"].filter(
        pl.col("shown_at") >= pl.lit(TEST_FROM).str.to_datetime()
    )
    assert found.tasks["click"].rows == len(shown)
    assert found.tasks["click"].positives == shown["clicked"].sum()
    assert found.tasks["next"].rows == len(shown)
    assert all(task.rows > 0 for task in found.tasks.values())
    assert found.facts["measured_on"] == str(tmp_path)


def test_a_folder_without_the_tables_is_refused(model, tmp_path):
    with pytest.raises(SourceError, match=r"users\.parquet"):
        model.evaluate(tmp_path)


def test_tables_in_memory_have_no_other_folder(model, tmp_path):
    users = replace(model.declared.entity["user"], source=SHOP.tables()["users"])
    declared = replace(model.declared, entity={**model.declared.entity, "user": users})
    in_memory = replace(model, declared=declared)
    saved = jr.load(in_memory.save(tmp_path / "m"))
    for known in (in_memory, saved):
        with pytest.raises(DataError, match="tables in memory"):
            known.evaluate(tmp_path)
        assert known.predict("gone", user="u1").height == 1


# Fit


class StopAfter(Watch):
    """Presses Ctrl-C once a pass is done."""

    def epoch(self, epoch) -> None:
        raise KeyboardInterrupt


def test_an_interrupted_fit_goes_on_to_the_same_report(folder, model, tmp_path):
    project = jr.read(folder / "shop.toml")
    out = tmp_path / "run"
    again = {"root": folder, "out": out, "compare": QUICK}
    with pytest.raises(Interrupted):
        jr.fit(project, **again, watch=StopAfter())
    with pytest.raises(Interrupted, match="1 whole pass"):
        jr.fit(project, **again, watch=StopLater())
    with pytest.raises(Interrupted, match=r"2 whole passes\..*`--resume`"):
        jr.fit(project, **again, resume=True, watch=StopMeasuring())
    assert not (out / "model").exists()
    resumed = jr.fit(project, **again, resume=True)
    same_weights(resumed, model)
    assert repr(resumed.report.tasks) == repr(model.report.tasks)
    assert repr(jr.load(out / "model").report) == repr(resumed.report)


class StopLater(Watch):
    """Presses Ctrl-C in the second pass."""

    def step(self, progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt


class StopMeasuring(Watch):
    """Presses Ctrl-C when all is trained."""

    def measuring(self, task: str, way: str) -> None:
        raise KeyboardInterrupt


class Remembers(Watch):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def stage(self, name: str) -> None:
        self.told.append(name)

    def say(self, text: str) -> None:
        self.told.append(text)


class Needy(Baseline):
    """A baseline whose package nobody has."""

    name, packages = "needy", ("no_such_package",)

    def applies(self, question) -> bool:
        return True

    def answer(self, question, *, seed):
        raise AssertionError("it was asked although its package is missing")


def test_a_baseline_without_its_package_is_left_out_aloud(folder):
    watch = Remembers()
    project = jr.read(folder / "shop.toml")
    project = replace(
        project,
        tasks={name: project.tasks[name] for name in ("intent", "relevance")},
        budget=replace(project.budget, epochs=1),
    )
    compare = Compare(baselines=(Needy(),), rounds=2)
    fitted = jr.fit(project, root=folder, compare=compare, watch=watch)
    assert [line for line in watch.told if "left out: the needy baseline" in line]
    assert [line for line in watch.told if "pip install 'jointrec[baselines]'" in line]
    for task in fitted.report.tasks.values():
        assert list(task.systems) == ["joint", "alone"]
        assert list(task.gains) == ["alone"]
    assert [line for line in watch.told if line in ("prepare", "train", "alone", "compare")] == [
        "prepare", "train", "alone", "compare",
    ]  # fmt: skip


def test_what_is_wrong_is_told_at_once(folder, tmp_path):
    project = jr.read(folder / "shop.toml")
    users, tables = project.entity["user"], project.entity
    lost = replace(
        project,
        entity={**tables, "user": replace(users, source="a.csv")},
        event={
            **project.event,
            "judgement": replace(project.event["judgement"], source="b.csv"),
        },
    )
    with pytest.raises(SourceError) as error:
        jr.fit(lost, root=folder)
    assert "a.csv" in str(error.value)
    assert "b.csv" in str(error.value)
    (tmp_path / "file").write_text("")
    with pytest.raises(JointRecError, match="Choose another `out`"):
        jr.fit(project, root=folder, out=tmp_path / "file")
