"""The same table reads the same, wherever it comes from."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec import sources
from jointrec.errors import SourceError
from jointrec.sources import Cell

CELLS = {
    "user_id": Cell.ID,
    "name": Cell.TEXT,
    "price": Cell.NUMBER,
    "seen": Cell.TIME,
    "clicked": Cell.FLAG,
    "tags": Cell.LIST,
}
MOMENT = datetime(2024, 5, 1, 12, 30, 0, 250_000)
MICRO = 1_714_566_600_250_000
ROWS = [
    {"user_id": "007", "name": "Zoë, 27\" 商品", "price": 2.5, "seen": MOMENT, "clicked": True,
     "tags": ["a", "b"]},
    {"user_id": "7", "name": "two\nlines", "price": None, "seen": None, "clicked": False,
     "tags": ["c"]},
    {"user_id": "12345678901234567890", "name": None, "price": -1e-3, "seen": MOMENT,
     "clicked": None, "tags": None},
]  # fmt: skip
EXPECTED = {
    "user_id": ["007", "7", "12345678901234567890"],
    "name": ['Zoë, 27" 商品', "two\nlines", None],
    "price": [2.5, None, -1e-3],
    "seen": [MICRO, None, MICRO],
    "clicked": [1.0, 0.0, None],
    "tags": [["a", "b"], ["c"], None],
}


def _text(row: dict[str, Any], *, in_csv: bool) -> dict[str, Any]:
    seen = row["seen"] and row["seen"].isoformat()
    if not in_csv:
        return row | {"seen": seen}
    return row | {"seen": seen, "tags": row["tags"] and "|".join(row["tags"])}


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(_text(row, in_csv=True) for row in rows)


def write_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(_text(row, in_csv=False)) + "\n" for row in rows))


def as_csv(folder: Path) -> str:
    write_csv(folder / "t.csv", ROWS)
    return "t.csv"


def as_json_lines(folder: Path) -> str:
    write_json(folder / "t.jsonl", ROWS)
    return "t.jsonl"


def as_parquet(folder: Path) -> str:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "t.parquet", write_page_checksum=True)
    return "t.parquet"


def as_glob(folder: Path) -> str:
    write_csv(folder / "b.csv", ROWS[1:])
    write_csv(folder / "a.csv", ROWS[:1])
    return "*.csv"


def as_arrow(folder: Path) -> pa.Table:
    return pa.Table.from_pylist(ROWS)


def as_polars(folder: Path) -> pl.DataFrame:
    return pl.DataFrame(ROWS).with_columns(pl.col("name").cast(pl.Categorical))


def as_pandas(folder: Path) -> Any:
    return pytest.importorskip("pandas").DataFrame(ROWS)


FORMS = [as_csv, as_json_lines, as_parquet, as_glob, as_arrow, as_polars, as_pandas]
each_form = pytest.mark.parametrize("form", FORMS)


@each_form
def test_every_source_gives_the_same_table(form: Callable[[Path], Any], tmp_path: Path) -> None:
    got = sources.read(form(tmp_path), root=tmp_path, columns=CELLS, at="entity.user")
    assert got.table.to_pydict() == EXPECTED
    assert got.findings == ()
    text = pa.large_string()
    assert [str(field.type) for field in got.table.schema] == [
        str(kind) for kind in (text, text, pa.float64(), pa.int64(), pa.float64())
    ] + [str(pa.large_list(text))]


@each_form
def test_columns_come_in_the_order_asked_for(form: Callable[[Path], Any], tmp_path: Path) -> None:
    wanted = {"clicked": Cell.FLAG, "user_id": Cell.ID}
    got = sources.read(form(tmp_path), root=tmp_path, columns=wanted, at="entity.user")
    assert got.table.to_pydict() == {name: EXPECTED[name] for name in wanted}


@each_form
def test_no_columns_asked_for_still_counts_the_rows(
    form: Callable[[Path], Any], tmp_path: Path
) -> None:
    got = sources.read(form(tmp_path), root=tmp_path, columns={}, at="entity.user")
    assert (got.table.num_columns, got.table.num_rows) == (0, 3)


@each_form
def test_columns_are_told_without_a_declaration(
    form: Callable[[Path], Any], tmp_path: Path
) -> None:
    source = form(tmp_path)
    assert list(sources.columns(source, root=tmp_path, at="entity.user")) == list(CELLS)
    raw = sources.read(source, root=tmp_path, columns=None, at="entity.user")
    assert raw.table.column_names == list(CELLS)
    assert raw.table.num_rows == 3


@each_form
def test_every_missing_column_is_told_at_once(form: Callable[[Path], Any], tmp_path: Path) -> None:
    wanted = {"user_ids": Cell.ID, "price": Cell.NUMBER, "zzz": Cell.TEXT}
    with pytest.raises(SourceError) as caught:
        sources.read(form(tmp_path), root=tmp_path, columns=wanted, at="entity.user")
    told = str(caught.value)
    assert "2 problems" in told
    assert "there is no column `user_ids`. Did you mean `user_id`? Known: clicked, name," in told
    assert "there is no column `zzz`" in told


def test_every_kind_of_source_is_registered() -> None:
    kinds = {name for name in sources.__all__ if isinstance(getattr(sources, name), type)}
    assert {"Csv", "JsonLines", "Memory", "Parquet", "Source", "Cell"} <= kinds


def test_only_the_wanted_columns_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_parquet(tmp_path)
    asked = []
    real = pq.ParquetFile.iter_batches

    def read(self: pq.ParquetFile, columns: list[str], **settings: Any) -> Any:
        asked.append(columns)
        return real(self, columns=columns, **settings)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", read)
    sources.read("t.parquet", root=tmp_path, columns={"price": Cell.NUMBER}, at="x")
    assert {tuple(columns) for columns in asked} == {("price",)}


def test_a_glob_is_sorted_by_name_and_an_exact_name_is_no_glob(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "[x].csv", "deep/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"id\n{name}\n")

    def found(pattern: str) -> list[str]:
        paths = sources.files(pattern, root=tmp_path, at="x")
        return [path.relative_to(tmp_path).as_posix() for path in paths]

    assert found("*.csv") == ["[x].csv", "a.csv", "b.csv"]
    assert found("[x].csv") == ["[x].csv"]
    assert found("[ab].csv") == ["a.csv", "b.csv"]
    assert found("**/*.csv") == ["[x].csv", "a.csv", "b.csv", "deep/c.csv"]
    assert sources.files(tmp_path / "a.csv", at="x") == (tmp_path / "a.csv",)


# --- CSV in its many spellings -------------------------------------------------------------------


def read_csv(folder: Path, data: bytes | str) -> sources.Read:
    (folder / "t.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    return sources.read("t.csv", root=folder, at="event.view")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_delimiters_line_ends_and_a_byte_order_mark(
    tmp_path: Path, delimiter: str, end: str, mark: str
) -> None:
    lines = [f" a {delimiter}b", f"007{delimiter}", "", f'"x{delimiter}{end}y"{delimiter}"q""q"']
    got = read_csv(tmp_path, mark + end.join(lines))
    assert got.table.to_pydict() == {"a": ["007", f"x{delimiter}{end}y"], "b": [None, 'q"q']}


def test_a_quote_inside_an_unquoted_cell_is_a_letter(tmp_path: Path) -> None:
    got = read_csv(tmp_path, 'id,title\n1,27" screen\n2,the "best" one\n')
    assert got.table["title"].to_pylist() == ['27" screen', 'the "best" one']


def test_ragged_rows_are_set_aside_and_counted(tmp_path: Path) -> None:
    got = read_csv(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert got.table.to_pydict() == {"a": ["1", "7"], "b": ["2", "8"]}
    (finding,) = got.findings
    assert (finding.code, finding.count, finding.action) == ("ragged_row", 2, "set aside")
    assert finding.examples == ("t.csv, row 3: 3", "t.csv, row 4: 4,5,6")


def test_ragged_rows_of_several_files_are_one_finding(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n3\n")
    got = sources.read("*.csv", root=tmp_path, at="x")
    assert [(f.code, f.count, len(f.examples)) for f in got.findings] == [("ragged_row", 2, 2)]


cell = st.text(st.sampled_from('ab ",;|\t\n\r’商\u00e9'), max_size=6)


@given(
    rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=8), quoting=st.sampled_from([0, 1])
)
def test_what_the_csv_module_writes_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], quoting: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=quoting).writerows([("first", "second"), *rows])
    got = sources.read("t.csv", root=folder, at="x").table
    assert list(zip(*got.to_pydict().values(), strict=True)) == [
        tuple(value or None for value in row) for row in rows
    ]


# --- JSON lines ----------------------------------------------------------------------------------


def read_json(folder: Path, *lines: str) -> pa.Table:
    (folder / "t.jsonl").write_text("\n".join(lines))
    return sources.read("t.jsonl", root=folder, at="x").table


def test_json_keeps_every_digit_and_fills_missing_keys(tmp_path: Path) -> None:
    got = read_json(
        tmp_path,
        '\ufeff{"id": 123456789012345678901234567890, "whole": 9007199254740993, "mixed": 1}',
        "",
        '{"id": 7, "mixed": "007", "late": true, "list": [1, "a", null]}',
    )
    assert got.to_pydict() == {
        "id": ["123456789012345678901234567890", "7"],
        "whole": [9007199254740993, None],
        "mixed": ["1", "007"],
        "late": [None, True],
        "list": [None, ["1", "a", None]],
    }


def test_json_parts_of_differing_types_are_joined_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jointrec.sources.json_lines._PART", 1)
    assert read_json(tmp_path, '{"a": 1}', '{"a": 1.5}', "{}")["a"].to_pylist() == [1.0, 1.5, None]
    big = read_json(tmp_path, '{"a": 9007199254740993}', '{"a": 1.5}')
    assert big["a"].to_pylist() == ["9007199254740993", "1.5"]
    assert read_json(tmp_path, '{"a": 1}', '{"a": "01"}')["a"].to_pylist() == ["1", "01"]
    with pytest.raises(SourceError, match="`a` holds lists in some lines and single values"):
        read_json(tmp_path, '{"a": 1}', '{"a": ["x"]}')
