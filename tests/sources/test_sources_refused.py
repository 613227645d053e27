"""Files that are not what they should be: each is refused with a sentence that helps."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec import sources
from jointrec.errors import SourceError
from jointrec.sources import Cell


def refused(folder: Path, source: object, columns: dict[str, Cell] | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        sources.read(source, root=folder, columns=columns, at="entity.user")
    told = str(caught.value)
    assert told.startswith("entity.user: ")
    return told


# --- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "sqlite", "duckdb", "mysql+pymysql"])
def test_a_password_in_plain_text_is_refused_and_not_repeated(tmp_path: Path, scheme: str) -> None:
    told = refused(tmp_path, f"{scheme}://me:secret@host/shop?table=items")
    assert "://…` holds a password in plain text, and a declaration is saved with the model" in told
    assert "Write ${SHOP_DB_PASSWORD} in its place" in told
    assert "secret" not in told


def test_a_database_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a database, and a file is needed here"):
        sources.files("postgresql://me@host/shop", root=tmp_path, at="x")


@pytest.mark.parametrize("scheme", ["http", "https", "s3", "file"])
def test_nothing_is_fetched(tmp_path: Path, scheme: str) -> None:
    told = refused(tmp_path, f"{scheme}://me:secret@host/users.csv")
    assert "nothing is fetched from a network. Download the file" in told
    assert "secret" not in told


def test_a_missing_file_proposes_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id\n1\n")
    assert "there is no such file. Did you mean `users.csv`?" in refused(tmp_path, "user.csv")
    assert f"there is no folder `{tmp_path / 'deep'}`" in refused(tmp_path, "deep/user.csv")
    assert "no file matches `*.parquet`" in refused(tmp_path, "*.parquet")
    assert "is empty or holds a NUL" in refused(tmp_path, "")
    assert "is empty or holds a NUL" in refused(tmp_path, "a\0b.csv")


def test_a_folder_shows_how_to_name_its_files(tmp_path: Path) -> None:
    (tmp_path / "views.parquet").mkdir()
    (tmp_path / "views.parquet" / "part-0.parquet").touch()
    told = refused(tmp_path, "views.parquet")
    assert "is a folder. Name the files in it, such as `views.parquet/*.parquet`" in told
    (tmp_path / "views").mkdir()
    assert "is a folder" in refused(tmp_path, "views")


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "users.xlsx").touch()
    told = refused(tmp_path, "users.xlsx")
    assert (
        "`users.xlsx` cannot be read. A source is a file or a glob whose name ends in .csv" in told
    )


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert "is a pipe, a socket or a device" in refused(tmp_path, name)


def test_sockets_and_devices_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("s.csv")
        assert "is a pipe, a socket or a device" in refused(tmp_path, "s.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    assert "is a pipe, a socket or a device" in refused(tmp_path, "zero.csv")


def test_links_in_a_circle_and_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert "cannot be reached: Too many levels of symbolic links" in refused(tmp_path, "a.csv")
    (tmp_path / "c.csv").symlink_to("nowhere")
    assert "is a link to `nowhere`, where there is no file" in refused(tmp_path, "c.csv")
    assert "entity.user: " in refused(tmp_path, "*.csv")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("id\n1\n")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may read everything
    assert "may not be read by this user" in refused(tmp_path, "t.csv")


# --- files of text -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty: it has no bytes at all"),
        (b"\xef\xbb\xbf", "is empty: it has no bytes at all"),
        ('{"a": "é"}'.encode("utf-16"), "is UTF-16 text, not UTF-8 text. Convert it first: iconv"),
        ('{"a": "é"}'.encode("utf-32"), "is UTF-32 text"),
        (b"\x1f\x8b\x08rest", "is gzip-compressed, not UTF-8 text. Unpack"),
        (b"PK\x03\x04rest", "is a zip archive (or an Excel workbook)"),
        (b"PAR1rest", "is a Parquet file, not UTF-8 text"),
    ],
)
def test_what_is_no_utf8_text_is_named(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert told in refused(tmp_path, name)


@pytest.mark.parametrize("block", [1, 2, 3, 5, 1 << 22])
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"id,t\n1,caf\xe9\n", "line 2, byte 10: is not UTF-8 (found 0xe9). Convert it"),
        (b"id,t\n1,\xe5\x95\n", "line 2, byte 7: is not UTF-8 (found 0xe5)"),
        (b"id,t\n1,x\n2,\xe5\x95", "line 3, byte 11: is not UTF-8 (found 0xe5)"),
        (b"id,t\n1,\xed\xa0\x80\n", "line 2, byte 7: is not UTF-8 (found 0xed)"),
        (b"id,t\n1,x\n2,a\0b\n", "line 3, byte 12: holds a NUL character"),
    ],
)
def test_the_first_wrong_byte_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, told: str, block: int
) -> None:
    monkeypatch.setattr("jointrec.sources.text_file._BLOCK", block)
    (tmp_path / "t.csv").write_bytes(data)
    assert told in refused(tmp_path, "t.csv")


@pytest.mark.parametrize("block", [1, 2, 3])
def test_characters_across_blocks_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("jointrec.sources.text_file._BLOCK", block)
    monkeypatch.setattr("jointrec.sources.csv_file._SCAN", block)
    (tmp_path / "t.csv").write_text('id,t\n"é商😀","a""b"\n', encoding="utf-8")
    got = sources.read("t.csv", root=tmp_path, at="x").table
    assert got.to_pydict() == {"id": ["é商😀"], "t": ['a"b']}


@pytest.mark.parametrize("block", [1, 3, 1 << 24])
@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("id,t\n", "has columns but not one row"),
        ("id,t", "has columns but not one row"),
        ("\nid,t\n1,2\n", "the first line is blank"),
        ("id, id\n1,2\n", "several columns have the same name: `id`"),
        ("id,a;b\n1,2\n", "',' and ';' split the header into equally many names"),
        ('"i\nd",t\n1,2\n', "a name in the header is quoted over two lines"),
        ('id,t\n1,x\n2,"open\n3,y\n', 'line 3: the quotes (") of this row are wrong'),
        ('id,t\n1,"a"b\n', 'line 2: the quotes (") of this row are wrong'),
        ('id,t\n1,"a\n2,"b\n', 'line 2: the quotes (") of this row are wrong'),
        ("id,t\n1\n2\n", "not one row has as many cells as the header (2); row 2 has 1"),
    ],
)
def test_broken_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, told: str, block: int
) -> None:
    monkeypatch.setattr("jointrec.sources.csv_file._SCAN", block)
    (tmp_path / "t.csv").write_text(data)
    assert told in refused(tmp_path, "t.csv")


def test_a_row_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointrec.sources.csv_file._LONGEST_ROW", 1_000)
    (tmp_path / "t.csv").write_text(f"id,t\n1,{'x' * 5_000}\n2,y\n")
    assert "a row is longer than 1,000 bytes" in refused(tmp_path, "t.csv")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('{"a": 1}\n{"a": \n', "line 2: is not a JSON object: expecting value"),
        ('{\n"a": 1}\n', "line 1: is not a JSON object: expecting property name"),
        ('[{"a": 1}]\n', "line 1: is a list, not an object. Each line must be an object"),
        ("7\n", "line 1: is a single value, not an object"),
        ('{"a": 1, "a": 2}\n', "line 1: is not a JSON object: a key occurs twice"),
        ('{"a": 1}\n\n{"a": {"b": 1}}\n', "line 3: `a` is nested. Values are text, numbers"),
        ('{"a": [{"b": 1}]}\n', "line 1: `a` is nested"),
        ('{"a": [["b"]]}\n', "line 1: `a` is nested"),
        ("[" * 100_000, "line 1: is nested too deeply"),
        ('{"a": "\\ud800"}\n', "`a` holds half a character"),
        ('{"a": ["x"]}\n{"a": "x"}\n', "`a` holds lists in some lines and single values"),
        ('{"a": ' + "1" * 5_000 + "}\n", "line 1: is not a JSON object: exceeds the limit"),
        ("\n\n", "has no rows"),
        ("{}\n{}\n", "not one of its objects has a key"),
    ],
)
def test_broken_json_lines(tmp_path: Path, lines: str, told: str) -> None:
    (tmp_path / "t.jsonl").write_text(lines)
    assert told in refused(tmp_path, "t.jsonl")


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@given(data=st.binary(max_size=60))
def test_no_bytes_whatever_end_in_anything_but_a_table_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / f"t.{ending}"
    path.write_bytes(data)
    try:
        assert sources.read(path, at="x").table.num_rows > 0
    except SourceError as error:
        assert str(path) in str(error)


# --- Parquet -------------------------------------------------------------------------------------


def parquet(folder: Path, name: str = "t.parquet", **columns: object) -> Path:
    columns = columns or {"id": [f"u{i}" for i in range(200)], "x": [i / 7 for i in range(200)]}
    pq.write_table(pa.table(columns), folder / name, write_page_checksum=True)
    return folder / name


def test_broken_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.touch()
    assert "is empty: it has no bytes at all" in refused(tmp_path, "t.parquet")
    path.write_text("id,t\n1,2\n")
    assert "is not a Parquet file, whatever its name says" in refused(tmp_path, "t.parquet")
    parquet(tmp_path, id=pa.array([], pa.string()))
    assert "has columns but not one row" in refused(tmp_path, "t.parquet")


def test_a_parquet_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path)
    whole = path.read_bytes()
    for length in range(4, len(whole), 97):
        path.write_bytes(whole[:length])
        assert "is a damaged or cut-off Parquet file" in refused(tmp_path, "t.parquet")


def test_flipped_bits_in_the_pages_are_refused_or_harmless(tmp_path: Path) -> None:
    path = parquet(tmp_path)
    whole, expected = path.read_bytes(), sources.read(path, at="x").table.to_pydict()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    noticed = 0
    for bit in range(32, footer * 8, 41):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            assert sources.read(path, at="x").table.to_pydict() == expected
        except SourceError:
            noticed += 1
    assert noticed > 100


def test_the_sums_of_pages_are_what_notices_flipped_bits(tmp_path: Path) -> None:
    """The control: a reader without them gives wrong rows from the same damage."""
    path = parquet(tmp_path)
    whole, expected = path.read_bytes(), pq.read_table(path).to_pydict()
    wrong = 0
    for at in range(600, 1400, 40):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        path.write_bytes(damaged)
        try:
            wrong += pq.ParquetFile(path).read().to_pydict() != expected
        except (pa.ArrowException, OSError, ValueError):
            continue
        assert "damaged" in refused(tmp_path, "t.parquet")
    assert wrong > 5


def test_extension_types_are_refused(tmp_path: Path) -> None:
    field = pa.field("id", pa.string(), metadata={"ARROW:extension:name": "evil"})
    pq.write_table(pa.table([pa.array(["a"])], pa.schema([field])), tmp_path / "t.parquet")
    told = refused(tmp_path, "t.parquet")
    assert "uses Arrow extension types (ARROW:extension:name), which are refused" in told
    assert "reading one can run code" in told
    pq.write_table(pa.table({"id": pa.array(["{}"], pa.json_())}), tmp_path / "t.parquet")
    assert "uses Arrow extension types" in refused(tmp_path, "t.parquet")


@pytest.mark.parametrize("filler", ["", "x", "xx"])
def test_a_registered_extension_type_is_never_built(tmp_path: Path, filler: str) -> None:
    """pyarrow builds it as soon as it opens a file, even if asked for the metadata only."""
    built = []

    class Evil(pa.ExtensionType):
        def __init__(self) -> None:
            super().__init__(pa.int64(), "evil")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: pa.DataType, data: bytes) -> pa.ExtensionType:
            built.append(data)
            return cls()

    column = pa.ExtensionArray.from_storage(Evil(), pa.array([1]))
    pq.write_table(pa.table({f"id{filler}": column}), tmp_path / "t.parquet")
    pa.register_extension_type(Evil())
    try:
        assert "uses Arrow extension types" in refused(tmp_path, "t.parquet")
        assert built == []
        pq.read_metadata(tmp_path / "t.parquet")  # the control
        assert len(built) == 1
    finally:
        pa.unregister_extension_type("evil")


def test_text_that_is_not_utf8_inside_parquet_is_refused(tmp_path: Path) -> None:
    wrong = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    )
    parquet(tmp_path, id=wrong)
    assert "is a damaged or cut-off Parquet file" in refused(tmp_path, "t.parquet")


def test_nested_columns_are_refused_only_where_they_are_wanted(tmp_path: Path) -> None:
    parquet(tmp_path, id=["a"], deep=[{"x": 1}])
    assert "column `deep` of `t.parquet` should hold one value per row" in refused(
        tmp_path, "t.parquet", {"deep": Cell.TEXT}
    )
    got = sources.read("t.parquet", root=tmp_path, columns={"id": Cell.ID}, at="x")
    assert got.table.to_pydict() == {"id": ["a"]}


# --- globs whose files differ --------------------------------------------------------------------


def test_a_column_that_one_file_lacks_is_told_by_file(tmp_path: Path) -> None:
    parquet(tmp_path, "a.parquet", id=["a"], x=[1])
    parquet(tmp_path, "b.parquet", id=["b"])
    told = refused(tmp_path, "*.parquet", {"id": Cell.ID, "x": Cell.NUMBER})
    assert f"`{tmp_path / 'b.parquet'}` has no column `x`, which other files" in told
    assert "Export the files anew" in told
    got = sources.read("*.parquet", root=tmp_path, columns={"id": Cell.ID}, at="x")
    assert got.table["id"].to_pylist() == ["a", "b"]
    (tmp_path / "a.jsonl").write_text('{"id": 1, "x": 2}\n')
    (tmp_path / "b.jsonl").write_text('{"id": 1}\n')
    assert "`x`, which other files of the source have" in refused(tmp_path, "*.jsonl")


def test_files_that_store_different_kinds_are_refused_and_widths_are_not(tmp_path: Path) -> None:
    parquet(tmp_path, "a.parquet", x=pa.array([1], pa.int32()), t=pa.array([1], pa.timestamp("s")))
    parquet(tmp_path, "b.parquet", x=pa.array([2**40]), t=pa.array([1], pa.timestamp("us")))
    parquet(tmp_path, "c.parquet", x=pa.nulls(1), t=pa.nulls(1))
    columns = {"x": Cell.ID, "t": Cell.TIME}
    got = sources.read("*.parquet", root=tmp_path, columns=columns, at="x").table
    assert got.to_pydict() == {"x": ["1", "1099511627776", None], "t": [1_000_000, 1, None]}
    parquet(tmp_path, "d.parquet", x=[1.5], t=["2024-05-01"])
    told = refused(tmp_path, "*.parquet", columns)
    assert "2 problems" in told
    assert "d.parquet` stores decimal numbers in `x`, but `a.parquet` stores whole numbers." in told
    assert "d.parquet` stores text in `t`, but `a.parquet` stores times without a zone." in told
