"""Cells that are almost ids, numbers or flags: read exactly, made null and told, or refused."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
from hostile_case import FLAGS, TEXTS, Case, column, columns, csv, lines

from jointrec.sources import Cell

IDS = {"id": Cell.ID, "x": Cell.ID}
NOT_A_NUMBER = ("not_a_number",)
NOT_FINITE = ("not_finite",)
RESPELLED = ("id_respelled",)
NULLED = ("null_mark",)
NO_IDS = "should hold ids, but it holds"
LONG = "é" * 2_000


def ids(name: str, *values: str, read: list[str | None] | None = None, **expected: object) -> Case:
    """A CSV file of ids."""
    rows = [(value, None) for value in (read or values)]
    return csv(name, "id,x\n" + "".join(f'"{v}",\n' for v in values), rows=rows, **expected)


def numbers(name: str, values: list[str], read: list[float | None], *codes: str) -> Case:
    return column(name, values, read, found=codes)


def refused(name: str, values: list[str], told: str = "Not one of its values") -> Case:
    return csv(name, "id,x\n" + "".join(f'u{n},"{v}"\n' for n, v in enumerate(values)), error=told)


KINDS: dict[str, list[Case]] = {
    "huge integers": [
        ids("beyond 2^53", "9007199254740992", "9007199254740993"),
        ids("beyond 2^63", "9223372036854775807", "9223372036854775808"),
        ids("20 digits", "12345678901234567890", "12345678901234567891"),
        ids("40 digits", "1" * 40, "1" * 39 + "2"),
        numbers("as numbers", ["9007199254740993", "12345678901234567890"],
                [9007199254740992.0, 12345678901234567890.0]),
        lines("json", '{"id": 9007199254740993, "x": 1}\n{"id": 12345678901234567890, "x": 2}',
              rows=[("9007199254740993", 1.0), ("12345678901234567890", 2.0)]),
        lines("5,000 digits in json", '{"id": %s, "x": 1}' % ("1" * 5_000),
              error="line 1: is not a JSON object: exceeds the limit"),
        columns("int64", {"id": [2**63 - 1, -(2**63)], "x": [1, 2]},
                rows=[("9223372036854775807", 1.0), ("-9223372036854775808", 2.0)]),
        columns("uint64", {"id": pa.array([2**64 - 1, 2**64 - 2], pa.uint64()), "x": [1, 2]},
                rows=[("18446744073709551615", 1.0), ("18446744073709551614", 2.0)]),
        columns("floats that lost digits", {"id": [1.0, 2.0**53 + 2], "x": [1, 2]},
                error=f"{NO_IDS} decimal numbers (such as `9007199254740994.0`)"),
    ],
    "007 and 7": [
        ids("csv", "007", "7", "07"),
        ids("beside text", "007", "7", "a"),
        ids("a plus and zeros", "+7", "7", "7.0", "7e0"),
        ids("blanks", " 007", "7 ", read=["007", "7"], found=RESPELLED),
        lines("json", '{"id": "007", "x": 1}\n{"id": "7", "x": 2}',
              rows=[("007", 1.0), ("7", 2.0)]),
        lines("text and number", '{"id": "007", "x": 1}\n{"id": 7, "x": 2}',
              rows=[("007", 1.0), ("7", 2.0)]),
        lines("a number with zeros", '{"id": 007, "x": 1}', error="is not a JSON object"),
        columns("text", {"id": ["007", "7"], "x": [1, 2]}, rows=[("007", 1.0), ("7", 2.0)]),
        columns("floats", {"id": [7.0, None], "x": [1, 2]}, rows=[("7", 1.0), (None, 2.0)]),
        column("as numbers they are one", ["007", "7"], [7.0, 7.0]),
    ],
    "odd ids": [
        ids("blanks around", " a", "b\u3000", read=["a", "b"], found=RESPELLED),
        ids("blanks inside", "a b", "a  b", "a\tb"),
        ids("nothing but blanks", "a", "  ", read=["a", None], found=RESPELLED),
        ids("emoji", "👩‍👩‍👧", "👩", "🇳🇱"),
        ids("right to left", "\u202eabc", "שלום", "abc"),
        ids("4 kB", LONG + "a", LONG + "b"),
        ids("two spellings of one letter", "caf\u00e9", "e\u0301", read=["café", "é"],
            found=RESPELLED),
        ids("look-alikes", "a", "а", "ａ"),
        ids("no width", "a", "a\u200b", "a\ufe0f"),
        ids("paths and code", "../../etc/passwd", "'; DROP TABLE users; --", "${HOME}", "%s%n"),
    ],
    "infinity and NaN": [
        numbers("words", ["1", "inf", "-inf", "nan"], [1.0, None, None, None], *NOT_FINITE),
        numbers("other cases", ["1", "INF", "Infinity", "NaN"], [1.0, None, None, None],
                *NOT_FINITE),
        numbers("signs", ["1", "+inf", "-Infinity", "+nan"], [1.0, None, None, None], *NOT_FINITE),
        numbers("spelled by Excel", ["1", "#NUM!", "#DIV/0!"], [1.0, None, None], *NOT_A_NUMBER),
        numbers("spelled by C", ["1", "1.#INF", "-1.#IND"], [1.0, None, None], *NOT_A_NUMBER),
        numbers("nothing else", ["inf", "nan"], [None, None], *NOT_FINITE),
        numbers("the sign itself", ["1", "∞"], [1.0, None], *NOT_A_NUMBER),
        lines("json", '{"id": "a", "x": NaN}\n{"id": "b", "x": -Infinity}\n{"id": "c", "x": 1}',
              rows=[("a", None), ("b", None), ("c", 1.0)], found=NOT_FINITE),
        columns("parquet", {"id": ["a", "b", "c"], "x": [float("inf"), float("nan"), 1.0]},
                rows=[("a", None), ("b", None), ("c", 1.0)], found=NOT_FINITE),
        columns("as ids", {"id": [float("nan"), float("inf")], "x": [1, 2]}, error=NO_IDS),
    ],
    "extreme numbers": [
        numbers("1e999", ["1", "1e999", "-1e999"], [1.0, None, None], *NOT_FINITE),
        numbers("1e400 and 1e308", ["1e400", "1e308"], [None, 1e308], *NOT_FINITE),
        numbers("-0.0", ["-0.0", "-0", "0"], [-0.0, -0.0, 0.0]),
        numbers("denormals", ["5e-324", "2.2250738585072011e-308"],
                [5e-324, 2.225073858507201e-308]),
        numbers("too small", ["1e-400", "-1e-400"], [0.0, -0.0]),
        numbers("the largest", ["1.7976931348623157e308"], [1.7976931348623157e308]),
        numbers("many digits", ["0." + "1" * 400, "9" * 400], [1 / 9, None], *NOT_FINITE),
        numbers("huge exponents", ["1e99999999999", "0e99999999999"], [None, 0.0], *NOT_FINITE),
        lines("json", '{"id": "a", "x": 1e999}\n{"id": "b", "x": -0.0}\n{"id": "c", "x": 5e-324}',
              rows=[("a", None), ("b", -0.0), ("c", 5e-324)], found=NOT_FINITE),
        columns("decimals",
                {"id": ["a", "b"], "x": [Decimal("0.1"), Decimal("12345678901234567.1")]},
                rows=[("a", 0.1), ("b", 12345678901234567.1)]),
    ],
    "decimal commas": [
        csv("semicolons between", "id;x\na;1,5\nb;2,5\n", error="Not one of its values"),
        csv("quoted", 'id,x\na,"1,5"\nb,2.5\n', rows=[("a", None), ("b", 2.5)], found=NOT_A_NUMBER),
        csv("not quoted", "id,x\na,1,5\nb,2\n", rows=[("b", 2.0)], aside=1, found=("ragged_row",)),
        csv("tabs between", "id\tx\na\t1,5\nb\t2\n", rows=[("a", None), ("b", 2.0)],
            found=NOT_A_NUMBER),
        refused("thousands", ["1,000", "2,000"]),
        refused("thousands and decimals", ["1,000.50", "2.000,50"]),
        refused("blanks for thousands", ["1 000", "2\u00a0000", "3\u202f000"]),
        refused("apostrophes", ["1'000", "2’000"]),
        numbers("underscores", ["1_000", "1"], [None, 1.0], *NOT_A_NUMBER),
        numbers("Arabic and full-width digits", ["١٫٥", "１", "1"], [None, None, 1.0],
                *NOT_A_NUMBER),
    ],
    "currency signs": [
        refused("euro before", ["€1", "€2.50"]),
        refused("euro behind", ["1 €", "2.50€"]),
        refused("dollar", ["$1", "US$2"]),
        refused("codes", ["1 EUR", "USD 2"]),
        refused("pound and yen", ["£1", "¥2", "￥3"]),
        refused("accountants' minus", ["(1.00)", "(2.00)"]),
        refused("minus behind", ["1-", "2-"]),
        refused("per cent", ["10%", "20 %"]),
        numbers("some", ["€1", "2"], [None, 2.0], *NOT_A_NUMBER),
        numbers("a minus that is a dash", ["−1", "–2", "-3"], [None, None, -3.0], *NOT_A_NUMBER),
    ],
    "booleans": [
        column(name, values, read, cells=FLAGS, found=codes)
        for name, values, read, codes in [
            ("cases", ["TRUE", "False", "true"], [1.0, 0.0, 1.0], ()),
            ("words", ["yes", "No", "Y", "n"], [1.0, 0.0, 1.0, 0.0], ()),
            ("letters", ["t", "F"], [1.0, 0.0], ()),
            ("digits", ["1", "0", "1.0", "0.0"], [1.0, 0.0, 1.0, 0.0], ()),
            ("blanks", [" true ", "0 "], [1.0, 0.0], ()),
            ("mixed", ["TRUE", "0", "yes", ""], [1.0, 0.0, 1.0, None], ()),
            ("others", ["1", "ja", "on"], [1.0, None, None], ("not_a_flag",)),
            ("nulls", ["1", "NULL", "\\N"], [1.0, None, None], NULLED),
        ]
    ] + [
        csv("a two", "id,x\na,1\nb,2\n", cells=FLAGS, error="Write 1 for yes, 0 for no"),
        columns("stored", {"id": ["a", "b", "c"], "x": [True, False, None]}, cells=FLAGS,
                rows=[("a", 1.0), ("b", 0.0), ("c", None)]),
    ],
    "words for nothing": [
        column("NULL in numbers", ["1", "NULL", "null"], [1.0, None, None], found=NULLED),
        column("NA in numbers", ["1", "NA", "N/A"], [1.0, None, None], found=NULLED),
        column("None in numbers", ["1", "None", ""], [1.0, None, None], found=NULLED),
        column("\\N in numbers", ["1", "\\N"], [1.0, None], found=NULLED),
        column("\\N in texts", ["a", "\\N"], ["a", None], cells=TEXTS, found=NULLED),
        column("NULL in texts", ["a", "NULL"], ["a", "NULL"], cells=TEXTS, found=("null_word",)),
        column("NA is Namibia", ["NA", "FR"], ["NA", "FR"], cells=IDS, found=("null_word",)),
        csv("in keys", "id,x\nNULL,1\n\\N,2\n,3\nb,4\n", found=("null_mark", "null_word"),
            rows=[("NULL", 1.0), (None, 2.0), (None, 3.0), ("b", 4.0)]),
        csv("quoted nothing", 'id,x\n"",1\nb,""\n', rows=[(None, 1.0), ("b", None)]),
        lines("null in json", '{"id": "a", "x": null}\n{"id": null, "x": 1}\n{"x": "NULL"}',
              rows=[("a", None), (None, 1.0), (None, None)], found=NULLED),
    ],
}  # fmt: skip
