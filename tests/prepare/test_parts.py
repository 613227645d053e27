"""Tables that are read part by part and live in files are those that are read at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal
from test_workspace import arrays

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.plan import plan
from jointrec.prepare import Tables, prepare, shards
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


def flat_table(folder: Path, rows: int = 2_000) -> jr.Project:
    """Rows that a key of their own names, without moments: numbers, ids, labels of two kinds."""
    rng = np.random.default_rng(5)
    columns = {
        "row": np.arange(rows),
        "place": rng.integers(0, 30, rows),
        "shop": [f"a shop with a long name {n}" if n else None for n in rng.integers(0, 9, rows)],
        "price": np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(size=rows)),
        "clicked": rng.integers(0, 2, rows),
        "paid": np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(size=rows)),
    }
    frame = pl.DataFrame(columns).with_columns(pl.col("price").fill_nan(None))
    frame.write_parquet(folder / "rows.parquet", row_group_size=500)
    # Two names that are there again, and one that no row of the table has.
    names = pl.concat([frame.select("row").tail(-1), pl.DataFrame({"row": [7, 8, 9_999]})])
    names.write_parquet(folder / "names.parquet")
    features = {"place": f.Category(), "shop": f.Category(), "price": f.Number("log")}
    return jr.Project(
        entity={"row": jr.Entity("names.parquet", "row", id_floor=0)},
        event={"shown": jr.Event("rows.parquet", ("row",), features=features)},
        tasks={"click": t.Binary("shown.clicked"), "spend": t.Amount("shown.paid")},
        counters=(),
    )


@pytest.mark.parametrize("piece", [97, 300])
def test_a_flat_table_in_files_is_the_one_in_memory(
    tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch
):
    declared = flat_table(tmp_path)
    planned = plan(declared)
    wanted = load_into(IN_MEMORY, declared, tmp_path, None)
    expected = prepare(declared, planned, wanted)
    for module in ("durable.pieces", "features.vocabulary", "features.number", "tasks.base"):
        monkeypatch.setattr(f"jointrec.{module}.PIECE", piece)
    (tmp_path / "room").mkdir()
    room = OnDisk(tmp_path / "room", piece=piece)
    tables = load_into(room, declared, tmp_path, None)
    same(tables, wanted)
    assert {finding.code for finding in tables.findings} >= {"duplicate_key", "orphan", "unnamed"}
    found = prepare(declared, planned, tables, room)
    assert found[0].preparation.to_json() == expected[0].preparation.to_json()
    left, right = dict(arrays(found[1])), dict(arrays(expected[1]))
    assert left.keys() == right.keys()
    for name, array in right.items():
        np.testing.assert_array_equal(left[name], array, err_msg=name)


def test_a_row_group_is_written_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shards, "ROW_GROUP", 4)
    monkeypatch.setattr(shards, "SHARD", 10)
    frame = pl.DataFrame({"n": np.arange(23), "s": [f"text {n}" for n in range(23)]})
    about = shards.write_frame(tmp_path, "rows", frame)
    files = sorted((tmp_path / "rows").iterdir())
    sizes = [
        [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        for meta in map(pq.read_metadata, files)
    ]
    assert sizes == [[4, 4, 2], [4, 4, 2], [3]]
    assert_frame_equal(shards.read_frame(tmp_path, about), frame)
