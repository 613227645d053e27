"""Which rows of the tables train: all that may be learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Int8, Int64

from jointrec.durable import array_of, pieces_of
from jointrec.features import Feature
from jointrec.labels import DAY
from jointrec.plan import features_of
from jointrec.project import Project
from jointrec.splits import TRAIN, Cuts, Split

from .tables import Tables
from .workspace import IN_MEMORY, Workspace


def stable_hash(keys: pl.Series) -> Int64[np.ndarray, "rows"]:
    """A hash of each key that is the same on every machine and in every version.

    >>> stable_hash(pl.Series(["a", "b"])).tolist()
    [-2844812306243837523, 589414968355530851]
    """
    start, digests = hashlib.blake2b(digest_size=8, key=b"jointrec split"), bytearray()
    for key in keys.to_list():
        one = start.copy()
        one.update(str(key).encode())
        digests += one.digest()
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def hashes_of(
    tables: Tables, workspace: Workspace = IN_MEMORY
) -> dict[str, Int64[np.ndarray, "things"]]:
    """For each entity the stable hash of each code; 0 for the unknown one.

    :param workspace: Where they live.
    """
    return {name: _hashes(frame["@key"], workspace) for name, frame in tables.entities.items()}


def _hashes(keys: pl.Series, workspace: Workspace) -> Int64[np.ndarray, "things"]:
    hashes = workspace.empty((len(keys) + 1,), np.int64)
    hashes[0] = 0
    for piece in pieces_of(len(keys)):
        hashes[1:][piece] = stable_hash(keys[piece])
    return hashes


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
        codes = frame[f"@{first}"].to_numpy()
        parts = parts_of(project.split, times, times, hashes[first], codes, tables.cuts)
        masks[name] = _mask(parts, part)
    for name, own in hashes.items():
        parts = parts_of(project.split, None, None, own[1:], None, tables.cuts)
        masks[name] = _mask(parts, part)
    return masks


def _mask(parts: Int8[np.ndarray, "rows"], part: int) -> pl.Series:
    """Which rows are in a part: a bit for each, never a byte for all of them."""
    pieces = [pl.Series(parts[piece] == part) for piece in pieces_of(len(parts))]
    return pl.concat(pieces, rechunk=True) if pieces else pl.Series(dtype=pl.Boolean)


def parts_of(
    split: Split,
    moments: Int64[np.ndarray, "rows"] | None,
    known_at: Int64[np.ndarray, "rows"] | None,
    hashes: Int64[np.ndarray, "things"],
    codes: Int64[np.ndarray, "rows"] | None,
    cuts: Cuts,
) -> Int8[np.ndarray, "rows"]:
    """The part of each row, as :meth:`.Split.parts` has it; piece by piece where no time plays one.

    :param codes: The place of each row's hash. None: each hash is a row's own.
    """
    if moments is not None:
        return split.parts(moments, known_at, hashes if codes is None else hashes[codes], cuts)
    rows = len(hashes if codes is None else codes)
    parts = array_of(rows, np.int8)
    for piece in pieces_of(rows):
        keys = hashes[piece] if codes is None else hashes[codes[piece]]
        parts[piece] = split.parts(None, None, keys, cuts)
    return parts


def times_named(
    project: Project,
    tables: Tables,
    trained: Mapping[str, pl.Series],
    entity: str,
    workspace: Workspace = IN_MEMORY,
) -> pl.Series | None:
    """How many training rows name each thing; None where no event names the entity at all.

    :param workspace: Where the counts live.
    """
    named = [name for name, event in project.event.items() if entity in event.entities]
    if not named:
        return None
    counts = workspace.empty((len(tables.entities[entity]) + 1,), np.int64)
    counts[:] = 0
    for name in named:
        codes = tables.events[name][f"@{entity}"]
        for piece in pieces_of(len(codes)):
            np.add.at(counts, codes[piece].filter(trained[name][piece]).to_numpy(), 1)
    return pl.Series(pa.array(counts[1:]))


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


def learned_columns(
    project: Project,
    tables: Tables,
    trained: Mapping[str, pl.Series],
    table: str,
    workspace: Workspace = IN_MEMORY,
) -> Iterator[tuple[str, Feature, pl.Series]]:
    """The features of a table, one at a time, with the values that may be learned from.

    Of an event its training rows, of an entity the rows of things that training rows name; where
    it has versions, those from before the validation cut.

    :param workspace: Where they live for a while.
    """
    columns = features_of(project, table)
    if not columns:
        return
    frame, kept = tables.columns_of(table), trained[table]
    if table in tables.entities:
        counts = times_named(project, tables, trained, table)
        kept = kept if counts is None else counts > 0
    if table in tables.versions:
        kept = kept.gather(frame["@code"] - 1)
        if tables.cuts.valid is not None:
            kept &= frame["@time"] < tables.cuts.valid
    for name, feature in columns.items():
        yield name, feature, workspace.selected(frame[name], kept)


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
        for piece in pieces_of(len(frame)):
            used, some = trained[name][piece], frame[piece]
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
