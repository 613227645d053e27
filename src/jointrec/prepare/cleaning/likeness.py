"""Rows that are there twice, and things that were entered twice under other keys."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from jointrec.features import Text
from jointrec.plan import key_column

from .base import Detector, Limits, Odd, View

DIFFERENT = 0.8
"""The share of texts that must differ, plainly written, for a column to name things at all."""


class RepeatedRow(Detector):
    """Rows of an event that are equal in all that is read. They may be real: two of one sold."""

    code = "repeated_row"

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Rows equal to an earlier one, in events without a key."""
        for name, frame in view.tables.events.items():
            event = view.project.event[name]
            if event.key is None:
                rows = _again(view, name, frame)
                text = (
                    "rows equal to an earlier one in every column that is read. Where they are "
                    "mistakes, name the column that tells rows apart as `key`."
                )
                yield Odd(name, None, rows, text)


def _again(view: View, name: str, frame: pl.DataFrame) -> pl.Series:
    """Compared are codes, which is faster than text, and keys only where some have no code."""
    event = view.project.event[name]
    keys = {entity: key_column(view.project, name, entity) for entity in event.entities}
    coded = [column for entity, column in keys.items() if (frame[f"@{entity}"] > 0).all()]
    # What `where` asks to be one thing is one thing in all rows.
    one = [column for column, values in event.where.items() if isinstance(values, str)]
    left_out = [*coded, *one, *([event.time] if event.time else [])]
    return first_repeats(frame.select(pl.exclude(*left_out, "^@@.*$")))


def first_repeats(frame: pl.DataFrame) -> pl.Series:
    """Which rows are equal to an earlier one.

    A hash of each row says first which rows may be: comparing all of them whole needs twice the
    memory of a large table.

    >>> first_repeats(pl.DataFrame({"a": [1, 2, 1, 1], "b": [None, "x", None, "y"]})).to_list()
    [False, False, True, False]
    """
    again = np.zeros(len(frame), dtype=np.bool_)
    like = occurring_again(frame.hash_rows())
    if like.any():
        whole = frame.filter(like).select(~pl.struct(pl.all()).is_first_distinct()).to_series()
        again[like.to_numpy()] = whole.to_numpy()
    return pl.Series(again)


def occurring_again(hashes: pl.Series) -> pl.Series:
    """Which values are there more than once. Sorting needs a third of the memory of a set.

    >>> occurring_again(pl.Series([7, 8, 7, 9], dtype=pl.UInt64)).to_list()
    [True, False, True, False]
    """
    ordered = np.sort(hashes.to_numpy())
    several = pl.Series(ordered[1:][ordered[1:] == ordered[:-1]], dtype=hashes.dtype)
    return hashes.is_in(several.implode())


class NearDuplicate(Detector):
    """Things with different keys whose texts, or whose keys, are one but for how they are written.

    Compared without capitals, blanks, punctuation and differences of Unicode form; keys keep their
    punctuation, as ``1-2`` is not ``12``.
    """

    code = "near_duplicate"

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Rows of an entity that are like an earlier one."""
        for name, frame in view.tables.entities.items():
            entity = view.project.entity[name]
            if entity.key is None:
                continue
            yield from _alike(name, entity.key, frame["@key"], plain(frame["@key"], r"\s+"))
            for column, feature in entity.features.items():
                # Versions of one thing are alike, and no two of them are two things.
                if isinstance(feature, Text) and name not in view.tables.versions:
                    told = plain(frame[column], r"[\s\p{P}\p{S}]+")
                    if told.n_unique() >= DIFFERENT * len(told):
                        yield from _alike(name, column, frame[column], told)


def plain(values: pl.Series, without: str) -> pl.Series:
    r"""Texts as they are compared; null where nothing is left of one.

    >>> plain(pl.Series(["Red  Shoe!", "red shoe", "--"]), r"[\s\p{P}]+").to_list()
    ['redshoe', 'redshoe', None]
    """
    bare = values.str.normalize("NFKC").str.to_lowercase().str.replace_all(without, "")
    return bare.set(bare == "", None)


def _alike(name: str, column: str, shown: pl.Series, told: pl.Series) -> Iterator[Odd]:
    again = told.is_not_null() & ~told.is_first_distinct()
    if again.any():
        first = told.filter(again).unique(maintain_order=True).head(3)
        examples = tuple(
            " / ".join(map(str, shown.filter(told == text).head(3).to_list())) for text in first
        )
        text = "keys that differ from an earlier one, with the same"
        text = f"{text} `{column}` when written plainly."
        yield Odd(name, column, again, text, examples=examples, of_keys=shown.name == "@key")
