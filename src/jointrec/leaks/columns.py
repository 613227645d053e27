"""The declared columns at the sampled rows, as codes: what a person would see, not the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64

from jointrec.plan import features_of
from jointrec.prepare import Tables
from jointrec.prepare.cleaning.rows import LATEST
from jointrec.prepare.versions import Versions
from jointrec.project import Project

from .question import Sample

BINS = 64
"""A number of many values is cut into so many bins of equal size, at most."""
ATOMS = 200
"""A number of no more values than this keeps each of them."""
WORDS = 12
"""How many words of a text, and elements of a set, are looked at: those that tell most."""


@dataclass(frozen=True)
class Column:
    """A declared column at the sampled rows.

    :param at: Its table, as the project names it: ``entity.user``.
    :param name: Its name.
    :param entity: The entity that it is a column of; None of an event's own.
    :param cell: How it is read: ``id``, ``number``, ``time``, ``text``, ``list``.
    :param codes: Its value as a number from 1; 0 is missing.
    :param missing: Where it is missing.
    :param numbers: The values of a number; nan where missing. None of all else.
    :param values: The values as declared.
    :param binned: Whether codes are bins of many values.
    :param distinct: How many values there are.
    """

    at: str
    name: str
    entity: str | None
    cell: str
    codes: Int64[np.ndarray, "rows"]
    missing: Bool[np.ndarray, "rows"]
    numbers: Float64[np.ndarray, "rows"] | None
    values: pl.Series
    binned: bool
    distinct: int

    @cached_property
    def words(self) -> tuple[pl.Series, Int64[np.ndarray, "pairs"], Int64[np.ndarray, "pairs"]]:
        """The words of a text, or elements of a set, in order; and of each pair of a row and a word
        that it holds the place of the word and the row."""
        lists = self.values
        if self.cell != "list":
            lists = lists.str.to_lowercase().str.extract_all(r"[\p{L}\p{N}_]+")
        frame = pl.DataFrame({"word": lists, "row": np.arange(len(lists))})
        frame = frame.explode("word").drop_nulls("word").unique(["word", "row"])
        place = frame["word"].rank("dense").cast(pl.Int64).to_numpy() - 1
        return frame["word"].unique().sort(), place, frame["row"].to_numpy()


def columns_at(project: Project, tables: Tables, sample: Sample) -> Iterator[Column]:
    """Every declared column that the answers to a task may depend on, at its sampled rows."""
    grain, rows = sample.question.grain, sample.question.rows
    if grain.asking == "row":
        frame = tables.events[grain.table]
        for name, feature in features_of(project, grain.table).items():
            values = frame[name].gather(pl.Series(rows.source[sample.rows]))
            yield column_of(f"event.{grain.table}", name, None, feature.cell, values, sample.times)
    for entity in grain.sees:
        frame = tables.columns_of(entity)
        # A row of nulls stands before the table, for whatever is unknown.
        place = pl.Series(_places(tables, entity, rows.codes[entity][sample.rows], sample.times))
        for name, feature in features_of(project, entity).items():
            nothing = pl.Series(name, [None], dtype=frame[name].dtype)
            values = pl.concat([nothing, frame[name]]).gather(place)
            yield column_of(f"entity.{entity}", name, entity, feature.cell, values, sample.times)


def _places(
    tables: Tables,
    entity: str,
    codes: Int64[np.ndarray, "rows"],
    times: Int64[np.ndarray, "rows"] | None,
) -> Int64[np.ndarray, "rows"]:
    """Which row of an entity's table holds at each moment what is known, from 1; 0 for none."""
    versions = Versions.of(tables, entity)
    if versions is None:
        return np.where(codes <= len(tables.entities[entity]), codes, 0)
    if times is None:
        cut = tables.cuts.valid
        times = np.full(len(codes), LATEST if cut is None else cut)
    places: Int64[np.ndarray, "rows"] = versions.at(codes, times) - versions.first + 1
    places[places < 0] = 0
    return places


def column_of(
    at: str,
    name: str,
    entity: str | None,
    cell: str,
    values: pl.Series,
    times: Int64[np.ndarray, "rows"] | None,
) -> Column:
    """A column from its values."""
    numbers = _numbers(cell, values, times)
    if numbers is not None:
        missing = ~np.isfinite(numbers)
        codes, binned, distinct = number_codes(numbers)
    else:
        spelled = values.list.sort().list.join("\x1f") if cell == "list" else values.cast(pl.String)
        missing = spelled.is_null().to_numpy()
        codes = spelled.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
        binned, distinct = False, int(codes.max(initial=0))
    return Column(at, name, entity, cell, codes, missing, numbers, values, binned, distinct)


def _numbers(
    cell: str, values: pl.Series, times: Int64[np.ndarray, "rows"] | None
) -> Float64[np.ndarray, "rows"] | None:
    """What a column is as a number: a time is an age where there is a moment, as models read it."""
    if cell == "number" or cell == "flag":
        numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return np.where(np.isfinite(numbers), numbers, np.nan)
    if cell == "time":
        since = values.cast(pl.Datetime("us")) if values.dtype.is_temporal() else values
        numbers = since.cast(pl.Int64).cast(pl.Float64).fill_null(np.nan).to_numpy()
        if times is None:
            return numbers
        return np.where(numbers < times, times - numbers, np.nan)
    return None


def number_codes(
    numbers: Float64[np.ndarray, "rows"],
) -> tuple[Int64[np.ndarray, "rows"], bool, int]:
    """Codes from 1 of numbers, 0 where missing; whether they are bins, and how many values there
    are.

    >>> number_codes(np.array([5.0, np.nan, 7.0, 5.0]))
    (array([1, 0, 2, 1]), False, 2)
    """
    known = np.isfinite(numbers)
    values, place = np.unique(numbers[known], return_inverse=True)
    codes = np.zeros(len(numbers), dtype=np.int64)
    binned = len(values) > ATOMS
    if binned:
        some = numbers[known]
        bins = int(np.clip(len(some) // 20, 4, BINS))
        # Ends are where positives may be: finer bins there see a rare answer.
        cuts = np.unique(np.quantile(some, np.linspace(0, 1, bins + 1)[1:-1]))
        place = np.searchsorted(cuts, some, side="right")
    codes[known] = place + 1
    return codes, binned, len(values)


def words_of(
    column: Column, yes: Bool[np.ndarray, "rows"]
) -> Iterator[tuple[str, Bool[np.ndarray, "rows"]]]:
    """The words of a text, or elements of a set, that differ most between the answers, and the
    rows that hold each."""
    words, place, row = column.words
    of_yes = yes[row]
    positives, negatives = (
        np.bincount(place[of], minlength=len(words)) / max(int(whole.sum()), 1)
        for of, whole in ((of_yes, yes), (~of_yes, ~yes))
    )
    # Of words that tell the same the first in order stays the first.
    most = np.argsort(-np.abs(positives - negatives), kind="stable")[:WORDS]
    for word in most.tolist():
        holds = np.zeros(len(yes), dtype=np.bool_)
        holds[row[place == word]] = True
        yield str(words[word]), holds
