"""Which rows of one table can be used at all: a key, a time, nobody twice, a code for each key."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from jointrec.plan import key_column
from jointrec.prepare.workspace import Workspace
from jointrec.project import Project
from jointrec.schema import same_source

from .likeness import first_repeats, occurring_again
from .naming import places_of
from .record import Record
from .times import put_future_aside

EARLIEST, LATEST = 315_532_800_000_000, 4_102_444_800_000_000
"""1980 and 2100 in µs UTC: a time outside is a mistake of the data, not a moment."""


def clean_entity(project: Project, name: str, frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """The rows of an entity, each with a key of its own in ``@key``: the number of the row, from 0,
    where no key is declared."""
    entity, at = project.entity[name], f"entity.{name}"
    if entity.key is None:
        return frame.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("@key"))
    key = f"`{entity.key}`"
    frame = frame.with_columns(pl.col(entity.key).alias("@key"))
    frame = record.set_aside(
        at, frame, frame["@key"].is_null(), code="no_key", text=f"rows without a {key}."
    )
    if entity.time is not None:
        return _versioned(project, name, _timed(frame, entity.time, at, record), record)
    again = first_repeats(frame.select("@key"), record.workspace)
    return record.set_aside(
        at, frame, again, code="duplicate_key",
        text=f"rows whose {key} an earlier row has already. The first of each is used.",
    )  # fmt: skip


def _versioned(project: Project, name: str, frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Rows of which no two say different things of one key at one time.

    Rows that say the same are one version. They are worth a word only where the table is the
    entity's own: one of order lines names its customer in each of them.
    """
    entity, at = project.entity[name], f"entity.{name}"
    again = pl.struct("@key", "@time").is_duplicated()
    same = frame.with_row_index("@place").filter(again)
    said = [c for c in frame.columns if c not in (entity.key, entity.time) and c[0] != "@"]
    first = [pl.col(column).first().over("@key", "@time").alias(f"@{column}") for column in said]
    unlike = [pl.col(c).ne_missing(pl.col(f"@{c}")) for c in said]
    differs = pl.any_horizontal(pl.lit(False), *unlike)  # nothing may be said at all
    told = same.with_columns(*first).select(
        "@place",
        differs.alias("differs"),
        pl.struct("@key", "@time").is_first_distinct().alias("first"),
    )
    if not any(same_source(event.source, entity.source) for event in project.event.values()):
        rows = told.filter(~pl.col("differs") & ~pl.col("first"))["@place"]
        text = f"rows equal to an earlier one, `{entity.time}` and all."
        record.find("repeated_version", at, frame[rows], text=text)
    differing = pl.int_range(len(frame), eager=True).is_in(
        told.filter("differs")["@place"].cast(pl.Int64).implode()
    )
    return record.set_aside(
        at, frame, differing, code="two_versions",
        text=f"rows that say something else of a `{entity.key}` than an earlier row of the very "
        f"same `{entity.time}`. The first of each is used.",
    )  # fmt: skip


def clean_event(
    project: Project,
    name: str,
    frame: pl.DataFrame,
    entities: Mapping[str, pl.DataFrame],
    record: Record,
) -> pl.DataFrame:
    """The rows of an event, with the codes of the things they name and the time in µs.

    :param entities: The clean tables of all entities.
    """
    event, at = project.event[name], f"event.{name}"
    keys = {entity: key_column(project, name, entity) for entity in event.entities}
    nobody = frame.select(pl.all_horizontal(pl.col(*keys.values()).is_null())).to_series()
    frame = record.set_aside(at, frame, nobody, code="no_key", text="rows that name nobody.")
    if event.time is not None:
        frame = _timed(frame, event.time, at, record)
        if event.ahead is None:
            frame = put_future_aside(at, frame, event.time, record)
    if event.key is not None:
        again = _repeats(frame, event.key, record.workspace)
        frame = record.set_aside(
            at, frame, again, code="duplicate_key",
            text=f"rows whose `{event.key}` an earlier row has already. The first of each is used.",
        )  # fmt: skip
    for entity, column in keys.items():
        frame = _coded(frame, entity, column, entities[entity]["@key"], at, record)
    return frame


def _timed(frame: pl.DataFrame, column: str, at: str, record: Record) -> pl.DataFrame:
    """Rows with a moment in ``@time``."""
    frame = frame.with_columns(pl.col(column).alias("@time"))
    frame = record.set_aside(
        at, frame, frame["@time"].is_null(), code="no_time", text=f"rows without a `{column}`."
    )
    strange = ~frame["@time"].is_between(EARLIEST, LATEST)
    return record.set_aside(
        at, frame, strange, code="strange_time", text=f"`{column}` is before 1980 or after 2100."
    )


def _repeats(frame: pl.DataFrame, key: str, workspace: Workspace) -> pl.Series:
    """Whether an earlier row has the same key: earlier in time, and in the table among equals.

    Were it the order of the table alone, a row from after the validation cut could push out one
    that is learned from.
    """
    by = ["@time", "@place"] if "@time" in frame.columns else ["@place"]
    hashes = (frame[key][piece].hash() for piece in workspace.pieces(len(frame)))
    like = frame[key].is_not_null() & occurring_again(hashes, len(frame), workspace)
    numbered = frame.select(key, pl.int_range(pl.len()).alias("@place"), *by[:-1])
    several = numbered.filter(like).sort(by)
    again = several["@place"].filter(~several[key].is_first_distinct())
    return pl.repeat(False, len(frame), eager=True).scatter(again, True)


def _coded(
    frame: pl.DataFrame, entity: str, column: str, keys: pl.Series, at: str, record: Record
) -> pl.DataFrame:
    """Rows with the code of the thing that they name; 0 where no table holds it."""
    place = f"@{entity}"
    codes = places_of(frame[column], keys, record.workspace)
    frame = frame.with_columns(codes.alias(place))
    for code, named, text in (
        ("orphan", True, f"keys that no row of `{entity}` has."),
        ("missing_key", False, f"rows that do not say which {entity}."),
    ):
        bad = (frame[place] == 0) & (frame[column].is_not_null() == named)
        if bad.any():
            record.find(code, at, frame.filter(bad)[column], text=text)
            if record.action(code, at) == "quarantine":
                frame = record.put_aside(at, frame, bad, code)
    return frame
