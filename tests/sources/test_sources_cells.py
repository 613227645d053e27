"""Each kind of cell is exact, or refused, or null with a finding."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec import sources
from jointrec.errors import SourceError
from jointrec.sources import Cell, Finding


def read(values: Any, cell: Cell, kind: pa.DataType | None = None) -> sources.Read:
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
    return sources.read(pa.table({"c": column}), columns={"c": cell}, at="event.view")


def got(values: Any, cell: Cell, kind: pa.DataType | None = None) -> list[Any]:
    return read(values, cell, kind).table["c"].to_pylist()


def findings(values: Any, cell: Cell, kind: pa.DataType | None = None) -> list[tuple[str, int]]:
    return [(found.code, found.count) for found in read(values, cell, kind).findings]


def refused(values: Any, cell: Cell, kind: pa.DataType | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        read(values, cell, kind)
    return str(caught.value)


# --- ids and text --------------------------------------------------------------------------------


def test_ids_keep_their_zeros_and_all_their_digits() -> None:
    assert got(["007", "7", "12345678901234567890", ""], Cell.ID) == [
        "007", "7", "12345678901234567890", None,
    ]  # fmt: skip
    assert got([7, -1, 2**63 - 1, None], Cell.ID) == ["7", "-1", "9223372036854775807", None]
    assert got([2**64 - 1], Cell.ID, pa.uint64()) == ["18446744073709551615"]
    assert got([Decimal("7.00"), None], Cell.ID) == ["7", None]
    assert got([True], Cell.ID) == ["true"]
    assert got([b"007"], Cell.ID) == ["007"]
    assert got(pa.array(["a", None, "a"]).dictionary_encode(), Cell.ID) == ["a", None, "a"]
    assert got(pa.array(["a"], pa.string_view()), Cell.ID) == ["a"]
    assert got([None], Cell.ID) == [None]


def test_whole_decimal_numbers_are_ids_and_others_are_refused() -> None:
    assert got([7.0, None, math.nan, 2.0**53], Cell.ID) == ["7", None, None, "9007199254740992"]
    for wrong in (7.5, 2.0**53 + 2, 1e20, math.inf):
        told = refused([7.0, wrong], Cell.ID)
        assert "column `c` of the table in memory should hold ids, but it holds decimal" in told
        assert f"`{wrong}`" in told
        assert "Store ids as text or whole numbers." in told
    assert "should hold ids, but it holds exact decimals" in refused([Decimal("7.5")], Cell.ID)


def test_ids_are_trimmed_and_normalised_and_that_is_told() -> None:
    result = read([" a\u3000", "e\u0301", "b", "  ", None], Cell.ID)
    assert result.table["c"].to_pylist() == ["a", "é", "b", None, None]
    (found,) = result.findings
    assert (found.code, found.count, found.action) == ("id_respelled", 3, "respelled")


@given(values=st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=6))
def test_reading_ids_again_changes_nothing(values: list[str | None]) -> None:
    once = got(values, Cell.ID, pa.string())
    assert got(once, Cell.ID, pa.string()) == once
    # A word such as `None` stays what it is, and is told each time.
    assert [code for code, _ in findings(once, Cell.ID, pa.string()) if code != "null_word"] == []


def test_text_stays_as_it_is() -> None:
    assert got([" a ", "e\u0301", ""], Cell.TEXT) == [" a ", "e\u0301", None]
    assert got([1.5, 7.0], Cell.TEXT) == ["1.5", "7"]
    assert got([False], Cell.TEXT) == ["false"]
    assert got([date(2024, 5, 1)], Cell.TEXT) == ["2024-05-01"]


def test_what_is_no_text_is_refused() -> None:
    assert "should hold text, but it holds bytes" in refused([b"\xff"], Cell.TEXT)
    assert "should hold one value per row, but it holds lists" in refused([["a"]], Cell.ID)
    assert "should hold one value per row" in refused([{"a": 1}], Cell.TEXT)


def test_lists_are_cleaned_of_blanks_and_nothing() -> None:
    assert got([[" a", "", None, "b"], [], None], Cell.LIST) == [["a", "b"], [], None]
    assert got(["a| b ||a", "", None, "|"], Cell.LIST) == [["a", "b", "a"], None, None, []]
    assert got([[7, 8]], Cell.LIST) == [["7", "8"]]
    assert got([["a"], ["b"]], Cell.LIST, pa.list_(pa.string(), 1)) == [["a"], ["b"]]
    assert got([None], Cell.LIST) == [None]
    chunks = pa.chunked_array([[["a"]], [None, ["b", "c"]]])
    assert got(chunks, Cell.LIST) == [["a"], None, ["b", "c"]]
    assert got(chunks.slice(1), Cell.LIST) == [None, ["b", "c"]]
    assert "should hold lists, but it holds whole numbers" in refused([1], Cell.LIST)
    assert "should hold one value per row" in refused([[["a"]]], Cell.LIST)


# --- numbers and flags ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1.5", "-2e3", "+.5", "1.", "007", " 3 ", "1E-2"])
def test_numbers_are_read_as_python_reads_them(text: str) -> None:
    assert got([text], Cell.NUMBER) == [float(text)]


@pytest.mark.parametrize("text", ["1,5", "1_000", "€3", "0x10", "1 2", "ten", "e5", "-", "١"])
def test_what_is_no_number_is_null_and_counted(text: str) -> None:
    result = read(["1", text, text, ""], Cell.NUMBER)
    assert result.table["c"].to_pylist() == [1.0, None, None, None]
    assert result.findings == (
        Finding("not_a_number", "event.view", "c", 2, (text,), "made null",
                "values that are not numbers."),
    )  # fmt: skip


@pytest.mark.parametrize("word", ["NULL", "null", "None", "NA", "N/A", "\\N"])
def test_words_for_nothing_are_null_in_numbers_times_and_flags(word: str) -> None:
    told = [("null_mark", 2)]
    assert got(["1", word, word], Cell.NUMBER) == [1.0, None, None]
    assert got(["yes", word, word], Cell.FLAG) == [1.0, None, None]
    assert got(["1714521600", word, word], Cell.TIME) == [1_714_521_600_000_000, None, None]
    assert findings(["1714521600", word, word], Cell.TIME) == told
    assert findings([word, word], Cell.NUMBER) == told


@pytest.mark.parametrize("cell", [Cell.ID, Cell.TEXT])
def test_words_for_nothing_stay_in_ids_and_texts_and_are_told(cell: Cell) -> None:
    assert got(["NA", "x", "nan", "\\N"], cell) == ["NA", "x", "nan", None]
    assert findings(["NA", "x", "nan", "\\N"], cell) == [("null_word", 2), ("null_mark", 1)]
    assert findings(["nAn", "nobody"], cell) == []


def test_numbers_that_are_not_finite_are_null_and_counted() -> None:
    texts = ["1", "1e999", "-inf", "NaN", "Infinity"]
    assert got(texts, Cell.NUMBER) == [1.0, None, None, None, None]
    assert findings(texts, Cell.NUMBER) == [("not_finite", 4)]
    assert got([1.0, math.inf, math.nan], Cell.NUMBER) == [1.0, None, None]
    assert findings([1.0, math.inf, math.nan], Cell.NUMBER) == [("not_finite", 2)]


def test_numbers_of_every_stored_type() -> None:
    assert got([1, None], Cell.NUMBER, pa.int8()) == [1.0, None]
    assert got([2**53 + 1], Cell.NUMBER) == [2.0**53]
    assert got([Decimal("1.25")], Cell.NUMBER) == [1.25]
    assert got([True, False], Cell.NUMBER) == [1.0, 0.0]
    assert got([None], Cell.NUMBER) == [None]
    assert "should hold numbers, but it holds dates" in refused([date(2024, 5, 1)], Cell.NUMBER)


def test_a_column_without_one_number_is_refused() -> None:
    told = refused(["red", "", "blue"], Cell.NUMBER)
    assert "should hold numbers, but it holds text (such as `red`, ``, `blue`)" in told
    assert "Not one of its values can be read as such." in told


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_number_written_as_text_is_the_same_number(values: list[float]) -> None:
    assert got([repr(value) for value in values], Cell.NUMBER) == values


def test_flags_from_everything_that_says_yes_or_no() -> None:
    assert got([True, False, None], Cell.FLAG) == [1.0, 0.0, None]
    assert got([1, 0, None], Cell.FLAG) == [1.0, 0.0, None]
    assert got([1.0, 0.0], Cell.FLAG) == [1.0, 0.0]
    yes, no = ["true", "Yes", "T", "y", "1", "1.0", " TRUE "], ["False", "no", "f", "N", "0"]
    assert got(yes + no + [""], Cell.FLAG) == [1.0] * 7 + [0.0] * 5 + [None]
    assert got(["yes", "maybe"], Cell.FLAG) == [1.0, None]
    assert findings(["yes", "maybe"], Cell.FLAG) == [("not_a_flag", 1)]


@pytest.mark.parametrize("values", [[0, 1, 2], [1.0, -1.0], ["1", "2"], [0.5]])
def test_another_number_is_no_flag(values: list[Any]) -> None:
    told = refused(values, Cell.FLAG)
    assert "should hold yes or no" in told
    assert f"(such as `{values[-1]}`)" in told
    assert "Write 1 for yes, 0 for no and nothing for unknown, or declare an amount." in told


def test_a_column_without_one_flag_is_refused() -> None:
    assert "should hold yes or no, but it holds text" in refused(["red"], Cell.FLAG)
    assert "should hold yes or no, but it holds dates" in refused([date(2024, 5, 1)], Cell.FLAG)


# --- times ---------------------------------------------------------------------------------------

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micro(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "+05:30"])
def test_stored_times_of_every_unit_and_zone(unit: str, zone: str | None) -> None:
    stored = pa.array([1_714_566_600, None], pa.int64()).cast(pa.timestamp("s")).cast(unit_of(unit))
    column = stored.cast(pa.int64()).cast(pa.timestamp(unit, zone))
    assert got(column, Cell.TIME) == [1_714_566_600_000_000, None]


def unit_of(unit: str) -> pa.DataType:
    return pa.timestamp(unit)


def test_what_is_finer_than_a_microsecond_is_cut_off_towards_the_past() -> None:
    assert got(pa.array([1999, -1, -1000, -1001], pa.timestamp("ns")), Cell.TIME) == [1, -1, -1, -2]


def test_dates_are_their_midnight() -> None:
    assert got([date(2024, 5, 1), date(1969, 12, 31)], Cell.TIME) == [
        1_714_521_600_000_000, -86_400_000_000,
    ]  # fmt: skip
    assert got(pa.array([date(2024, 5, 1)], pa.date64()), Cell.TIME) == [1_714_521_600_000_000]


def test_times_that_int64_cannot_hold_are_null_and_counted() -> None:
    far = pa.array([0, 2**62], pa.timestamp("s"))
    assert got(far, Cell.TIME) == [0, None]
    assert findings(far, Cell.TIME) == [("time_too_far", 1)]
    dates = pa.array([2**31 - 1, 0], pa.int32()).cast(pa.date32())
    assert got(dates, Cell.TIME) == [None, 0]


zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(moment=st.datetimes(timezones=st.one_of(st.none(), zones)), gap=st.sampled_from("T "))
def test_iso_text_is_read_as_python_reads_it(moment: datetime, gap: str) -> None:
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    assert got([moment.isoformat(gap)], Cell.TIME) == [micro(known)]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2024-05-01", "2024-05-01T00:00:00+00:00"),
        ("2024-05-01 12:30", "2024-05-01T12:30:00+00:00"),
        ("2024-05-01T12:30:00Z", "2024-05-01T12:30:00+00:00"),
        ("2024-05-01 12:30:00 UTC", "2024-05-01T12:30:00+00:00"),
        ("2024-05-01T12:30:00,5", "2024-05-01T12:30:00.5+00:00"),
        ("2024-05-01T12:30:00.123456789Z", "2024-05-01T12:30:00.123456+00:00"),
        ("2024-05-01T12:30:00+0530", "2024-05-01T07:00:00+00:00"),
        ("2024-05-01T12:30:00-02", "2024-05-01T14:30:00+00:00"),
        (" 2024-02-29 ", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_spellings_of_iso_times(text: str, same: str) -> None:
    assert got([text], Cell.TIME) == [micro(datetime.fromisoformat(same))]


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "0000-01-01", "2024-05-01T24:00",
     "2024-05-01T12:60", "2024-05-01T12:00:60", "01/05/2024", "May 1", "20240501T1", "2024-5/1",
     "2024-05-01T12:00+25:00", "2024-05-01T12", "1714566600"],
)  # fmt: skip
def test_what_is_no_time_is_null_and_counted(text: str) -> None:
    values = ["2024-05-01", text, None]
    assert got(values, Cell.TIME) == [1_714_521_600_000_000, None, None]
    assert findings(values, Cell.TIME) == [("not_a_time", 1)]
    assert "should hold times like 2024-05-01T12:30:00Z" in refused([f"x{text}"], Cell.TIME)


@pytest.mark.parametrize("per", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("form", [int, float, str])
def test_numbers_since_1970_in_the_one_unit_that_fits(per: int, form: type) -> None:
    values = [form(1_714_566_600 * per), None, form(1_600_000_000 * per)]
    assert got(values, Cell.TIME) == [1_714_566_600_000_000, None, 1_600_000_000_000_000]


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    assert got(["1714566600.250001", "1600000000"], Cell.TIME) == [
        1_714_566_600_250_001, 1_600_000_000_000_000,
    ]  # fmt: skip
    assert got([1_714_566_600.25, math.nan], Cell.TIME) == [1_714_566_600_250_000, None]


def test_a_zero_among_times_is_1970_and_left_to_cleaning() -> None:
    assert got([0, 1_714_566_600], Cell.TIME) == [0, 1_714_566_600_000_000]
    assert got(["99999999999999999999999", "1714566600"], Cell.TIME) == [None, 1714566600 * 10**6]


def test_numbers_in_two_units_or_in_none_are_refused() -> None:
    told = refused([1_714_566_600, 1_714_566_600_000], Cell.TIME)
    assert "look like seconds (such as `1714566600`) and milliseconds (such as `171456660" in told
    for values in ([20240501], ["20240501"], [0, 7, 14], [3.5]):
        told = refused(values, Cell.TIME)
        assert "none of its numbers" in told
        assert "lies between 1980 and 2100" in told
    assert "should hold times, but it holds yes or no" in refused([True], Cell.TIME)


def test_order_is_never_lost() -> None:
    """In float32 only one in 128 of these seconds stays apart."""
    seconds = list(range(1_714_521_600, 1_714_521_600 + 86_400))
    assert got(seconds, Cell.TIME) == [second * 10**6 for second in seconds]


# --- tables in memory ----------------------------------------------------------------------------


def test_pandas_whole_numbers_with_gaps_are_ids_again() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": [7, None], "x": [1.5, None]}, index=["a", "b"])
    columns = {"id": Cell.ID, "x": Cell.NUMBER}
    result = sources.read(frame, columns=columns, at="x")
    assert result.table.to_pydict() == {"id": ["7", None], "x": [1.5, None]}
    assert result.findings == ()


def test_pandas_values_that_do_not_go_together_are_refused() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["a", 7], 3: [1, 2]})
    with pytest.raises(SourceError, match="has a column named 3, which is not text"):
        sources.read(frame, columns={"id": Cell.ID}, at="x")
    mixed = pandas.DataFrame({"id": pandas.Series(["a", 7], dtype=object)})
    with pytest.raises(SourceError, match="values that do not go together"):
        sources.read(mixed, columns={"id": Cell.ID}, at="x")


def test_arrow_tables_with_one_name_twice_are_refused() -> None:
    table = pa.table([[1], [2]], ["a", "a"])
    with pytest.raises(SourceError, match="several columns have the same name: `a`"):
        sources.read(table, columns={"a": Cell.ID}, at="x")


@pytest.mark.parametrize("source", [7, {"a": [1]}, [1], None, pl.LazyFrame({"a": [1]})])
def test_anything_else_in_memory_is_refused(source: object) -> None:
    with pytest.raises(SourceError) as caught:
        sources.read(source, at="entity.user")
    told = str(caught.value)
    assert told.startswith(f"entity.user: `{type(source).__name__}` cannot be read.")
    assert ".csv, .tsv, .jsonl, .ndjson, .json, .parquet, .pq" in told
    assert "pyarrow.Table, polars.DataFrame (collected) or pandas.DataFrame." in told


TIMES_OF_LONDON = (
    pa.array([0, 1_719_792_000 * 10**6, None], pa.timestamp("us")),
    pa.array(["1970-01-01", "2024-07-01 00:00", ""]),
    pa.array(["1970-01-01T00:00Z", "2024-06-30T23:00+00:00", None]),
)


def london(values: pa.Array) -> sources.Read:
    table = pa.table({"at": values})
    return sources.read(table, columns={"at": Cell.TIME}, at="event.visit", zone="Europe/London")


@pytest.mark.parametrize("values", TIMES_OF_LONDON[:2])
def test_times_without_a_zone_are_those_of_the_declared_one(values: pa.Array):
    read = london(values)
    # In 1970 London kept summer time all year.
    assert read.table["at"].to_pylist() == [-3_600 * 10**6, 1_719_788_400 * 10**6, None]
    assert read.findings == ()


def test_times_with_a_zone_and_numbers_are_not_touched():
    read = london(TIMES_OF_LONDON[2])
    assert read.table["at"].to_pylist() == [0, 1_719_788_400 * 10**6, None]
    stored = pa.array([1_719_788_400], pa.timestamp("s", "Asia/Shanghai"))
    assert london(stored).table["at"].to_pylist() == [1_719_788_400 * 10**6]
    assert london(pa.array([1_719_788_400])).table["at"].to_pylist() == [1_719_788_400 * 10**6]


def test_dates_begin_at_their_own_midnight():
    read = london(pa.array([19_905], pa.date32()))
    assert read.table["at"].to_pylist() == [1_719_788_400 * 10**6]


def test_times_around_a_change_of_clocks_are_findings():
    read = london(
        pa.array(["2024-10-27 01:30", "2024-10-27 01:30Z", "2024-03-31 01:30", "2024-07-01", None])
    )
    hour = 3_600 * 10**6
    half_past = 1_729_992_600 * 10**6  # 2024-10-27T01:30Z
    assert read.table["at"].to_pylist()[:2] == [half_past - hour, half_past]
    assert [str(finding) for finding in read.findings] == [
        "event.visit.at: times without a zone that the clocks of Europe/London show twice, as they "
        "are put back. 1 read as the first, such as `2024-10-27 01:30`.",
        "event.visit.at: times without a zone that the clocks of Europe/London skip, as they are "
        "put forward. 1 moved behind the gap, such as `2024-03-31 01:30`.",
    ]
