"""Columns as numbers, and as yes or no."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from .base import kind_of
from .casting import TEXT, Cast

_DECIMAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NOT_FINITE = r"(?i)^[+-]?(inf|infinity|nan)$"
NUMERIC = ("whole numbers", "decimal numbers", "exact decimals", "yes or no", "nothing")
_YES = ("true", "yes", "t", "y")
_NO = ("false", "no", "f", "n")


def as_numbers(values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Finite float64. Text is read strictly: ``1.5`` or ``-2e3``; never ``1,5`` or ``€3``."""
    kind = kind_of(values.type)
    if kind == "text":
        numbers, unread = parsed(values)
        check_some_read(values, unread, "numbers", step)
        step.note("not_a_number", values, unread, "values that are not numbers.", "made null")
    elif kind in NUMERIC:
        numbers = values.cast(pa.float64(), safe=False)
    else:
        raise step.refuse(values, "numbers", "Declare it as what it is, or write numbers.")
    infinite = pc.invert(pc.is_finite(numbers))
    step.note(
        "not_finite", values, pc.fill_null(infinite, False),
        "numbers that are infinite, too large, or nan.", "made null",
    )  # fmt: skip
    return pc.if_else(infinite, pa.scalar(None, pa.float64()), numbers)


def parsed(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Text as float64, infinite and nan included, and which values are neither empty nor such."""
    trimmed = pc.utf8_trim_whitespace(text)
    finite = pc.match_substring_regex(trimmed, _DECIMAL)
    # A value outside the float range becomes infinite here, and is then told as such.
    good = pc.or_(finite, pc.match_substring_regex(trimmed, _NOT_FINITE))
    numbers = pc.if_else(good, trimmed, pa.scalar(None, TEXT)).cast(pa.float64())
    unread = pc.and_(pc.invert(good), pc.not_equal(trimmed, ""))
    return numbers, pc.fill_null(unread, False)


def as_flags(values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Float64 1 or 0, from yes or no, 1 or 0, or the words true, yes, t, y, false, no, f, n.

    Any other number is refused rather than guessed: taking 2 for unknown would lose positives.
    """
    flags, kind = values, kind_of(values.type)
    if kind not in NUMERIC and kind != "text":
        raise step.refuse(values, "yes or no", "Write 1 for yes, 0 for no, nothing for unknown.")
    if kind == "text":
        words = pc.utf8_lower(pc.utf8_trim_whitespace(values))
        flags = pc.if_else(pc.is_in(words, pa.array(_YES, TEXT)), "1", words)
        flags = pc.if_else(pc.is_in(words, pa.array(_NO, TEXT)), "0", flags)
        numbers, unread = parsed(flags)
        check_some_read(values, unread, "yes or no", step)
        step.note("not_a_flag", values, unread, "values that are neither yes nor no.", "made null")
        flags = pc.if_else(unread, pa.scalar(None, pa.float64()), numbers)
    numbers = as_numbers(flags, step)
    other = pc.and_(pc.not_equal(numbers, 0.0), pc.not_equal(numbers, 1.0))
    if pc.any(other).as_py():
        raise step.refuse(
            values.filter(other), "yes or no",
            "Write 1 for yes, 0 for no and nothing for unknown, or declare an amount.",
        )  # fmt: skip
    return numbers


def check_some_read(
    values: pa.ChunkedArray, unread: pa.ChunkedArray, what: str, step: Cast
) -> None:
    """Refuses a column of which not a single value can be read: it is not what was declared."""
    told = pc.sum(unread).as_py() or 0
    if told and told == pc.sum(pc.not_equal(values, "")).as_py():
        raise step.refuse(values, what, "Not one of its values can be read as such.")
