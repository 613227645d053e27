"""Text in many encodings, most of them not UTF-8: only UTF-8 is read, nothing is guessed."""

from __future__ import annotations

from pathlib import Path

from hostile_case import TEXTS, Case, Write, csv, lines, text

MARK = b"\xef\xbb\xbf"
ROWS = [("é1", 1.0), ("商", 2.5)]
PLAIN = "id,x\né1,1\n商,2.5\n"
JSON = '{"id": "é1", "x": 1}\n{"id": "商", "x": 2.5}\n'


def both(*files: tuple[str, bytes]) -> Write:
    """Writes several files."""

    def write(folder: Path) -> None:
        for name, data in files:
            (folder / name).write_bytes(data)

    return write


def encoded(encodings: list[str], content: str, error: str) -> list[Case]:
    """The same text in encodings that are refused, as CSV and as JSON lines."""
    data = f"id,x\n{content},1\n"
    row = f'{{"id": "{content}", "x": 1}}\n'
    return [csv(f"{code} csv", data, encoding=code, error=error) for code in encodings] + [
        Case(f"{code} lines", text(row, "t.jsonl", code), source="t.jsonl", error=error)
        for code in encodings
    ]


def spoilt(bad: bytes, told: str, name: str) -> list[Case]:
    """Bytes that are no character: in a cell, in the header, in JSON."""
    return [
        csv(f"{name} in a cell", b"id,x\na,1\nb" + bad + b",2\n", error=told),
        lines(f"{name} in json", b'{"id": "a' + bad + b'", "x": 1}\n', error=told),
    ]


NOT_UTF8 = "is not UTF-8 (found 0x"

KINDS: dict[str, list[Case]] = {
    "byte order marks": [
        csv("csv", MARK + PLAIN.encode(), rows=ROWS),
        csv("quoted header", MARK + b'"id","x"\n"a","1"\n', rows=[("a", 1.0)]),
        csv("carriage returns", MARK + b"id,x\r\na,1\r\n", rows=[("a", 1.0)]),
        csv("semicolons", MARK + b"id;x\na;1\n", rows=[("a", 1.0)]),
        csv("mark alone", MARK, error="is empty: it has no bytes at all"),
        csv("mark and blank line", MARK + b"\nid,x\na,1\n", error="the first line is blank"),
        csv("mark twice", MARK * 2 + b"id,x\na,1\n", error="there is no column `id`"),
        csv("mark in a cell", b"id,x\n\xef\xbb\xbfa,1\n", rows=[("\ufeffa", 1.0)]),
        lines("json", MARK + JSON.encode(), rows=ROWS),
        Case(
            "a glob in which one file has a mark",
            both(("a.csv", MARK + b"id,x\na,1\n"), ("b.csv", b"id,x\nb,2\n")),
            source="*.csv",
            rows=[("a", 1.0), ("b", 2.0)],
        ),
    ],
    "UTF-16 and UTF-32": [
        *encoded(["utf-16", "utf-32"], "é", "text, not UTF-8 text. Convert it first: iconv -f UTF"),
        csv("big endian with mark", b"\xfe\xff" + PLAIN.encode("utf-16-be"), error="is UTF-16"),
        csv("four bytes, big", b"\0\0\xfe\xff" + PLAIN.encode("utf-32-be"), error="is UTF-32"),
        csv("little endian without mark", PLAIN.encode("utf-16-le"), error="NUL"),
        csv("big endian without mark", PLAIN.encode("utf-16-be"), error="NUL"),
        csv("four bytes without mark", PLAIN.encode("utf-32-le"), error="NUL"),
        lines("json without mark", JSON.encode("utf-16-le"), error="NUL"),
    ],
    "latin-1 and cp1252": [
        *encoded(["latin-1", "cp1252", "cp437"], "Müller", NOT_UTF8),
        csv("euro", "id,x\na€,1\n".encode("cp1252"), error="(found 0x80). Convert it from"),
        csv("header", "idé,x\na,1\n".encode("latin-1"), error="is not UTF-8"),
        csv("only ascii in it", "id,x\na,1\n".encode("latin-1"), rows=[("a", 1.0)]),
        csv("late in the file", b"id,x\n" + b"a,1\n" * 50_000 + b"\xe9,2\n",
            error="line 50002, byte 200005: is not UTF-8 (found 0xe9)"),
    ],
    "GBK and its kin": [
        *encoded(["gbk", "big5", "shift_jis", "euc_kr"], "中日", NOT_UTF8),
        csv("mixed with UTF-8", "id,x\n商,1\n".encode() + "商,2\n".encode("gbk"),
            error="line 3, byte 11: is not UTF-8"),
        csv("a second byte that is a quote in no encoding", "id,x\n表,1\n".encode("shift_jis"),
            error=NOT_UTF8),
    ],
    "bytes that are no character": [
        *spoilt(b"\xff", NOT_UTF8, "no first byte"),
        *spoilt(b"\xc3", NOT_UTF8, "cut off"),
        *spoilt(b"\xc0\xaf", NOT_UTF8, "overlong"),
        *spoilt(b"\xf5\x80\x80\x80", NOT_UTF8, "beyond Unicode"),
        csv("cut off at the end", b"id,x\na,1\nb\xe5\x95", error="byte 10: is not UTF-8"),
        csv("header", b"id,x\xff\na,1\n", error="is not UTF-8"),
    ],
    "lone surrogates": [
        *spoilt(b"\xed\xa0\x80", NOT_UTF8, "high"),
        *spoilt(b"\xed\xbf\xbf", NOT_UTF8, "low"),
        lines("escaped high", '{"id": "\\ud800", "x": 1}', error="holds half a character"),
        lines("escaped low", '{"id": "\\udfff", "x": 1}', error="holds half a character"),
        lines("wrong order", '{"id": "\\ude00\\ud83d", "x": 1}', error="holds half a character"),
        lines("in a key", '{"id": "a", "x": 1, "\\ud800": 2}', error="key '\\ud800' holds half"),
        lines("a pair", '{"id": "\\ud83d\\ude00", "x": 1}', rows=[("😀", 1.0)]),
        csv("spelled out", "id,x\n\\ud800,1\n", rows=[("\\ud800", 1.0)]),
    ],
    "NUL bytes": [
        csv("in an id", b"id,x\na\0b,1\n", error="line 2, byte 6: holds a NUL character"),
        csv("in a number", b"id,x\na,1\0\n", error="holds a NUL character"),
        csv("in the header", b"i\0d,x\na,1\n", error="NUL character"),
        csv("in a quoted cell", b'id,x\n"a\0",1\n', error="holds a NUL character"),
        csv("for blanks at the end", b"id,x\na,1\n" + b"\0" * 512, error="holds a NUL character"),
        csv("nothing else", b"\0" * 64, error="NUL"),
        lines("in json", b'{"id": "a\0b", "x": 1}', error="holds a NUL character"),
        lines("at the end of json", b'{"id": "a", "x": 1}\n\0\0', error="holds a NUL character"),
        lines("escaped in json", '{"id": "a\\u0000b", "x": 1}', rows=[("a\0b", 1.0)]),
        csv("as text", "id,x\na,\\0\n", cells=TEXTS, rows=[("a", "\\0")]),
    ],
}  # fmt: skip
