"""Turns keys into rows for a network: known things by code, others by what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int64

from jointrec import sources
from jointrec.errors import DataError, together, unknown_name
from jointrec.features import Bags, Feature, Text
from jointrec.features.words import joined_words
from jointrec.plan import Grain
from jointrec.prepare import Asked, Fields, Reader, Rows, Things
from jointrec.prepare.cleaning.apply import usable_values
from jointrec.prepare.encoding import POLARS, encode_rows
from jointrec.sources import Cell

Key = str | int | Mapping[str, Any]
"""A key, or for a thing that is in no table what is known of it: ``{"words": "red shoes"}``."""


PlainKey = str | Mapping[str, Any]
"""A key as tables hold it: ids are text."""


@dataclass(frozen=True)
class Known:
    """Rows of an entity's table, which need not be looked up by their keys.

    :param codes: Their codes.
    :param keys: Their keys, as text.
    """

    codes: Int64[np.ndarray, "rows"]
    keys: pl.Series

    def __len__(self) -> int:
        return len(self.codes)


Keys = PlainKey | Sequence[PlainKey] | pl.Series | Known
"""Of one entity: one key for all rows, one for each, a column of texts, or rows of its table."""


@dataclass(frozen=True)
class Questions:
    """Rows to answer, and the reader that knows every thing in them.

    :param keys: For each entity what was asked, as text, in the order of the rows.
    """

    reader: Reader
    asked: Asked
    keys: Mapping[str, pl.Series]


def ask(
    reader: Reader,
    grain: Grain,
    keys: Mapping[str, Keys],
    times: Int64[np.ndarray, "rows"] | None,
    context: pl.DataFrame,
) -> Questions:
    """Rows of a grain about these keys. An entity that is not named is an unknown one.

    A key that no table holds is legal: it is read as an unknown thing; where the entity has exactly
    one text feature, as a new thing with that text.

    :param times: The moment of each row; None for a grain without moments.
    :param context: One row for each row asked, with what is known of the event itself.
    """
    count = len(context)
    if grain.asking == "row":
        context = _as_learned(reader, grain.table, context)
    codes: dict[str, Int64[np.ndarray, "rows"]] = {}
    names: dict[str, pl.Series] = {}
    for entity in grain.entities:
        given = keys.get(entity, "")
        if isinstance(given, Known):
            codes[entity], names[entity] = given.codes, given.keys.alias(entity)
        elif isinstance(given, str | Mapping):
            reader, code, name = _codes(reader, entity, [given])
            codes[entity], names[entity] = code.repeat(count), name.new_from_index(0, count)
        else:
            reader, codes[entity], names[entity] = _codes(reader, entity, given)
    rows = Rows(codes, times, np.arange(count))
    return Questions(reader, reader.read(grain, rows, context), names)


def plain_key(entity: str, key: Any) -> PlainKey:
    """A key as tables hold it.

    :raises DataError: where it is none.
    """
    if isinstance(key, str | Mapping):
        return key
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        return str(key)
    raise DataError(
        f"{entity}: a key should be a text, a whole number, or for something new what is known of "
        f"it by feature. Found `{key!r}`."
    )


def _codes(
    reader: Reader, entity: str, keys: Sequence[PlainKey] | pl.Series
) -> tuple[Reader, Int64[np.ndarray, "rows"], pl.Series]:
    """The code of each key, by a reader that knows them all, and each key as text."""
    place = reader.tables.codes(entity)
    texts = isinstance(keys, pl.Series) or all(isinstance(key, str) for key in keys)
    each: list[Any] = keys.to_list() if isinstance(keys, pl.Series) else list(keys)
    known = each if texts else [key if isinstance(key, str) else "" for key in each]
    codes = np.fromiter(map(place.get, known, repeat(0)), np.int64, len(known))
    reader = _that_knows(reader, entity, each, codes, texts=texts)
    if isinstance(keys, pl.Series):
        return reader, codes, keys.alias(entity)
    words = each if texts else [key if isinstance(key, str) else str(dict(key)) for key in each]
    return reader, codes, pl.Series(entity, words, dtype=pl.String)


def _that_knows(
    reader: Reader,
    entity: str,
    keys: Sequence[PlainKey],
    codes: Int64[np.ndarray, "rows"],
    *,
    texts: bool,
) -> Reader:
    """A reader that also knows the things that no table holds and something is told of.

    :param codes: The code of each key, 0 where no table holds it; takes those of such things.
    :param texts: Whether all keys are texts: they tell something only where a key may be a text.
    """
    features = reader.project.entity[entity].features
    read = [name for name, feature in features.items() if isinstance(feature, Text)]
    if texts and len(read) != 1:
        return reader
    first = len(reader.things[entity].keys)
    strangers: dict[str, Mapping[str, Any]] = {}
    at: dict[str, int] = {}
    for n in np.flatnonzero(codes == 0).tolist():
        described = _described(entity, keys[n], features, read)
        if described is not None:
            name = repr(keys[n])
            strangers.setdefault(name, described)
            codes[n] = at.setdefault(name, first + len(at))
    return _with_strangers(reader, entity, list(strangers.values())) if strangers else reader


def _described(
    entity: str, key: PlainKey, features: Mapping[str, Any], texts: Sequence[str]
) -> Mapping[str, Any] | None:
    """What is known of a thing that no table holds; None for nothing at all.

    :param texts: The features of the entity that read a text: where there is one, it may be a key.
    """
    if isinstance(key, str):
        return {texts[0]: key} if key and len(texts) == 1 else None
    for name in key:
        if name not in features:
            raise DataError(unknown_name("feature", name, features, at=entity))
    return key


def _with_strangers(reader: Reader, entity: str, described: Sequence[Mapping[str, Any]]) -> Reader:
    """The same reader, with rows for things that are in no table. They have no past."""
    features = reader.project.entity[entity].features
    told = {
        name: [row.get(name) for row in described]
        for name in features
        if any(name in row for row in described)
    }
    frame = read_values(told, features, len(described), reader.project.time_zone, at=entity)
    frame = _as_learned(reader, entity, frame)
    frame = frame.with_columns(pl.Series("@key", [None] * len(described), dtype=pl.String))
    new = encode_rows(reader.project, reader.preparation, entity, frame)
    old = reader.things[entity]
    joined = Things(
        pl.concat([old.keys, new.keys]),
        Fields(
            np.concatenate([old.fields.ids, new.fields.ids]),
            tuple(
                Bags(
                    np.concatenate([a.values, b.values]),
                    np.concatenate([a.offsets, b.offsets[1:] + a.offsets[-1]]),
                )
                for a, b in zip(old.fields.bags, new.fields.bags, strict=True)
            ),
            np.concatenate([old.fields.numbers, new.fields.numbers]),
        ),
        {name: np.concatenate([old.dated[name], new.dated[name]]) for name in old.dated},
        old.versions,
        {name: joined_words(old.words[name], new.words[name]) for name in old.words},
    )
    return replace(reader, things={**reader.things, entity: joined})


def _as_learned(reader: Reader, table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Values with odd numbers treated as those of training were: an absurd one is unknown."""
    return usable_values(reader.project, reader.preparation.limits, table, frame)


def read_values(
    told: Mapping[str, Sequence[Any]],
    features: Mapping[str, Feature],
    count: int,
    zone: str,
    *,
    at: str,
) -> pl.DataFrame:
    """Values given by hand, read as a table's would be; a feature that is not told is unknown.

    :param told: For some features a value for each row.
    :param zone: The time zone of times that name none.
    :raises DataError: where a value is not what the feature reads.
    """
    # Without any feature a frame would forget how many rows it has.
    rows = pl.DataFrame(pl.Series("@row", np.arange(count)))
    if told:
        frame = pl.DataFrame([_column(name, values, at) for name, values in told.items()])
        cells = {name: Cell(features[name].cell) for name in told}
        read = sources.read(frame, columns=cells, at=at, zone=zone)
        lost = [str(finding) for finding in read.findings if finding.action == "made null"]
        if lost:
            raise DataError(together(lost, of=at))
        rows = rows.hstack(pl.DataFrame(read.table))
    unknown = [
        pl.Series(name, [None], dtype=POLARS[feature.cell]).new_from_index(0, count)
        for name, feature in features.items()
        if name not in told
    ]
    return rows.hstack(unknown)


def _column(name: str, values: Sequence[Any], at: str) -> pl.Series:
    """Values as a column of one type; whole numbers among others are numbers like them."""
    try:
        if any(isinstance(value, float) for value in values):
            return pl.Series(name, values, dtype=pl.Float64)
        column = pl.Series(name, values)
        if column.dtype == pl.Int128:  # what Arrow has no type for
            raise OverflowError
        return column
    except TypeError:
        kinds = sorted({type(value).__name__ for value in values})
        raise DataError(
            f"{at}: the values of `{name}` should be of one type. Found {', '.join(kinds)}."
        ) from None
    except OverflowError:
        raise DataError(
            f"{at}: a value of `{name}` is a whole number beyond all that are read. Write it as a "
            "text if it names something; null, if it is not known."
        ) from None
