"""Columns as text, as ids, and as lists of text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .base import kind_of
from .casting import TEXT, Cast, plain

LISTS = pa.large_list(TEXT)
_LARGEST_EXACT = 2.0**53
"""Above it, float64 no longer tells neighbouring whole numbers apart."""


def as_text(values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Text as it stands; numbers as their digits, yes or no as ``true`` and ``false``."""
    kind = kind_of(values.type)
    if kind == "lists" or pa.types.is_nested(values.type) or pa.types.is_list_view(values.type):
        raise step.refuse(values, "one value per row", "Read it as a set, or unnest it first.")
    if kind == "times with a zone":
        values = values.cast(pa.timestamp(values.type.unit))
    try:
        text = values.cast(TEXT)
    except pa.ArrowException:
        raise step.refuse(values, "text", "Write it as text.") from None
    if kind in ("whole numbers", "decimal numbers"):  # which no text of is empty
        return text
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, TEXT), text)


def as_ids(values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Ids as text, trimmed and in form NFC, so that two spellings of one id are one.

    A column of decimal numbers is a column of ids only if each is whole and below 2⁵³ (as pandas
    makes of whole numbers with gaps): then ``7.0`` is ``7``. Anything else has lost digits already.
    """
    kind = kind_of(values.type)
    if kind == "decimal numbers":
        numbers = values.cast(pa.float64())
        numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
        whole = pc.and_(
            pc.equal(numbers, pc.floor(numbers)), pc.less_equal(pc.abs(numbers), _LARGEST_EXACT)
        )
        if pc.all(whole).as_py() is False:
            raise step.refuse(
                numbers.filter(pc.invert(whole)), "ids", "Store ids as text or whole numbers."
            )
        values = numbers.cast(pa.int64())
    elif kind == "exact decimals":
        try:
            values = values.cast(pa.decimal128(38, 0))
        except pa.ArrowException:
            raise step.refuse(values, "ids", "Store ids as text or whole numbers.") from None
    text = as_text(values, step)
    if kind != "text":
        return text
    clean = _respelled(text)
    step.note(
        "id_respelled", text, pc.not_equal(text, clean),
        "ids with blanks around them, or in another Unicode form than NFC.", "respelled",
    )  # fmt: skip
    return pc.if_else(pc.equal(clean, ""), pa.scalar(None, TEXT), clean)


def _respelled(text: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(text)
    if pc.all(pc.string_is_ascii(trimmed)).as_py() is not False:
        return trimmed
    return pc.utf8_normalize(trimmed, form="NFC")


def as_lists(values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Lists of text, or text with ``|`` between parts. Null is unknown, an empty list is none."""
    kind = kind_of(values.type)
    if kind == "text":
        text = pc.if_else(pc.equal(values, ""), pa.scalar(None, TEXT), values)
        values = pc.split_pattern(text, "|")
    elif kind == "nothing":
        return values.cast(LISTS)
    elif kind != "lists":
        raise step.refuse(values, "lists", "Write lists of text, or text with `|` between parts.")
    values = values.cast(pa.large_list(values.type.value_type))
    return pa.chunked_array([_clean_list(chunk, step) for chunk in values.chunks], LISTS)


def _clean_list(chunk: pa.LargeListArray, step: Cast) -> pa.LargeListArray:
    parents = pc.list_parent_indices(chunk).to_numpy(zero_copy_only=False)
    parts = plain(pa.chunked_array([pc.list_flatten(chunk)]), step)
    if len(parts) != len(parents):  # fixed-size lists keep values where the list itself is null
        raise step.refuse(parts, "lists of one length each", "Write lists without null lists.")
    parts = _respelled(as_text(parts, step)).combine_chunks()
    kept = pc.fill_null(pc.not_equal(parts, ""), False)
    counts = np.bincount(parents[kept.to_numpy(zero_copy_only=False)], minlength=len(chunk))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return pa.LargeListArray.from_arrays(
        pa.array(offsets), parts.filter(kept), mask=chunk.is_null()
    )
