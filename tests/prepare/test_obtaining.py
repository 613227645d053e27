"""What was prepared before is found again, exactly, and made anew where anything differs."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import simulated_shop
from test_workspace import arrays

import jointrec as jr
from jointrec import later
from jointrec import tasks as t
from jointrec.history import Mean, SASRec
from jointrec.plan import plan
from jointrec.prepare import Cache, Prepared, Reader, obtain
from jointrec.prepare.delivery import Ready
from jointrec.sharing import SharedBottom

FOUND = "prepared before"


def tables() -> Mapping[str, pl.DataFrame]:
    """Fewer users than elsewhere: it is prepared thirty times here."""
    return simulated_shop.tables(users=150)


def project(frames: Mapping[str, pl.DataFrame] | None = None) -> jr.Project:
    return simulated_shop.project(frames or tables())


@cache
def prepared_shop() -> tuple[Reader, Prepared]:
    return simulated_shop.prepared(project())


class Kept:
    """A cache in a folder, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []

    def obtain(self, declared: jr.Project, root: Path | None = None) -> Ready:
        self.said.clear()
        cache = Cache(self.folder, say=self.said.append)
        return obtain(declared, plan(declared), root, cache=cache)

    @property
    def found(self) -> bool:
        return any(text.startswith(FOUND) for text in self.said)


def assert_the_same(ready: Ready, wanted: tuple[Reader, Prepared] | None = None) -> None:
    """That two preparations agree in every bit; by default, with the shop prepared in memory."""
    reader, made = wanted or prepared_shop()
    assert ready.reader.preparation.to_json() == reader.preparation.to_json()
    found, expected = dict(arrays(ready.prepared)), dict(arrays(made))
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    for name, things in made.things.items():
        assert ready.prepared.things[name].keys.to_list() == things.keys.to_list()
    for name, past in reader.pasts.items():
        read = ready.reader.pasts[name]
        assert (read.kinds, read.objects) == (past.kinds, past.objects)
        np.testing.assert_array_equal(read.timeline.keys, past.timeline.keys)
        np.testing.assert_array_equal(read.timeline.offsets, past.timeline.offsets)
    for family in ("entities", "events", "versions", "quarantine"):
        frames = getattr(reader.tables, family)
        assert getattr(ready.tables, family).keys() == frames.keys()
        for name, frame in frames.items():
            assert getattr(ready.tables, family)[name].equals(frame), name
    facts = ("findings", "rows_in", "first", "until", "cuts", "limits")
    for fact in facts:
        assert getattr(ready.tables, fact) == getattr(reader.tables, fact), fact


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """A cache that holds the shop; not to be written to."""
    folder = tmp_path_factory.mktemp("cache")
    ready = Kept(folder).obtain(project())
    assert_the_same(ready)
    return folder


@pytest.fixture
def kept(filled: Path, tmp_path: Path) -> Kept:
    shutil.copytree(filled, tmp_path / "cache")
    return Kept(tmp_path / "cache")


def test_what_is_found_is_what_was_made(kept: Kept):
    assert_the_same(kept.obtain(project()))
    assert kept.found


@pytest.mark.parametrize(
    "changes",
    [
        {"sharing": SharedBottom()},
        {"balancing": jr.balancing.Equal()},
        {"budget": jr.Budget(epochs=1, seed=9)},
        {"fusion": jr.fusion.Sum()},
        {"history": jr.history.Attention()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_how_it_is_learned_plays_no_part(kept: Kept, changes):
    declared = replace(project(), **changes)
    ready = kept.obtain(declared)
    assert kept.found
    assert ready.reader.project == declared


def changed_label() -> jr.Project:
    soon = {"active": "14d", "every": "3d"}
    churn = t.Binary(later.no("purchase", of="user", within="6d", **soon))
    return replace(project(), tasks={**project().tasks, "churn": churn})


def test_another_label_is_made_without_reading_or_counting_again(kept: Kept, monkeypatch):
    monkeypatch.setattr("jointrec.prepare.obtaining.load", _never)
    monkeypatch.setattr("jointrec.prepare.counting._in_memory", _never)
    ready = kept.obtain(changed_label())
    assert not kept.found
    assert any(text.startswith("counted before") for text in kept.said)
    monkeypatch.undo()
    assert_the_same(ready, simulated_shop.prepared(changed_label()))


def _never(*_: object, **__: object) -> None:
    raise AssertionError("nothing is to be computed again")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: replace(p, counters=("1d",)),
        lambda p: replace(p, history=Mean(last=7)),
        lambda p: replace(p, history=SASRec(last=p.history.last)),
        lambda p: replace(p, split=jr.ByTime(test_from=simulated_shop.CUT, valid_days=6)),
        lambda p: replace(
            p, event={**p.event, "impression": replace(p.event["impression"], matures="2d")}
        ),
    ],
    ids=["counters", "history", "causal", "split", "matures"],
)
def test_what_plays_a_part_is_prepared_anew(kept: Kept, change: Callable[[jr.Project], jr.Project]):
    declared = change(project())
    ready = kept.obtain(declared)
    assert not kept.found
    assert_the_same(ready, simulated_shop.prepared(declared))


def test_other_rows_are_prepared_anew(kept: Kept):
    frames = dict(tables())
    frames["impression"] = frames["impression"].head(-1)
    kept.obtain(project(frames))
    assert not kept.found


def test_other_code_is_prepared_anew(kept: Kept, monkeypatch):
    monkeypatch.setattr("jointrec.prepare.obtaining.package", lambda: "another version")
    kept.obtain(project())
    assert not kept.found


def test_a_flipped_bit_is_noticed_and_mended(kept: Kept):
    for path in kept.folder.glob("*/**/*.parquet"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert_the_same(kept.obtain(project()))
    assert not kept.found
    assert sum("is damaged, so it is made anew" in text for text in kept.said) == 2
    assert_the_same(kept.obtain(project()))
    assert kept.found


def test_files_are_known_by_their_bytes(tmp_path: Path):
    declared = written(tmp_path / "data")
    kept = Kept(tmp_path / "cache")
    kept.obtain(declared, tmp_path / "data")
    shutil.move(tmp_path / "data", tmp_path / "moved")
    kept.obtain(declared, tmp_path / "moved")
    assert kept.found
    frame = tables()["purchase"].head(-1)
    frame.write_parquet(tmp_path / "moved" / "purchase.parquet")
    kept.obtain(declared, tmp_path / "moved")
    assert not kept.found


def written(folder: Path) -> jr.Project:
    """The shop as files, and its project."""
    folder.mkdir()
    for name, frame in tables().items():
        frame.write_parquet(folder / f"{name}.parquet")
    whole = project()
    return replace(
        whole,
        entity={name: replace(e, source=f"{name}.parquet") for name, e in whole.entity.items()},
        event={name: replace(e, source=f"{name}.parquet") for name, e in whole.event.items()},
    )


def test_tables_that_change_meanwhile_are_not_kept(tmp_path: Path, monkeypatch):
    hashes = iter(["before", "after", "after"])
    monkeypatch.setattr("jointrec.prepare.obtaining.of_sources", lambda *_: next(hashes))
    Kept(tmp_path).obtain(project())
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"counted"}


def test_the_longest_unused_makes_room(tmp_path: Path):
    cache = Cache(tmp_path, limit=250)
    for name in ("a", "b", "c"):
        cache.put(name, lambda folder: (folder / "x").write_bytes(b"1" * 100))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
    assert cache.find("b") is not None
    cache.put("d", lambda folder: (folder / "x").write_bytes(b"1" * 100))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "d"]
    cache.put("large", lambda folder: (folder / "x").write_bytes(b"1" * 1000))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large"]


def test_a_writer_that_is_killed_leaves_nothing_that_is_read(tmp_path: Path):
    program = f"""
        import os, signal
        from pathlib import Path
        from jointrec.prepare.cache import Cache
        def fill(folder):
            (folder / "x").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        Cache(Path({str(tmp_path)!r})).put("killed", fill)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    cache = Cache(tmp_path)
    assert cache.find("killed") is None
    cache.put("other", lambda folder: (folder / "x").write_bytes(b"whole"))
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_full_disk_is_told_and_is_no_error(tmp_path: Path):
    said: list[str] = []

    def fill(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    Cache(tmp_path, say=said.append).put("x", fill)
    assert said == [
        f"{tmp_path / 'x'} cannot be written (No space left on device): nothing is kept"
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(jr.JointRecError, match="Name another with --cache, or take --no-cache"):
        Cache(tmp_path / "file" / "cache")


def test_a_large_shop_is_prepared_on_disk_and_leaves_nothing(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("jointrec.prepare.obtaining.LARGE", 100)
    kept = Kept(tmp_path)
    assert_the_same(kept.obtain(project()))
    assert_the_same(kept.obtain(project()))
    assert kept.found
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"prepared", "tables"}


def test_missing_tables_are_told_all_at_once(tmp_path: Path):
    declared = written(tmp_path / "data")
    for name in ("user", "purchase"):
        (tmp_path / "data" / f"{name}.parquet").unlink()
    with pytest.raises(jr.errors.SourceError, match=r"(?s)2 problems.*user.*purchase"):
        Kept(tmp_path / "cache").obtain(declared, tmp_path / "data")


def test_sources_that_only_reading_tells_are_known_by_their_rows(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("jointrec.prepare.obtaining.of_sources", lambda *_: None)
    kept = Kept(tmp_path)
    kept.obtain(project())
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"counted", "prepared"}
    assert_the_same(kept.obtain(project()))
    assert kept.found
    frames = dict(tables())
    frames["impression"] = frames["impression"].head(-1)
    kept.obtain(project(frames))
    assert not kept.found
