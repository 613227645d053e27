"""Turns what a person asks into rows: keys into codes, words into an unseen thing, a date into a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int64

from jointrec.errors import DataError, unknown_name
from jointrec.features import Bags, Text
from jointrec.plan import Grain
from jointrec.prepare import Asked, Fields, Reader, Rows, Things
from jointrec.prepare.reader import POLARS, encode_rows

Key = str | Mapping[str, Any]
"""A key of a thing, or for one that is in no table what is known of it: ``{"words": "red shoes"}``."""


@dataclass(frozen=True)
class Questions:
    """Rows to answer, and the reader that knows every thing in them.

    :param keys: For each entity what was asked, as text, in the order of the rows.
    """

    reader: Reader
    asked: Asked
    keys: Mapping[str, pl.Series]


def moment_of(at: str | datetime | None, reader: Reader) -> int:
    """The moment (µs UTC) at which a question is asked; by default just after the data end.

    :raises DataError: where the text is not a date or a time.
    """
    if at is None:
        return reader.tables.until or 0
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            raise DataError(
                f"at: `{at}` is not a moment. Write 2024-05-31 or 2024-05-31T18:00:00+02:00."
            ) from None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000_000)


def ask(
    reader: Reader,
    grain: Grain,
    keys: Mapping[str, Sequence[Key]],
    times: Int64[np.ndarray, "rows"] | None,
    context: pl.DataFrame,
) -> Questions:
    """Rows of a grain about these keys. An entity that is not named is an unknown one.

    A key that no table holds is legal: it is read as an unknown thing; where the entity has exactly
    one text feature, as a new thing with that text.

    :param times: The moment of each row; None for a grain without moments.
    """
    count = len(context)
    codes: dict[str, Int64[np.ndarray, "rows"]] = {}
    names: dict[str, pl.Series] = {}
    for entity in grain.entities:
        given = list(keys.get(entity, [""] * count))
        reader, codes[entity], names[entity] = _codes(reader, entity, given)
    rows = Rows(codes, times, np.arange(count))
    return Questions(reader, reader.read(grain, rows, context), names)


def _codes(
    reader: Reader, entity: str, given: Sequence[Key]
) -> tuple[Reader, Int64[np.ndarray, "rows"], pl.Series]:
    distinct = {repr(key): key for key in given}
    known = reader.tables.entities[entity]["@key"]
    texts = [key for key in distinct.values() if isinstance(key, str)]
    place = dict(
        pl.DataFrame({"@key": known, "code": np.arange(1, len(known) + 1)})
        .filter(pl.col("@key").is_in(texts))
        .iter_rows()
    )
    strangers = [
        (name, described)
        for name, key in distinct.items()
        if (described := _describe(reader, entity, key, place)) is not None
    ]
    first = len(reader.things[entity].keys)
    if strangers:
        reader = _with_strangers(reader, entity, [described for _, described in strangers])
    at = {name: first + n for n, (name, _) in enumerate(strangers)}
    codes = [at.get(repr(key), place.get(key, 0) if isinstance(key, str) else 0) for key in given]
    words = [key if isinstance(key, str) else str(dict(key)) for key in given]
    return reader, np.array(codes, dtype=np.int64), pl.Series(entity, words, dtype=pl.String)


def _describe(
    reader: Reader, entity: str, key: Key, place: Mapping[str, int]
) -> Mapping[str, Any] | None:
    """What is known of a thing that no table holds; None for one that is known, or not at all."""
    features = reader.project.entity[entity].features
    if not isinstance(key, str):
        for name in key:
            if name not in features:
                raise DataError(unknown_name("feature", name, features, at=entity))
        return key
    texts = [name for name, feature in features.items() if isinstance(feature, Text)]
    return {texts[0]: key} if key and key not in place and len(texts) == 1 else None


def _with_strangers(
    reader: Reader, entity: str, described: Sequence[Mapping[str, Any]]
) -> Reader:
    """The same reader, with rows for things that are in no table. They have no past."""
    features = reader.project.entity[entity].features
    frame = pl.DataFrame(
        [
            pl.Series(name, [row.get(name) for row in described], dtype=POLARS[feature.cell])
            for name, feature in features.items()
        ]
        + [pl.Series("@key", [None] * len(described), dtype=pl.String)]
    )
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
    )
    return replace(reader, things={**reader.things, entity: joined})


def context_frame(
    reader: Reader, grain: Grain, given: Mapping[str, Any], count: int
) -> pl.DataFrame:
    """One row of context for each row asked; what is not given is unknown.

    :raises DataError: for a name that is no feature of the event.
    """
    features = reader.project.event[grain.table].features if grain.asking == "row" else {}
    for name in given:
        if name not in features:
            raise DataError(unknown_name("feature", name, features, at=f"context of {grain.name}"))
    columns = [
        pl.Series(
            name,
            given[name] if isinstance(given.get(name), list | pl.Series) else [given.get(name)] * count,
            dtype=POLARS[feature.cell],
            strict=False,
        )
        for name, feature in features.items()
    ]
    return pl.DataFrame(columns or [pl.Series("@none", [None] * count, dtype=pl.Null)])
