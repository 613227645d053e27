"""Tables that are read part by part and live in files are those that are read at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.prepare import Tables
from jointrec.prepare.loading import load_into
from jointrec.prepare.parts import Parts
from jointrec.prepare.workspace import IN_MEMORY, OnDisk

START, DAY = 1_700_000_000_000_000, 86_400_000_000


def dirty_shop(folder: Path, rows: int = 3_000) -> jr.Project:
    """A shop in several files with a bit of each kind of dirt, and columns of every form."""
    rng = np.random.default_rng(3)
    pl.DataFrame(
        {"user": [f"user number {n}" for n in range(40)] + ["user number 3", None]}
    ).select("user", home=pl.lit("a town with a long name"), since=pl.lit(START)).write_parquet(
        folder / "users.parquet"
    )
    tags = pl.Series([["new", "a tag with a long name"], [], None]).gather(np.arange(20) % 3)
    pl.DataFrame({"item": [f"i{n}" for n in range(20)], "tags": tags}).write_parquet(
        folder / "items.parquet"
    )
    (folder / "log").mkdir()
    for number in range(3):
        kind = pl.Series(["shown", "bought", "other"]).gather(rng.integers(0, 3, rows))
        when = START + np.sort(rng.integers(0, 60 * DAY, rows))
        when[::500] -= 30_000 * DAY
        frame = pl.DataFrame(
            {
                "row": [f"{n % (rows - 20)} of {number}" for n in range(rows)],
                "user": [f"user number {n}" for n in rng.integers(0, 42, rows)],
                "item": [f"i{n}" if n else None for n in rng.integers(0, 22, rows)],
                "at": pl.Series(when).cast(pl.Datetime("us")),
                "kind": kind,
                "clicked": rng.integers(0, 2, rows).astype(np.int8),
                "paid": np.where(rng.random(rows) < 0.01, -5.0, rng.lognormal(size=rows)),
            }
        )
        pl.concat([frame, frame.tail(5)]).write_parquet(folder / "log" / f"{number}.parquet")
    acted = {"entities": ("user", "item"), "time": "at"}
    return jr.Project(
        entity={
            "user": jr.Entity("users.parquet", "user", {"home": f.Category(), "since": f.Time()}),
            "item": jr.Entity("items.parquet", "item", {"tags": f.Set()}),
        },
        event={
            "shown": jr.Event("log/*.parquet", where={"kind": "shown"}, key="row", **acted),
            "bought": jr.Event("log/*.parquet", where={"kind": "bought"}, **acted),
        },
        tasks={
            "click": t.Binary("shown.clicked"),
            "spend": t.Amount(later.sum("bought.paid", of="user", within="7d")),
        },
        cleaning={"repeated_row": "quarantine", "orphan": "quarantine"},
    )


def same(one: Tables, other: Tables) -> None:
    """Checks that two loads gave the same."""
    for family in ("entities", "events", "versions", "quarantine"):
        frames, expected = getattr(one, family), getattr(other, family)
        assert list(frames) == list(expected)
        for name, frame in expected.items():
            assert_frame_equal(frames[name], frame)
    for fact in ("findings", "rows_in", "first", "until", "cuts", "limits"):
        assert getattr(one, fact) == getattr(other, fact), fact


def test_a_dirty_shop_in_files_is_the_one_in_memory(tmp_path: Path):
    declared = dirty_shop(tmp_path)
    room = tmp_path / "room"
    room.mkdir()
    expected = load_into(IN_MEMORY, declared, tmp_path, None)
    found = load_into(OnDisk(room, piece=101), declared, tmp_path, None)
    codes = {finding.code for finding in expected.findings}
    assert {"duplicate_key", "orphan", "missing_key", "repeated_row", "strange_time"} <= codes
    same(found, expected)
    assert not list(room.iterdir()), "files are unlinked while they are mapped"
    assert found.events["shown"].n_chunks() == 1


@pytest.mark.parametrize("piece", [1, 4, 100])
def test_parts_are_one_table(tmp_path: Path, piece: int):
    parts = Parts(OnDisk(tmp_path, piece=piece))
    whole = pl.DataFrame(
        {"n": [1, None, 3, 4, 5], "s": ["a", None, "much longer than that", "", "b"],
         "l": [["x", "y"], None, [], ["much longer than that"], ["z"]], "y": [True] * 5}
    )  # fmt: skip
    for at in (slice(0, 2), slice(2, 2), slice(2, 5)):
        parts.add(whole[at])
    assert parts.num_rows == 5
    assert_frame_equal(parts.table(), whole)


def test_only_long_columns_are_written(tmp_path: Path):
    room = OnDisk(tmp_path, piece=4)
    short, long = pl.Series([1, 2, 3]), pl.Series([1, 2, 3, 4])
    assert room.column(short) is short
    kept = room.column(long)
    assert kept is not long and kept.equals(long)
    assert IN_MEMORY.column(long) is long
    assert room.filtered(long.to_frame("a"), long != 2)["a"].to_list() == [1, 3, 4]
