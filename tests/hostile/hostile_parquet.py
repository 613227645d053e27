"""Parquet that is damaged, wants code to run, holds odd types, or unpacks to more than fits."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hostile_case import TEXTS, TIMES, Case, columns, parquet, text

from jointrec.sources import Cell

PLAIN = pa.table({"id": [f"u{n}" for n in range(100)], "x": [n / 7 for n in range(100)]})
READ = list(zip(*PLAIN.to_pydict().values(), strict=True))
DAMAGED = "is a damaged or cut-off Parquet file"
IDS = {"id": Cell.ID, "x": Cell.ID}
LISTS = {"id": Cell.ID, "x": Cell.LIST}


def file(name: str, data: bytes, error: str = DAMAGED) -> Case:
    return Case(name, text(data, "t.parquet"), source="t.parquet", error=error)


def packed(table: pa.Table = PLAIN) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written, write_page_checksum=True, use_dictionary=False)
    return written.getvalue()


WHOLE = packed()
FOOTER = len(WHOLE) - 8 - int.from_bytes(WHOLE[-8:-4], "little")


def flipped(at: int) -> bytes:
    data = bytearray(WHOLE)
    data[at] ^= 1
    return bytes(data)


def chunk(column: int) -> int:
    """Where the first data page of a column begins."""
    return pq.read_metadata(io.BytesIO(WHOLE)).row_group(0).column(column).data_page_offset


def extension(name: str, kind: str, metadata: bytes = b"", **more: bytes) -> Case:
    """A file whose schema asks for an extension type, by name."""
    field = pa.field("x", pa.binary(), metadata={
        b"ARROW:extension:name": kind.encode(), b"ARROW:extension:metadata": metadata,
    })  # fmt: skip
    schema = pa.schema([pa.field("id", pa.string()), field])
    table = pa.table([pa.array(["a"]), pa.array([b"x"])], schema)
    return Case(name, parquet(table), source="t.parquet", error="uses Arrow extension types")


def hidden(name: str, place: str) -> Case:
    """The same with the name in another place than the field's own."""
    kind = {b"ARROW:extension:name": b"evil"}
    inner = pa.field("y", pa.binary(), metadata=kind)
    schema = {
        "in the metadata of the file": pa.schema([("id", pa.string())], kind),
        "in a struct": pa.schema([("id", pa.string()), ("x", pa.struct([inner]))]),
        "in a list": pa.schema([("id", pa.string()), ("x", pa.list_(inner))]),
    }[place]
    return Case(name, parquet(schema.empty_table()), source="t.parquet",
                error="uses Arrow extension types")  # fmt: skip


def in_footer_only() -> Case:
    """The Arrow schema in the footer is written by hand, as somebody with bad intent would."""
    field = pa.field("x", pa.int64(), metadata={b"ARROW:extension:name": b"evil"})
    schema = pa.schema([pa.field("id", pa.string()), field])
    stored = base64.b64encode(schema.serialize().to_pybytes())

    def write(folder: Path) -> None:
        table = pa.table({"id": ["a"], "x": [1]})
        with pq.ParquetWriter(folder / "t.parquet", table.schema, store_schema=False) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({"ARROW:schema": stored})

    return Case("a schema by hand", write, source="t.parquet", error="uses Arrow extension types")


def one(kind: str, values: pa.Array | list, *read: object, **more: object) -> Case:
    table = {"id": [f"u{n}" for n in range(len(values))], "x": values}
    if "error" in more:
        return columns(kind, table, **more)
    return columns(kind, table, rows=[(f"u{n}", v) for n, v in enumerate(read)], **more)


def repeated(length: int, times: int) -> pa.Array:
    """One long text, many times over."""
    indices = pa.array([0] * times, pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(["y" * length]))


def bomb(
    name: str, make: Callable[[], pa.Table], cells: dict[str, Cell], **settings: object
) -> Case:
    """A small file that unpacks to more than the tests allow."""

    def write(folder: Path) -> None:
        pq.write_table(make(), folder / "t.parquet", write_page_checksum=True, **settings)

    return Case(name, write, source="t.parquet", cells=cells, error="a source may unpack to")


def spread(parts: int) -> Case:
    """Many files, each of which is small enough."""

    def write(folder: Path) -> None:
        table = pa.table({"id": pa.nulls(300, pa.string()), "x": repeated(1 << 16, 300)})
        for n in range(parts):
            pq.write_table(table, folder / f"{n}.parquet", compression="zstd", store_schema=False)

    return Case("spread over files", write, source="*.parquet", cells=TEXTS,
                error="a source may unpack to")  # fmt: skip


def long_text(length: int, times: int) -> Callable[[], pa.Table]:
    return lambda: pa.table({"id": pa.nulls(times, pa.string()), "x": repeated(length, times)})


BARE = {"id": Cell.ID}

KINDS: dict[str, list[Case]] = {
    "damaged Parquet": [
        file("cut off by a byte", WHOLE[:-1]),
        file("cut in half", WHOLE[: len(WHOLE) // 2]),
        file("only the first four bytes", WHOLE[:4]),
        file("without its start", WHOLE[4:], error="is not a Parquet file"),
        file("a length of the footer that is none", WHOLE[:-8] + b"\xff\xff\xff\x7fPAR1"),
        file("a footer of zeros", WHOLE[:FOOTER] + bytes(len(WHOLE) - 8 - FOOTER) + WHOLE[-8:]),
        file("a bit of an id", flipped(chunk(0) + 200)),
        file("a bit of a number", flipped(chunk(1) + 200)),
        file("a bit of the other number", flipped(chunk(1) + 600)),
        file("text named parquet", b"id,x\na,1\n", error="is not a Parquet file"),
    ],
    "extension types": [
        extension("unknown", "evil"),
        extension("Python's own", "arrow.py_extension_type", b"\x80\x04N."),
        extension("of Ray", "ray.data.arrow_tensor", b"[1]"),
        extension("UUID", "arrow.uuid"),
        extension("opaque", "arrow.opaque", b'{"type_name":"a","vendor_name":"b"}'),
        Case("JSON", parquet(pa.table({"id": ["a"], "x": pa.array(["1"], pa.json_())})),
             source="t.parquet", error="uses Arrow extension types"),
        in_footer_only(),
        *[hidden(place, place) for place in
          ("in the metadata of the file", "in a struct", "in a list")],
    ],
    "types of Parquet": [
        one("nested", [{"y": 1}], error="should hold numbers"),
        one("maps", pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), cells=TEXTS,
            error="should hold one value per row"),
        one("a dictionary", pa.array(["b", "b", None]).dictionary_encode(), "b", "b", None,
            cells=TEXTS),
        one("decimals as ids", pa.array([Decimal("7.00"), Decimal("7.50")]), cells=IDS,
            error="should hold ids, but it holds exact decimals"),
        one("wide decimals", pa.array([Decimal("1." + "1" * 60)], pa.decimal256(70, 60)), 1 / 0.9),
        one("half floats", pa.array([1.5, None], pa.float16()), 1.5, None),
        one("uint64 as numbers", pa.array([2**64 - 1], pa.uint64()), 2.0**64),
        one("times of day", pa.array([time(12, 30)]), cells=TIMES, error="should hold times, but"),
        one("durations", pa.array([timedelta(days=1)]), error="should hold numbers, but"),
        one("lists", pa.array([["b", None, ""], [], None]), ["b"], [], None, cells=LISTS),
    ],
    "decompression bombs": [
        bomb("a long text", long_text(1 << 16, 2_000), TEXTS, compression="zstd"),
        bomb("a long text, plain types", long_text(1 << 16, 2_000), TEXTS, store_schema=False),
        bomb("a longer text", long_text(1 << 20, 100), TEXTS, compression="zstd"),
        bomb("in small row groups", long_text(1 << 16, 1_500), TEXTS, compression="gzip",
             row_group_size=100),
        bomb("as ids", lambda: pa.table({"id": repeated(1 << 16, 2_000)}), BARE,
             compression="zstd", store_schema=False),
        bomb("two million times", long_text(60, 2_000_000), TEXTS, compression="zstd"),
        spread(5),
        bomb("shared beginnings", lambda: pa.table({"x": pa.array(["y" * (1 << 16)] * 1_500),
             "id": pa.nulls(1_500, pa.string())}), TEXTS, compression="zstd", use_dictionary=False,
             column_encoding={"x": "DELTA_BYTE_ARRAY", "id": "PLAIN"}),
        bomb("in lists", lambda: pa.table({"id": pa.nulls(2_000, pa.string()), "x": pa.ListArray.
             from_arrays(pa.array(range(2_001), pa.int32()), repeated(1 << 16, 2_000))}), LISTS,
             compression="zstd", store_schema=False),
        Case("where it is not wanted", parquet(long_text(1 << 16, 2_000)(), compression="zstd",
             store_schema=False), source="t.parquet", cells=BARE, rows=[(None,)] * 2_000,
             unusable="all 2000 rows were set aside (no_key)"),
    ],
}  # fmt: skip
