"""Parsers of what others wrote end in a value or in an error made on purpose, whatever they read.

Each runs for some seconds in `make slow`; what does the same without care must fail, so that it is
seen that the inputs bite.
"""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import fuzzing
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from fuzzing import fuzz, mutated, replaced
from hypothesis import strategies as st

import jointrec as jr
from jointrec import sources
from jointrec.durable.manifest import parse_manifest
from jointrec.labels import microseconds
from jointrec.plan import plan
from jointrec.prepare import Preparation
from jointrec.prepare.prepared import Layout
from jointrec.sources import Cell

SHA = "0123456789abcdef" * 4
MANIFEST = {"format": 1, "files": [{"path": "a/b", "size": 3, "sha256": SHA}]}
FIELDS = {"ids": ["user.country"], "bags": [], "numbers": []}
PREPARATION = {
    "features": {"user.country": {"values": ["x"]}},
    "ids": {"user": ["a", "b"]},
    "offsets": {"user.country": 0},
    "rates": {"visit.bought": 0.5},
    "scales": {"clock": {"mean": [0.0], "std": [1.0], "least": [-1.0], "most": [1.0]}},
    "tasks": {"click": {"constant": 0.5}},
    "limits": {"visit.paid": 10.0},
    "cuts": [1, None],
    "first": 0,
    "until": 9,
}
SHOP = """
time_zone = "Europe/Berlin"
counters = ["1h", "7d"]
entity.user = { source = "users.csv", key = "user_id", features = { country = "Category" } }
[entity.item]
source = "items/*.parquet"
key = "item_id"
features = { title = { kind = "Text" }, price = { kind = "Number", scale = "log" } }
[event.visit]
source = "visits.jsonl"
entities = ["user", "item"]
time = "at"
matures = "2d"
where = { kind = ["buy", "look"] }
[tasks]
click = { kind = "Binary", label = "visit.clicked" }
buy = { kind = "Binary", label = "visit.bought", after = "click" }
back = { kind = "Binary", label = { any = "visit", of = "user", within = "7d" } }
spend = { kind = "Amount", label = { sum = "visit.n * visit.price", of = "user", within = "9d" } }
[split]
kind = "ByTime"
test_days = 7
[sharing]
kind = "PLE"
dropout = 0.1
"""
CSV = 'id,x,y\n007,1.5,"a ""b"""\n7,,2024-05-01T12:30:00+02:00\n"é\n",-1e3,\\N\n'
LINES = '{"id": "007", "x": 1.5, "y": ["a", null]}\n{"id": 7, "x": null}\n{"id": 1e20, "x": "é"}\n'
CELLS = ["007", "1,5", "1e999", "-0.0", "TRUE", "nan", "NULL", "2024-05-01T12:30:00.5+02:00", "a|b",
         "1714521600", "9" * 20, "0000-00-00", "2024-02-30", " x ", "\u202e", "\ud7ff"]  # fmt: skip

Target = Callable[[Any], object]


def in_file(folder: Path, name: str, cells: dict[str, Cell] | None) -> Target:
    """Reads what was made up as a file."""

    def target(data: str | bytes) -> None:
        coded = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        (folder / name).write_bytes(coded)
        got = sources.read(name, root=folder, columns=cells, at="x")
        assert got.table.num_rows + got.aside.num_rows > 0

    return target


def as_cells(drawn: tuple[list[str | None], Cell]) -> None:
    values, cell = drawn
    got = sources.read(pa.table({"c": pa.array(values, pa.string())}), columns={"c": cell}, at="x")
    assert got.table.num_rows == len(values)
    lost = sum(v is not None and v.strip() != "" for v in values) - (
        len(values) - got.table["c"].null_count
    )
    told = sum(found.count for found in got.findings if found.action == "made null")
    assert lost <= told, "a value was made null in silence"


def as_project(text: str) -> None:
    shop = jr.parse(text)
    plan(shop)
    assert jr.parse(shop.to_toml()) == shop


def as_manifest(document: Any) -> None:
    parse_manifest(json.dumps(document).encode(), Path("m"))


def as_preparation(document: Any) -> None:
    Preparation.from_json(json.dumps(document))


def naive_csv(data: str) -> None:
    pacsv.read_csv(io.BytesIO(data.encode("utf-8", "surrogatepass")))


def naive_lines(text: str) -> None:
    for line in text.split("\n"):
        json.loads(line)


def naive_manifest(document: Any) -> None:
    sum(len(entry["path"]) + entry["size"] for entry in document["files"])


def texts() -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(CELLS), mutated(CELLS), st.text(max_size=6))


def layouts() -> dict[str, Any]:
    """A preparation with the shape of what is prepared."""
    layout = {
        **{field.name: {} for field in fields(Layout)},
        "table_rows": 3, "things": {"user": FIELDS}, "moments": {"user": ["a"]},
        "pairs": [["user", "item", ["p"]]], "context": {"visit": FIELDS}, "clock": ["hour"],
        "kinds": {"user": ["visit"]}, "objects": {"user": ["item"]}, "sizes": {"user": 2},
        "constants": {"click": [0.5]}, "scales": {"clock": "clock"},
    }  # fmt: skip
    return {**{field.name: {} for field in fields(Preparation)}, **PREPARATION, "layout": layout}


def parquet_file() -> bytes:
    written = io.BytesIO()
    table = pa.table({"id": [f"u{n}" for n in range(50)], "x": [n / 7 for n in range(50)]})
    pq.write_table(table, written, write_page_checksum=True)
    return written.getvalue()


def spoilt(whole: bytes) -> st.SearchStrategy[bytes]:
    """A file of which some bytes are others, its end above all."""
    place = st.one_of(st.integers(0, len(whole) - 1), st.integers(len(whole) - 600, len(whole) - 1))

    def change(spots: list[tuple[int, int]]) -> bytes:
        data = bytearray(whole)
        for at, value in spots:
            data[at] = value
        return bytes(data)

    return st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=4).map(change)


TARGETS: dict[str, tuple[Callable[[Path], Target], Callable[[], Any], Target]] = {
    "csv": (lambda folder: in_file(folder, "t.csv", {"id": Cell.ID, "x": Cell.NUMBER}),
            lambda: mutated([CSV], ',;"\n\r\t01a'), naive_csv),
    "json lines": (lambda folder: in_file(folder, "t.jsonl", None),
                   lambda: mutated([LINES]), naive_lines),
    "parquet": (lambda folder: in_file(folder, "t.parquet", {"id": Cell.ID, "x": Cell.NUMBER}),
                lambda: spoilt(parquet_file()), lambda data: pq.read_table(io.BytesIO(data))),
    "cells": (lambda _: as_cells,
              lambda: st.tuples(st.lists(texts(), max_size=6), st.sampled_from(list(Cell))),
              lambda drawn: pa.array(drawn[0], pa.string()).cast(pa.float64())),
    "shop.toml": (lambda _: as_project, lambda: mutated([SHOP, *SHOP.split("\n[")], '"=[]{}.\n,1t'),
                  tomllib.loads),
    "durations": (lambda _: microseconds, lambda: mutated(["30s", "15 m", "24h", "2w"], "9smh ٣"),
                  lambda text: int(text[:-1])),
    "manifests": (lambda _: as_manifest, lambda: replaced(MANIFEST), naive_manifest),
    "preparations": (lambda _: as_preparation, lambda: replaced(layouts()),
                     lambda document: [len(keys) for keys in document["ids"].values()]),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_ends_in_a_value_or_in_an_error_made_on_purpose(name: str, tmp_path: Path) -> None:
    target, inputs, _ = TARGETS[name]
    assert fuzz(target(tmp_path), inputs()) > 0


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_takes_what_is_right(name: str, tmp_path: Path) -> None:
    right: dict[str, Any] = {
        "csv": CSV, "json lines": LINES, "parquet": parquet_file(), "shop.toml": SHOP,
        "durations": "24h", "manifests": MANIFEST, "preparations": layouts(),
        "cells": (["1", None, "2.5"], Cell.NUMBER),
    }  # fmt: skip
    TARGETS[name][0](tmp_path)(right[name])


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_without_care_would_be_found_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzzing, "SECONDS", 60.0)  # until it is found, which takes some tries
    _, inputs, naive = TARGETS[name]
    with pytest.raises(BaseException) as caught:  # several errors come as a group
        fuzz(naive, inputs(), shrink=False)
    assert not isinstance(caught.value, KeyboardInterrupt)
