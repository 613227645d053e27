"""CSV that somebody cut, glued, packed or wrote by hand."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib

from hostile_case import NUMBERS, TEXTS, Case, csv, lines, text

from jointrec.sources import Cell

ONE = [("a", 1.0)]
TWO = [("a", 1.0), ("b", 2.0)]
RAGGED = ("ragged_row",)
WRONG_QUOTES = 'the quotes (") of this row are wrong'


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("t.csv", data)
    return packed.getvalue()


TABLE = b"id,x\na,1\nb,2\n"
HEADER = "has columns but not one row"

KINDS: dict[str, list[Case]] = {
    "line ends": [
        csv("CRLF", "id,x\r\na,1\r\nb,2\r\n", rows=TWO),
        csv("CR", "id,x\ra,1\rb,2\r", rows=TWO),
        csv("mixed", "id,x\r\na,1\nb,2\r", rows=TWO),
        csv("none at the end", "id,x\na,1\nb,2", rows=TWO),
        csv("CR CR LF", "id,x\r\r\na,1\r\r\nb,2\r\r\n", rows=TWO),
        csv("blank lines", "id,x\n\na,1\n\n\nb,2\n\n", rows=TWO),
        csv("in a quoted cell", 'id,x\n"a\r\nb",1\n', rows=[("a\r\nb", 1.0)]),
        csv("CR in a quoted cell", 'id,x\r\n"a\rb",1\r\n', rows=[("a\rb", 1.0)]),
        csv("Unicode's own are letters", "id,x\na\u2028b,1\nc\x85d,2\n",
            rows=[("a\u2028b", 1.0), ("c\x85d", 2.0)]),
        lines("CRLF in json", '{"id": "a", "x": 1}\r\n\r\n{"id": "b", "x": 2}\r\n', rows=TWO),
    ],
    "open quotes": [
        csv("never closed", 'id,x\na,1\n"b,2\nc,3\n', error=f"line 3: {WRONG_QUOTES}"),
        csv("never closed in the last row", 'id,x\na,1\n"b,2', error=WRONG_QUOTES),
        csv("closed too early", 'id,x\n"a"b,1\n', error=f"line 2: {WRONG_QUOTES}"),
        csv("closed in the next row", 'id,x\n"a,1\nb",2\n"c,3\n', error=WRONG_QUOTES),
        csv("escaped by a backslash", 'id,x\n"a\\"b",1\n', error=WRONG_QUOTES),
        csv("inch mark", 'id,x\n27" tv,1\n', rows=[('27" tv', 1.0)]),
        csv("doubled", 'id,x\n"a""b",1\n', rows=[('a"b', 1.0)]),
        csv("only quotes", 'id,x\n"""",1\n', rows=[('"', 1.0)]),
        csv("in the header", '"id,x\na,1\n', error="quoted over two lines"),
        csv("single quotes are letters", "id,x\n'a',1\n", rows=[("'a'", 1.0)]),
    ],
    "ragged rows": [
        csv("short", "id,x\na,1\nz\nb,2\n", rows=TWO, aside=1, found=RAGGED),
        csv("long", "id,x\na,1\nz,1,2\nb,2\n", rows=TWO, aside=1, found=RAGGED),
        csv("both", "id,x\na,1\nz\ny,1,2,3\nb,2\n", rows=TWO, aside=2, found=RAGGED),
        csv("a comma at every end", "id,x\na,1,\nb,2,\n", error="not one row has as many cells"),
        csv("a comma at one end", "id,x\na,1,\nb,2\n", rows=[("b", 2.0)], aside=1, found=RAGGED),
        csv("a footer", "id,x\na,1\nb,2\n2 rows\n", rows=TWO, aside=1, found=RAGGED),
        csv("quoted over lines", 'id,x\na,1\n"z\ny"\nb,2\n', rows=TWO, aside=1, found=RAGGED),
        csv("the last is cut off", "id,x,y\na,1,1\nb,2,2\nc,3", cells=NUMBERS, rows=TWO, aside=1,
            found=RAGGED),
        csv("all", "id,x\na\nb\n", error="not one row has as many cells as the header (2)"),
        csv("another delimiter", "id,x\na;1\nb;2\n", error="Look at the delimiter"),
    ],
    "headers": [
        csv("a name twice", "id,x,x\na,1,2\n", error="several columns have the same name: `x`"),
        csv("twice after trimming", "id,x, x\na,1,2\n", error="the same name: `x`"),
        csv("differs by case only", "id,x,X\na,1,2\n", rows=ONE),
        csv("a column without a name", ",id,x\n0,a,1\n", rows=ONE),
        csv("several without a name", "id,,x,,\na,9,1,8,7\n", rows=ONE),
        csv("blanks around names", " id , x\na,1\n", rows=ONE),
        csv("none at all", "a,1\nb,2\n", error="there is no column `id`"),
        csv("a blank line first", "\n\nid,x\na,1\n", error="the first line is blank"),
        csv("a title first", "Export of users\nid,x\na,1\n", error="there is no column"),
        csv("two delimiters", "id,x;y\na,1;2\n", error="split the header into equally many names"),
    ],
    "only a header": [
        csv("with a line end", "id,x\n", error=HEADER),
        csv("without", "id,x", error=HEADER),
        csv("and blank lines", "id,x\n\n\r\n", error=HEADER),
        csv("CR", "id,x\r", error=HEADER),
        csv("quoted", '"id","x"\n', error=HEADER),
        csv("with a mark", b"\xef\xbb\xbfid,x\n", error=HEADER),
        csv("tabs", "id\tx\n", error=HEADER),
        lines("blank json", "\n\n\n", error="has no rows"),
        lines("an empty list", "[]\n", error="is a list, not an object"),
        lines("an empty object", "{}\n", error="there is no column `id`"),
    ],
    "empty and tiny files": [
        csv("empty", b"", error="is empty"),
        csv("a line end", b"\n", error="the first line is blank"),
        csv("blanks", b"   \t ", error="the first line is blank"),
        csv("one letter", b"a", error="there is no column `id`"),
        csv("one comma", b",", error="there is no column `id`"),
        csv("one quote", b'"', error="quoted over two lines"),
        csv("one bad byte", b"\xff", error="is not UTF-8"),
        lines("empty json", b"", error="is empty"),
        lines("one brace", b"{", error="line 1: is not a JSON object"),
        Case("empty parquet", text(b"", "t.parquet"), source="t.parquet", error="is empty"),
    ],
    "packed files": [
        csv("gzip", gzip.compress(TABLE, mtime=0), error="is gzip-compressed"),
        csv("zip", zipped(TABLE), error="is a zip archive (or an Excel workbook)"),
        csv("xz", lzma.compress(TABLE), error="is xz-compressed"),
        csv("zstd", b"\x28\xb5\x2f\xfd\x24\x0d", error="is zstd-compressed"),
        csv("zlib", zlib.compress(TABLE), error="is not UTF-8"),
        csv("Parquet", b"PAR1\x15\x04\x15", error="is a Parquet file, not UTF-8 text"),
        csv("SQLite", b"SQLite format 3\0", error="is an SQLite database"),
        lines("gzip of json", gzip.compress(b'{"id": "a"}', mtime=0), error="is gzip-compressed"),
        Case("gzip named parquet", text(gzip.compress(TABLE, mtime=0), "t.parquet"),
             source="t.parquet", error="is not a Parquet file, whatever its name says"),
        Case("gzip that says so", text(gzip.compress(TABLE, mtime=0), "t.csv.gz"),
             source="t.csv.gz", error="cannot be read. A source is a file or a glob whose name"),
    ],
    "cells of 10 MB": [
        csv("plain", lambda: f"id,x\na,{'y' * 10_000_000}\n", cells=TEXTS,
            rows=lambda: [("a", "y" * 10_000_000)]),
        csv("quoted", lambda: f'id,x\na,"{"y," * 5_000_000}"\n', cells=TEXTS,
            rows=lambda: [("a", "y," * 5_000_000)]),
        csv("beside an inch mark", lambda: f'id,x\n27" tv,{"y" * 10_000_000}\n', cells=TEXTS,
            rows=lambda: [('27" tv', "y" * 10_000_000)]),
        csv("an id", lambda: f"id,x\n{'é' * 5_000_000},1\n", rows=lambda: [("é" * 5_000_000, 1.0)]),
        csv("too long", lambda: f"id,x\na,{'y' * 17_000_000}\n", cells=TEXTS,
            error="a row is longer than 16,777,216 bytes, which is the most that is read"),
        csv("too long and odd", lambda: f'id,x\n27" tv,{"y" * 17_000_000}\n', cells=TEXTS,
            error="a row is longer than 16,777,216 bytes"),
        csv("a quote that opens all", lambda: 'id,x\n"a,1\n' + "b,2\n" * 4_500_000,
            error="look for a quote that is never closed"),
        csv("a header", lambda: "x" * 2_000_000 + "\na\n",
            error="the header is longer than 1,048,576"),
        lines("json", lambda: f'{{"id": "a", "x": "{"y" * 10_000_000}"}}', cells=TEXTS,
              rows=lambda: [("a", "y" * 10_000_000)]),
        lines("too long in json", lambda: f'{{"id": "a", "x": "{"y" * 17_000_000}"}}', cells=TEXTS,
              error="line 1: is longer than 16,777,216 bytes, which is the most that is read"),
    ],
    "10,000 columns": [
        csv(name, lambda names=names: f"id,x,{','.join(names)}\na,1{',9' * len(names)}\n", **told)
        for name, names, told in [
            ("numbered", [f"c{n}" for n in range(10_000)], {"rows": ONE}),
            ("without names", [""] * 10_000, {"rows": ONE}),
            ("of one name", ["c"] * 10_000, {"error": "several columns have the same name: `c`"}),
            ("of 5,000 names", [f"c{n // 2}" for n in range(10_000)], {"error": "same name: `c0`"}),
            ("of Unicode", [f"列{n}" for n in range(10_000)], {"rows": ONE}),
            ("that lack the one", [f"y{n}" for n in range(10_000)],
             {"cells": {"id": Cell.ID, "z": Cell.TEXT}, "error": "and 9,902 more."}),
        ]
    ] + [
        csv("one row is short", lambda: f"id,x{''.join(f',c{n}' for n in range(10_000))}\n"
            f"a,1{',9' * 10_000}\nb,2{',9' * 9_999}\n", rows=ONE, aside=1, found=RAGGED),
        csv("one row has them", lambda: f"id,x\na,1\nb{',2' * 10_000}\n",
            rows=ONE, aside=1, found=RAGGED),
        lines("json", lambda: '{"id": "a", "x": 1, '
              + ", ".join(f'"c{n}": 9' for n in range(10_000)) + "}", rows=ONE),
        lines("a new key in every line", lambda: "".join(
            f'{{"id": "u{n}", "x": {n}, "c{n}": 1}}\n' for n in range(1_000)),
            rows=[(f"u{n}", float(n)) for n in range(1_000)]),
    ],
    "formula cells": [
        csv(name, f'id,x\n"{cell}",{cell}\n' if "," not in cell else f'id,x\n"{cell}","{cell}"\n',
            cells=TEXTS, rows=[(cell, cell)])
        for name, cell in [
            ("equals", "=cmd()"), ("plus", "+1+1"), ("minus", "-1+1"), ("at", "@SUM(A1)"),
            ("tab", "=\t1"), ("command", "=cmd|' /C calc'!A0"), ("link", "=HYPERLINK(1,2)"),
            ("markup", "[bold red]x[/]"), ("escape", "\x1b[31mred"), ("html", "<script>x</script>"),
        ]
    ],
}  # fmt: skip
