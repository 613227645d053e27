"""Times as people and machines write them: ISO 8601 or numbers of one unit, or else refused."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from hostile_case import DAY, TIMES, Case, column, columns, csv, lines, micro

NOT_A_TIME = ("not_a_time",)
NOON = micro(2024, 5, 1, 12, 0, 0)
MIDNIGHT = micro(2024, 5, 1, 0, 0, 0)
BERLIN = "Europe/Berlin"


def times(
    name: str, values: list[str], read: list[int | None], *codes: str, **more: object
) -> Case:
    return column(name, values, read, cells=TIMES, found=codes, **more)


def refused(name: str, *values: str, told: str = "Not one of its values") -> Case:
    return csv(name, "id,x\n" + "".join(f'u{n},"{v}"\n' for n, v in enumerate(values)),
               cells=TIMES, error=told)  # fmt: skip


KINDS: dict[str, list[Case]] = {
    "dates in twelve formats": [
        times("days", ["2024-05-01"], [MIDNIGHT]),
        times("a T and a Z", ["2024-05-01T12:00:00Z", "2024-05-01t12:00Z"], [NOON, NOON]),
        times("a blank and a fraction", ["2024-05-01 12:00:00.000001", '"2024-05-01 12:00:00,5"'],
              [NOON + 1, NOON + 500_000]),
        times("nanoseconds are cut off", ["2024-05-01 12:00:00.123456789"], [NOON + 123_456]),
        refused("slashes", "01/05/2024", "5/1/2024", told="so either may be the month"),
        refused("dots", "01.05.2024", "1.5.24", told="so either may be the month"),
        refused("month names", "1 May 2024", "May 1, 2024", "Wed, 01 May 2024 12:00:00 GMT"),
        refused("years, weeks, halves", "2024", "2024-05", "2024-W18-3",),
        times("some", ["2024-05-01", "01/05/2024", "20240501T120000"], [MIDNIGHT, None, None],
              *NOT_A_TIME),
        times("days that are none", ["2024-05-01", "2024-02-30", "2024-13-01", "2023-02-29"],
              [MIDNIGHT, None, None, None], *NOT_A_TIME),
    ],
    "epochs": [
        times("seconds", ["1714564800"], [NOON]),
        times("milliseconds", ["1714564800000"], [NOON]),
        times("microseconds", ["1714564800000001"], [NOON + 1]),
        times("nanoseconds", ["1714564800000001999"], [NOON + 1]),
        times("fractions", ["1714564800.25"], [NOON + 250_000]),
        refused("two units", "1714564800", "1714564800000", told="should hold times in one unit"),
        refused("no unit", "45413", "45414", told="lies between 1980 and 2100"),
        refused("a compact date", "20240501", told="lies between 1980 and 2100"),
        times("zero and less", ["1714564800", "0", "-1"], [NOON, 0, -1_000_000]),
        lines("json", '{"id": "a", "x": 1714564800}\n{"id": "b", "x": 1714564800.5}', cells=TIMES,
              rows=[("a", NOON), ("b", NOON + 500_000)]),
    ],
    "zones": [
        times("east", ["2024-05-01T14:00:00+02:00", "2024-05-01T14:00+0200"], [NOON, NOON]),
        times("west", ["2024-05-01T05:00:00-07:00", "2024-05-01 05:00:00-07"], [NOON, NOON]),
        times("half an hour", ["2024-05-01T17:30:00+05:30"], [NOON]),
        times("UTC by name", ["2024-05-01 12:00:00 UTC", "2024-05-01T12:00:00Z"], [NOON, NOON]),
        times("naive and zoned", ["2024-05-01 12:00:00", "2024-05-01 14:00:00+02:00"],
              [NOON, NOON]),
        times("naive means the declared zone", ["2024-05-01 14:00:00", "2024-05-01 12:00:00Z"],
              [NOON, NOON], zone=BERLIN),
        times("names of zones", ["2024-05-01 12:00:00 CEST", "2024-05-01 12:00:00"], [None, NOON],
              *NOT_A_TIME),
        times("offsets that are none", ["2024-05-01T12:00+24:00", "2024-05-01T12:00+01:60",
              "2024-05-01T12:00Z"], [None, None, NOON], *NOT_A_TIME),
        columns("stored with a zone",
                {"id": ["a"], "x": pa.array([NOON], pa.timestamp("us", BERLIN))}, cells=TIMES,
                rows=[("a", NOON)], zone=BERLIN),
        columns("stored without", {"id": ["a"], "x": pa.array([NOON], pa.timestamp("us"))},
                cells=TIMES, rows=[("a", NOON - 7_200_000_000)], zone=BERLIN),
    ],
    "clocks put forward and back": [
        times("skipped in Berlin", ["2024-03-31 02:30:00", "2024-03-31 12:00:00"],
              [micro(2024, 3, 31, 1, 30, 0), micro(2024, 3, 31, 10, 0, 0)], "never_shown",
              zone=BERLIN),
        times("twice in Berlin", ["2024-10-27 02:30:00"], [micro(2024, 10, 27, 0, 30, 0)],
              "shown_twice", zone=BERLIN),
        times("both", ["2024-03-31 02:00:00", "2024-10-27 02:59:59"],
              [micro(2024, 3, 31, 1, 0, 0), micro(2024, 10, 27, 0, 59, 59)], "never_shown",
              "shown_twice", zone=BERLIN),
        times("the last before, the first after", ["2024-03-31 01:59:59", "2024-03-31 03:00:00"],
              [micro(2024, 3, 31, 0, 59, 59), micro(2024, 3, 31, 1, 0, 0)], zone=BERLIN),
        times("with a zone nothing is odd", ["2024-10-27T02:30:00+01:00"],
              [micro(2024, 10, 27, 1, 30, 0)], zone=BERLIN),
        times("New York", ["2024-03-10 02:30:00"], [micro(2024, 3, 10, 7, 30, 0)], "never_shown",
              zone="America/New_York"),
        times("half an hour on Lord Howe", ["2024-10-06 02:15:00"],
              [micro(2024, 10, 5, 15, 45, 0)], "never_shown", zone="Australia/Lord_Howe"),
        times("a day that Samoa skipped", ["2011-12-30 12:00:00"], [micro(2011, 12, 30, 22, 0, 0)],
              "never_shown", zone="Pacific/Apia"),
        times("no changes in UTC", ["2024-03-31 02:30:00"], [micro(2024, 3, 31, 2, 30, 0)]),
        times("no changes in Shanghai", ["2024-03-31 02:30:00"], [micro(2024, 3, 30, 18, 30, 0)],
              zone="Asia/Shanghai"),
    ],
    "far years": [
        times("0000", ["0000-01-01", "2024-05-01"], [None, MIDNIGHT], *NOT_A_TIME),
        times("0001", ["0001-01-01", "2024-05-01"], [-62_135_596_800_000_000, MIDNIGHT]),
        times("9999", ["9999-12-31T23:59:59.999999Z"], [253_402_300_799_999_999]),
        times("five digits and a sign", ["+12024-05-01", "12024-05-01", "2024-05-01"],
              [None, None, MIDNIGHT], *NOT_A_TIME),
        times("1900 and 1970", ["1900-01-01", "1970-01-01"], [-25_567 * DAY, 0]),
        times("before and after noon of Excel", ["1899-12-30", "1904-01-01"],
              [-25_569 * DAY, -24_107 * DAY]),
        times("numbers too far", ["1714564800", "9223372036854775807"], [NOON, None],
              "time_too_far"),
        columns("stored too far", {"id": ["a", "b"], "x": pa.array([2**62, 0], pa.timestamp("ms"))},
                cells=TIMES, rows=[("a", None), ("b", 0)], found=("time_too_far",)),
        columns("dates", {"id": ["a", "b"], "x": [date(1, 1, 1), date(9999, 12, 31)]}, cells=TIMES,
                rows=[("a", -719_162 * DAY), ("b", 2_932_896 * DAY)]),
        columns("nanoseconds before 1970", {"id": ["a"], "x": pa.array([-1], pa.timestamp("ns"))},
                cells=TIMES, rows=[("a", -1)]),
    ],
}  # fmt: skip
