"""Words that stand for nothing: ``NULL``, ``NA``, ``None``, and what databases write."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from .casting import TEXT, Cast

MARK = "\\N"
"""What PostgreSQL, MySQL and Hive export for null. Nothing else is ever called so."""
WORDS = (
    MARK, "NULL", "Null", "null", "NONE", "None", "none", "NIL", "nil", "NA", "N/A", "n/a",
    "undefined",
)  # fmt: skip
_NANS = ("NaN", "nan")
"""Numbers, of a kind: whoever reads numbers tells of them."""


def without_null_words(text: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """Text that is to be read as numbers, times or flags: no number is called ``NA``."""
    return _nulled(text, WORDS, step)


def without_null_marks(text: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    r"""Text that is to be read as text or ids. Only ``\N`` is null here.

    ``NA`` is Namibia and somebody's name is Null, so any other such word stays what it is, and is
    told: as an id it may be thousands of different strangers.
    """
    maybe = pc.is_in(text, pa.array([*WORDS[1:], *_NANS], TEXT))
    step.note(
        "null_word", text, maybe,
        "words that often stand for nothing. Where they do, export nothing instead.", "kept",
    )  # fmt: skip
    return _nulled(text, (MARK,), step)


def _nulled(text: pa.ChunkedArray, words: tuple[str, ...], step: Cast) -> pa.ChunkedArray:
    found = pc.is_in(text, pa.array(words, TEXT))
    if not pc.any(found).as_py():
        return text
    step.note("null_mark", text, found, "words that stand for nothing.", "made null")
    return pc.if_else(found, pa.scalar(None, TEXT), text)
