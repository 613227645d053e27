"""Rows that contradict each other or name what nobody knows: kept, or set aside and counted."""

from __future__ import annotations

import polars as pl
from hostile_case import NUMBERS, VISITS, Case, csv, lines, micro

DAYS = [f"2024-01-{day:02}" for day in range(1, 31)]


def users(name: str, content: str, rows: list[tuple], **expected: object) -> Case:
    return csv(name, f"id,x\n{content}", rows=rows, cells=NUMBERS, **expected)


def visits(name: str, extra: list[tuple[str, str, str]], **expected: object) -> Case:
    """Thirty visits of known users on thirty days, and some more."""
    good = [(f"u{n % 3}", day, "1") for n, day in enumerate(DAYS)]
    content = "".join(",".join(row) + "\n" for row in [*good, *extra])
    read = [
        (user or None, _moment(day), None if paid in ("", "x") else float(paid))
        for user, day, paid in [*good, *extra]
    ]
    return csv(name, f"user,at,paid\n{content}", rows=read, cells=VISITS, table="visit", **expected)


def _moment(day: str) -> int | None:
    known = pl.Series([day]).str.to_date("%Y-%m-%d", strict=False)[0]
    return None if known is None else micro(known.year, known.month, known.day, 0, 0, 0)


KINDS: dict[str, list[Case]] = {
    "duplicate and conflicting keys": [
        users("the same row twice", "a,1\na,1\n", [("a", 1.0), ("a", 1.0)]),
        users("another value", "a,1\na,2\n", [("a", 1.0), ("a", 2.0)]),
        users("null first", "a,\na,2\n", [("a", None), ("a", 2.0)]),
        users("a thousand times", "a,1\n" * 1_000, [("a", 1.0)] * 1_000),
        users("equal after trimming", "a,1\n a,2\n", [("a", 1.0), ("a", 2.0)],
              found=("id_respelled",)),
        users("equal after NFC", "\u00e9,1\ne\u0301,2\n", [("é", 1.0), ("é", 2.0)],
              found=("id_respelled",)),
        users("differs by case", "a,1\nA,2\n", [("a", 1.0), ("A", 2.0)]),
        users("without a key", "a,1\n,2\n,3\n", [("a", 1.0), (None, 2.0), (None, 3.0)]),
        csv("no key anywhere", 'id,x\n,1\n"",2\n', rows=[(None, 1.0), (None, 2.0)],
            unusable="all 2 rows were set aside (no_key)"),
        lines("numbers and text", '{"id": 1, "x": 1}\n{"id": "1", "x": 2}',
              rows=[("1", 1.0), ("1", 2.0)]),
    ],
    "unknown ids": [
        visits("an unknown user", [("ghost", "2024-01-05", "1")], used=31),
        visits("many unknown users", [(f"g{n}", "2024-01-05", "1") for n in range(50)], used=80),
        visits("nobody", [("", "2024-01-05", "1")], used=30),
        visits("another case", [("U1", "2024-01-05", "1")], used=31),
        visits("no time", [("u1", "", "1")], used=30),
        visits("a time that is none", [("u1", "soon", "1")], used=30, found=("not_a_time",)),
        visits("a time in another age", [("u1", "1900-01-01", "1")], used=30),
        visits("a time to come", [("u1", "2150-01-01", "1")], used=30),
        visits("no amount", [("u1", "2024-01-05", "")], used=31),
        visits("an amount that is none", [("u1", "2024-01-05", "x")], used=31,
               found=("not_a_number",)),
    ],
}  # fmt: skip
