"""Texts that were read in another encoding than they were written in."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from jointrec.plan import features_of

from .base import Detector, Limits, Odd, View

_NEXT = "\u0080-\u00ba\u00bc-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
"""The bytes 80 to BF as Windows-1252 and Latin-1 show them, without », which may follow any letter.
"""
MOJIBAKE = "|".join(
    [
        f"[ÂÃ][{_NEXT}]",  # Western letters: Ã©, Â°
        f"â€[{_NEXT}]?",  # quotes and dashes: â€™
        f"(?:[ÄÅÐÑ][{_NEXT}]){{2}}",  # Central European and Cyrillic words
        f"(?:[ä-é][{_NEXT}]{{2}}){{2}}",  # Chinese, Japanese, Korean words
        "ï»¿|ï¿½|\ufffd",  # byte order mark, replacement character
    ]
)
"""Letters that hardly ever stand beside each other, but do where UTF-8 was read byte by byte."""


class Mojibake(Detector):
    """Texts such as ``CafÃ©`` for ``Café``."""

    code = "mojibake"

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Features of text with letters that no language puts beside each other."""
        for name, frame in view.frames.items():
            for column, feature in features_of(view.project, name).items():
                if feature.cell not in ("id", "text", "list"):
                    continue
                values = frame[column]
                pieces = [values[piece] for piece in view.workspace.pieces(len(values))]
                odd = pl.concat([is_mojibake(_flat(piece)) for piece in pieces])
                if odd.any():
                    yield Odd(name, column, odd, "texts that were read in a wrong encoding.")


def _flat(values: pl.Series) -> pl.Series:
    return values.list.join("|") if values.dtype == pl.List else values


def is_mojibake(values: pl.Series) -> pl.Series:
    """Whether each text was read in a wrong encoding; no where it is unknown.

    >>> is_mojibake(pl.Series(["CafÃ©", "Café", "«CAFÉ»", "ä¸\u00adæ–‡", "中文", None])).to_list()
    [True, False, False, True, False, False]
    """
    # Most texts are plain ASCII, in which nothing can be wrong.
    wide = (values.str.len_bytes() != values.str.len_chars()).fill_null(False)
    if not wide.any():
        return wide
    few = values.filter(wide).unique()
    bad = few.filter(few.str.contains(MOJIBAKE))
    return values.is_in(bad.implode()).fill_null(False) if len(bad) else wide & False
