"""Prepared data in a folder: what is written is read again, and trains to the same bits."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from simulated_shop import prepared_shop, project
from test_obtaining import assert_the_same

import jointrec as jr
from jointrec.errors import BundleError, ProjectError
from jointrec.features import Bags
from jointrec.plan import plan
from jointrec.prepare import hand_over, open_handover, shards
from jointrec.prepare.shards import Field, read_group, write_group
from jointrec.prepare.workspace import IN_MEMORY, OnDisk
from jointrec.sharing import SharedBottom


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A shop that was handed over, in shards of 1,000 rows; not to be written to."""
    out = tmp_path_factory.mktemp("delivery") / "prepared"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD", 1000)
        hand_over(project(), plan(project()), out)
    return out


def test_what_is_read_is_what_was_prepared(folder: Path):
    ready = open_handover(project(), plan(project()), folder)
    assert_the_same(ready, prepared_shop())
    assert len(list((folder / "asked").glob("0/*.parquet"))) > 5


def test_it_is_the_same_to_the_byte_each_time(folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 1000)
    hand_over(project(), plan(project()), tmp_path / "again")
    manifests = [(path / "manifest.json").read_bytes() for path in (folder, tmp_path / "again")]
    assert manifests[0] == manifests[1]


def test_the_columns_say_what_they_are(folder: Path):
    _, made = prepared_shop()
    asked = made.asked["impression"]
    rows = pl.read_parquet(folder / "asked" / "0" / "*.parquet")
    assert rows["label.click"].fill_nan(None).sum() == np.nansum(asked.labels["click"])
    assert rows["times"].to_list() == asked.times.tolist()
    moments = pl.read_parquet(folder / "asked" / "0.user" / "*.parquet")
    names = made.layout.moments["user"]
    assert [f"number.{name}" for name in names] == moments.columns[-len(names) :]
    shown = moments[rows["at.user"]][f"number.{names[2]}"]
    assert shown.to_list() == asked.moments["user"].numbers[asked.at["user"], 2].tolist()
    items = pl.read_parquet(folder / "things" / "item" / "*.parquet")
    assert items["bag.title"].dtype == pl.List(pl.Int64)
    assert len(items) == len(made.things["item"].keys)


def test_pages_have_sums(folder: Path):
    path = next((folder / "asked" / "0").glob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    (folder.parent / "flipped.parquet").write_bytes(data)
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        pq.read_table(folder.parent / "flipped.parquet", page_checksum_verification=True)


def test_the_project_beside_it_trains_from_it(folder: Path):
    beside = jr.read(folder / "project.toml")
    assert beside.entity["user"].source == "tables/entities.user/*.parquet"
    assert_the_same(open_handover(beside, plan(beside), folder), prepared_shop())
    learned = replace(beside, sharing=SharedBottom(), budget=jr.Budget(epochs=1))
    assert open_handover(learned, plan(learned), folder).reader.project == learned


def test_another_project_is_told_where_it_differs(folder: Path):
    tasks = {name: task for name, task in project().tasks.items() if name != "churn"}
    entity = {**project().entity, "user": replace(project().entity["user"], id_floor=5)}
    other = replace(project(), tasks=tasks, entity=entity, counters=("1d",))
    with pytest.raises(ProjectError) as told:
        open_handover(other, plan(other), folder)
    for part in ("entity.user differs.", "tasks.churn differs.", "counters differs."):
        assert part in str(told.value)
    assert "event" not in str(told.value)
    assert "How a project learns may differ: numeric, sharing" in str(told.value)
    assert str(folder / "project.toml") in str(told.value)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "prepared")
    return tmp_path / "prepared"


def test_a_flipped_bit_is_refused_by_name(copied: Path):
    path = copied / "asked" / "0" / "00001.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"asked/0/00001\.parquet: is damaged"):
        open_handover(project(), plan(project()), copied)


def test_a_missing_file_is_refused_by_name(copied: Path):
    (copied / "prepared.json").unlink()
    with pytest.raises(BundleError, match=r"prepared\.json: is missing"):
        open_handover(project(), plan(project()), copied)


def resealed(folder: Path, change) -> Path:
    """A folder whose `prepared.json` somebody changed by hand, with sums that are right."""
    from jointrec import durable

    out = folder.with_name("resealed")

    def fill(new: Path) -> None:
        shutil.copytree(
            folder, new, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json")
        )
        about = json.loads((new / "prepared.json").read_text())
        change(about)
        (new / "prepared.json").write_text(json.dumps(about))

    durable.write_folder(out, fill)
    return out


def test_another_format_is_refused(copied: Path):
    path = resealed(copied, lambda about: about.update(format=1))
    with pytest.raises(BundleError, match=r"has format 1, this version reads 2\. Prepare it again"):
        open_handover(project(), plan(project()), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about.pop("asked"),
        lambda about: about["past"].update(user=[]),
        lambda about: about["things"]["item"]["rows"].update(files=9),
        lambda about: about["asked"]["impression"]["rows"]["arrays"].pop("clock"),
        lambda about: about["asked"]["impression"]["rows"].update(rows=7),
        lambda about: about["asked"]["impression"]["rows"].update(folder="../../elsewhere"),
    ],
    ids=["asked", "past", "files", "array", "rows", "folder"],
)
def test_what_was_made_by_hand_is_refused_without_a_traceback(copied: Path, change):
    path = resealed(copied, change)
    with pytest.raises(BundleError, match="is not prepared data that JointRec wrote"):
        open_handover(project(), plan(project()), path)


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError):
        hand_over(project(), plan(project()), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("rows", [0, 1, 7, 8])
@pytest.mark.parametrize("on_disk", [False, True])
def test_every_form_of_array_comes_back(tmp_path: Path, monkeypatch, rows: int, on_disk: bool):
    monkeypatch.setattr(shards, "SHARD", 4)
    chance = np.random.default_rng(rows)
    lengths = chance.integers(0, 3, rows)
    group = {
        "plain": Field(np.where(chance.random(rows) < 0.5, np.nan, 1.5), ("plain",)),
        "small": Field(chance.integers(-3, 3, rows).astype(np.int8), ("small",)),
        "wide": Field(chance.random((rows, 2)).astype(np.float32), ("a", "b")),
        "none": Field(np.zeros((rows, 0), np.float32), ()),
        "lists": Field(
            Bags(chance.integers(0, 9, lengths.sum()), np.concatenate([[0], lengths.cumsum()])),
            ("lists",),
        ),
    }
    about = json.loads(json.dumps(write_group(tmp_path, "group", group)))
    (tmp_path / "room").mkdir()
    room = OnDisk(tmp_path / "room") if on_disk else IN_MEMORY
    found = read_group(tmp_path, about, room)
    assert list(found) == ["plain", "small", "wide", "none", "lists"]
    for name, field in group.items():
        if isinstance(field.values, Bags):
            read = found[name]
            np.testing.assert_array_equal(read.values, field.values.values)
            np.testing.assert_array_equal(read.offsets, field.values.offsets)
        else:
            np.testing.assert_array_equal(found[name], field.values)
            assert found[name].dtype == field.values.dtype
