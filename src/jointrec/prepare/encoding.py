"""Encodes rows: of things, whether in a table or not, and what events say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from jaxtyping import Int64

from jointrec.features import Bags, Dated, Feature, Ids, Numbers
from jointrec.features.base import CellName
from jointrec.features.words import Words, words_of
from jointrec.plan import Grain, features_of
from jointrec.project import Project

from .labels import Rows
from .matching import MOST_WORDS
from .preparation import Preparation
from .prepared import Fields, Things
from .tables import Tables
from .versions import Versions
from .workspace import Workspace


def encode_things(
    project: Project, preparation: Preparation, tables: Tables, entity: str
) -> Things:
    """Every row of an entity, encoded; row 0 is the unknown one, in which everything is missing."""
    things = encode_rows(project, preparation, entity, rows_of_things(tables, entity))
    versions = Versions.of(tables, entity)
    return things if versions is None else replace(things, versions=versions)


def rows_of_things(tables: Tables, entity: str) -> pl.DataFrame:
    """The rows that are encoded of an entity, the unknown one first, versions last."""
    frame = tables.entities[entity]
    if entity in tables.versions:
        said = tables.versions[entity]
        own = said.with_columns(frame["@key"].gather(said["@code"] - 1)).drop("@code", "@time")
        frame = pl.concat([frame, own], how="diagonal")
    missing = pl.DataFrame({name: [None] for name in frame.columns}, schema=frame.schema)
    return pl.concat([missing, frame])


def encode_rows(
    project: Project, preparation: Preparation, entity: str, frame: pl.DataFrame
) -> Things:
    """Rows of an entity, encoded, whether they are in its table or not."""
    parts: dict[str, Ids | Bags | Numbers] = {}
    dated: dict[str, Int64[np.ndarray, "rows"]] = {}
    if project.entity[entity].id_floor > 0:
        rows = preparation.id_rows(entity, frame["@key"])
        parts["@id"] = Ids(rows + preparation.offsets[f"{entity}.@id"])
    for column, feature in project.entity[entity].features.items():
        encoded = encode_column(preparation, f"{entity}.{column}", feature, frame[column])
        if isinstance(encoded, Dated):
            dated[column] = encoded.values
        else:
            parts[column] = encoded
    words = words_in(project, preparation, entity, frame)
    return Things(frame["@key"], gather_fields(parts, len(frame)), dated, words=words)


def words_in(
    project: Project, preparation: Preparation, table: str, frame: pl.DataFrame
) -> dict[str, Words]:
    """The words of each text column of a table that other texts are compared with."""
    return {
        column: words_of(frame[column], MOST_WORDS)
        for column in features_of(project, table)
        if f"{table}.{column}" in preparation.texts
    }


def encode_context(
    project: Project,
    preparation: Preparation,
    grain: Grain,
    context: pl.DataFrame,
    rows: Rows,
) -> Fields:
    """What an event says at the moment itself. Empty where the grain may not see it."""
    parts: dict[str, Ids | Bags | Numbers] = {}
    num_rows = len(rows.source)
    if grain.asking == "row":
        for column, feature in project.event[grain.table].features.items():
            name = f"{grain.table}.{column}"
            values = told(context, column, feature, num_rows)
            encoded = encode_column(preparation, name, feature, values)
            if isinstance(encoded, Dated):
                moments = encoded.values if rows.times is None else rows.times
                encoded = Numbers(feature.at(encoded.values, moments, preparation.features[name]))
            parts[column] = encoded
    return gather_fields(parts, num_rows)


def told(context: pl.DataFrame, column: str, feature: Feature, num_rows: int) -> pl.Series:
    """A column of what events say; unknown in all rows where they do not say it."""
    if column in context.columns:
        return context[column]
    return pl.Series(column, [None] * num_rows, dtype=POLARS[feature.cell])


POLARS: Mapping[CellName, pl.DataType] = {
    "id": pl.String(), "text": pl.String(), "number": pl.Float64(), "time": pl.Int64(),
    "flag": pl.Float64(), "list": pl.List(pl.String),
}  # fmt: skip
"""The type of a column that is missing, by how it would have been read."""


def encode_column(
    preparation: Preparation, name: str, feature: Feature, values: pl.Series
) -> Ids | Bags | Numbers | Dated:
    """A column, with its place in the fused table."""
    encoded = feature.encode(values, preparation.features[name])
    offset = preparation.offsets.get(name, 0)
    if isinstance(encoded, Ids):
        return Ids(encoded.values + offset)
    if isinstance(encoded, Bags):
        return Bags(encoded.values + offset, encoded.offsets)
    return encoded


def gather_fields(parts: Mapping[str, Ids | Bags | Numbers], num_rows: int) -> Fields:
    """Puts encoded columns of one form side by side."""
    ids = [part.values for part in parts.values() if isinstance(part, Ids)]
    numbers = [part.values for part in parts.values() if isinstance(part, Numbers)]
    return Fields(
        ids=np.stack(ids, axis=1) if ids else np.zeros((num_rows, 0), np.int64),
        bags=tuple(part for part in parts.values() if isinstance(part, Bags)),
        numbers=np.concatenate(numbers, axis=1) if numbers else np.zeros((num_rows, 0), np.float32),
    )


def joined_fields(parts: Iterable[Fields], num_rows: int, workspace: Workspace) -> Fields:
    """Fields of some rows, one below the other; at least one piece, one at a time in memory."""
    ids = numbers = np.zeros((num_rows, 0))
    bags: list[tuple[Bags, ...]] = []
    start = 0
    for part in parts:
        if not start:
            ids = workspace.empty((num_rows, part.ids.shape[1]), part.ids.dtype)
            numbers = workspace.empty((num_rows, part.numbers.shape[1]), part.numbers.dtype)
        end = start + len(part.ids)
        ids[start:end], numbers[start:end] = part.ids, part.numbers
        bags.append(part.bags)
        start = end
    joined = tuple(
        Bags(
            workspace.keep(np.concatenate([bag.values for bag in column])),
            workspace.keep(np.concatenate(_shifted([bag.offsets for bag in column]))),
        )
        for column in zip(*bags, strict=True)
    )
    return Fields(ids, joined, numbers)


def _shifted(parts: Sequence[Int64[np.ndarray, "_"]]) -> list[Int64[np.ndarray, "_"]]:
    """The offsets of pieces, each counted on from the end of the one before."""
    shifted, end = [parts[0]], int(parts[0][-1])
    for part in parts[1:]:
        shifted.append(part[1:] + end)
        end += int(part[-1])
    return shifted
