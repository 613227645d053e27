"""Which rows of the tables train: all that may be learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from jaxtyping import Int64

from jointrec.labels import DAY
from jointrec.project import Project
from jointrec.splits import TRAIN

from .tables import Tables
from .workspace import PIECE


def stable_hash(keys: pl.Series) -> Int64[np.ndarray, "rows"]:
    """A hash of each key that is the same on every machine and in every version.

    >>> stable_hash(pl.Series(["a", "b"])).tolist()
    [-2844812306243837523, 589414968355530851]
    """
    digests = b"".join(
        hashlib.blake2b(str(key).encode(), digest_size=8, key=b"jointrec split").digest()
        for key in keys.to_list()
    )
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def hashes_of(tables: Tables) -> dict[str, Int64[np.ndarray, "things"]]:
    """For each entity the stable hash of each code; 0 for the unknown one."""
    return {
        name: np.concatenate([np.zeros(1, np.int64), stable_hash(frame["@key"])])
        for name, frame in tables.entities.items()
    }


def trained_rows(
    project: Project, tables: Tables, hashes: Mapping[str, Int64[np.ndarray, "things"]]
) -> dict[str, pl.Series]:
    """For each event and each entity, which of its rows are training rows.

    :param hashes: As :func:`hashes_of` gives them.
    """
    return rows_in_part(project, tables, hashes, TRAIN)


def rows_in_part(
    project: Project, tables: Tables, hashes: Mapping[str, Int64[np.ndarray, "things"]], part: int
) -> dict[str, pl.Series]:
    """For each event and each entity, which of its rows are in a part of the split."""
    masks: dict[str, pl.Series] = {}
    for name, frame in tables.events.items():
        times = frame["@time"].to_numpy() if "@time" in frame.columns else None
        first = project.event[name].entities[0]
        keys = hashes[first][frame[f"@{first}"].to_numpy()]
        masks[name] = pl.Series(project.split.parts(times, times, keys, tables.cuts) == part)
    for name in tables.entities:
        masks[name] = pl.Series(
            project.split.parts(None, None, hashes[name][1:], tables.cuts) == part
        )
    return masks


def times_named(
    project: Project, tables: Tables, trained: Mapping[str, pl.Series], entity: str
) -> pl.Series | None:
    """How many training rows name each thing; None where no event names the entity at all."""
    named = [name for name, event in project.event.items() if entity in event.entities]
    if not named:
        return None
    counts = np.zeros(len(tables.entities[entity]) + 1, np.int64)
    for name in named:
        codes = tables.events[name][f"@{entity}"].filter(trained[name]).to_numpy()
        counts += np.bincount(codes, minlength=len(counts))
    return pl.Series(counts[1:])


def times_met(project: Project, tables: Tables) -> dict[str, Int64[np.ndarray, "codes"]]:
    """How many training events name each thing, by code: 0 for the unknown one, code 0.

    Entities that no event names are left out.
    """
    trained = trained_rows(project, tables, hashes_of(tables))
    counts = {name: times_named(project, tables, trained, name) for name in project.entity}
    return {
        name: np.concatenate([np.zeros(1, np.int64), found.to_numpy()])
        for name, found in counts.items()
        if found is not None
    }


def learned_rows(
    project: Project,
    tables: Tables,
    trained: Mapping[str, pl.Series],
    table: str,
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """The rows of a table whose columns may be learned from.

    Of an event its training rows, of an entity the rows of things that training rows name; where
    it has versions, those from before the validation cut.

    :param columns: Of an event only these. None: all.
    """
    frame = tables.columns_of(table)
    if table in tables.events:
        wanted = frame.columns if columns is None else columns
        return pl.DataFrame([frame[column].filter(trained[table]) for column in wanted])
    counts = times_named(project, tables, trained, table)
    seen = trained[table] if counts is None else counts > 0
    if table not in tables.versions:
        return frame.filter(seen)
    frame = frame.filter(seen.gather(frame["@code"] - 1))
    return frame if tables.cuts.valid is None else frame.filter(pl.col("@time") < tables.cuts.valid)


def days_named(
    project: Project, tables: Tables, trained: Mapping[str, pl.Series], entity: str
) -> pl.Series:
    """On how many different days (UTC) a training row names each thing.

    A row without a time counts as a day of its own.
    """
    days = np.zeros(len(tables.entities[entity]) + 1, np.int64)
    first = (tables.first or 0) // DAY
    span = (tables.until or 0) // DAY - first + 1
    timed: list[Int64[np.ndarray, "named"]] = []
    for name, event in project.event.items():
        if entity not in event.entities:
            continue
        frame = tables.events[name]
        for start in range(0, len(frame), PIECE):
            used = trained[name][start : start + PIECE]
            some = frame[start : start + PIECE]
            codes = some[f"@{entity}"].filter(used).to_numpy()
            if event.time is None:
                days += np.bincount(codes, minlength=len(days))
            else:
                day = some["@time"].filter(used).to_numpy() // DAY - first
                timed.append(_distinct(codes * span + day))
    if timed:
        found = _distinct(np.concatenate(timed)) // span
        days += np.bincount(found, minlength=len(days))
    return pl.Series(days[1:])


def _distinct(numbers: Int64[np.ndarray, "_"]) -> Int64[np.ndarray, "_"]:
    """Each number once, ascending. Sorting is several times as fast as what `numpy.unique` does."""
    ordered = np.sort(numbers)
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]
