"""Rows that are there twice, and things that were entered twice under other keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from jointrec.features import Text
from jointrec.plan import key_column
from jointrec.prepare.workspace import IN_MEMORY, Workspace

from .base import Detector, Limits, Odd, View

MARKS = r"[\s\p{P}\p{S}]+"
"""Blanks, punctuation and symbols."""
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
    return first_repeats(frame.select(pl.exclude(*left_out, "^@@.*$")), view.workspace)


def first_repeats(frame: pl.DataFrame, workspace: Workspace = IN_MEMORY) -> pl.Series:
    """Which rows are equal to an earlier one.

    A hash of each row says first which rows may be: comparing all of them whole needs twice the
    memory of a large table.

    :param workspace: Where the hashes live for a while.

    >>> first_repeats(pl.DataFrame({"a": [1, 2, 1, 1], "b": [None, "x", None, "y"]})).to_list()
    [False, False, True, False]
    """
    hashes = (frame[piece].hash_rows() for piece in workspace.pieces(len(frame)))
    like = occurring_again(hashes, len(frame), workspace)
    if not like.any():
        return like
    whole = frame.filter(like).select(~pl.struct(pl.all()).is_first_distinct()).to_series()
    return scattered(like, whole)


def occurring_again(
    hashes: Iterable[pl.Series], rows: int, workspace: Workspace = IN_MEMORY
) -> pl.Series:
    """Which hashes are there more than once. Sorting needs a third of the memory of a set.

    :param hashes: Piece by piece, as many as there are rows.

    >>> occurring_again([pl.Series([7, 8, 7, 9], dtype=pl.UInt64)], 4).to_list()
    [True, False, True, False]
    """
    with workspace.scratch() as room:
        own, ordered = room.empty((rows,), np.uint64), room.empty((rows,), np.uint64)
        start = 0
        for piece in hashes:
            own[start : start + len(piece)] = piece.to_numpy()
            start += len(piece)
        ordered[:] = own
        ordered.sort()
        several = np.unique(
            np.concatenate([_equal_neighbours(ordered, piece) for piece in room.pieces(rows)])
        )
        if not len(several):
            return pl.repeat(False, rows, eager=True)
        among = pl.Series(several).implode()
        return pl.concat([pl.Series(own[piece]).is_in(among) for piece in room.pieces(rows)])


def _equal_neighbours(ordered: np.ndarray, piece: slice) -> np.ndarray:
    """The numbers of a piece, ascending, that the next number is equal to."""
    some = ordered[piece.start : piece.stop + 1]
    found: np.ndarray = some[1:][some[1:] == some[:-1]]
    return found


def scattered(like: pl.Series, found: pl.Series) -> pl.Series:
    """What was found of the rows that are meant; no for all others.

    >>> scattered(pl.Series([True, False, True]), pl.Series([False, True])).to_list()
    [False, False, True]
    """
    mask = np.zeros(len(like), dtype=np.bool_)
    mask[like.to_numpy()] = found.to_numpy()
    return pl.Series(mask)


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
            yield from _alike(view, name, entity.key, frame["@key"], r"\s+")
            for column, feature in entity.features.items():
                # Versions of one thing are alike, and no two of them are two things.
                if isinstance(feature, Text) and name not in view.tables.versions:
                    yield from _alike(view, name, column, frame[column], MARKS, DIFFERENT)


def plain(values: pl.Series, without: str) -> pl.Series:
    r"""Texts as they are compared; null where nothing is left of one.

    >>> plain(pl.Series(["Red  Shoe!", "red shoe", "--"]), r"[\s\p{P}]+").to_list()
    ['redshoe', 'redshoe', None]
    """
    bare = values.str.normalize("NFKC").str.to_lowercase().str.replace_all(without, "")
    return bare.set(bare == "", None)


def _alike(
    view: View, name: str, column: str, shown: pl.Series, without: str, different: float = 0.0
) -> Iterator[Odd]:
    """Texts that are like an earlier one. Most are like none: a hash of each says which may be.

    :param different: The least share of texts that must differ.
    """
    hashes = (plain(shown[piece], without).hash() for piece in view.workspace.pieces(len(shown)))
    like = occurring_again(hashes, len(shown), view.workspace)
    told = plain(shown.filter(like), without)
    if int((~like).sum()) + told.n_unique() < different * len(shown):
        return
    again = told.is_not_null() & ~told.is_first_distinct()
    if again.any():
        first = told.filter(again).unique(maintain_order=True).head(3)
        some = shown.filter(like)
        examples = tuple(
            " / ".join(map(str, some.filter(told == text).head(3).to_list())) for text in first
        )
        text = "keys that differ from an earlier one, with the same"
        text = f"{text} `{column}` when written plainly."
        rows, of_keys = scattered(like, again), shown.name == "@key"
        yield Odd(name, column, rows, text, examples=examples, of_keys=of_keys)
