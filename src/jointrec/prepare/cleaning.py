"""Cleans one table at a time: what cannot be used is set aside, never mended in silence."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from jointrec.plan import key_column
from jointrec.project import Project
from jointrec.schema import same_source
from jointrec.sources import Finding

EARLIEST, LATEST = 315_532_800_000_000, 4_102_444_800_000_000
"""1980 and 2100 in µs UTC: a time outside is a mistake of the data, not a moment."""
EXAMPLES = 3
"""How many examples a finding shows."""


class Cleaning:
    """What cleaning has found so far.

    :ivar findings: What was odd, in the order in which it was found.
    :ivar quarantine: For each table the rows that were set aside.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.quarantine: dict[str, pl.DataFrame] = {}

    def find(
        self, code: str, at: str, bad: pl.Series | pl.DataFrame, *, action: str, text: str
    ) -> None:
        """Notes a finding about values of a column or about rows, if there are any.

        :param at: The table, as the project names it.
        """
        if len(bad) == 0:
            return
        if isinstance(bad, pl.Series):
            column = bad.name
            examples = bad.drop_nulls().unique(maintain_order=True).head(EXAMPLES).to_list()
        else:
            column, examples = None, bad.head(EXAMPLES).to_dicts()
        shown = tuple(_shown(value) for value in examples)
        self.findings.append(Finding(code, at, column, len(bad), shown, action, text))

    def set_aside(
        self, at: str, frame: pl.DataFrame, bad: pl.Series, *, code: str, text: str
    ) -> pl.DataFrame:
        """Moves the bad rows of a frame to the quarantine and gives the others."""
        if not bad.any():
            return frame
        rows = frame.filter(bad)
        self.find(code, at, rows.select(pl.exclude("^@.*$")), action="set aside", text=text)
        aside = rows.with_columns(pl.lit(code).alias("@reason"))
        self.keep_aside(at.partition(".")[2], aside)
        return frame.filter(~bad)

    def keep_aside(self, name: str, rows: pl.DataFrame) -> None:
        """Adds rows, each with its ``@reason``, to the quarantine of a table."""
        if len(rows):
            before = [self.quarantine[name]] if name in self.quarantine else []
            self.quarantine[name] = pl.concat([*before, rows], how="diagonal_relaxed")

    def aside(self, name: str) -> int:
        """How many rows of a table are in the quarantine."""
        return len(self.quarantine[name]) if name in self.quarantine else 0


def _shown(example: object) -> str:
    """A value, or a row as ``column=value``."""
    if isinstance(example, dict):
        return ", ".join(f"{name}={value}" for name, value in example.items())
    return str(example)


def clean_entity(
    project: Project, name: str, frame: pl.DataFrame, cleaning: Cleaning
) -> pl.DataFrame:
    """The rows of an entity, each with a key of its own in ``@key``: the number of the row, from 0,
    where no key is declared."""
    entity, at = project.entity[name], f"entity.{name}"
    if entity.key is None:
        return frame.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("@key"))
    key = f"`{entity.key}`"
    frame = frame.with_columns(pl.col(entity.key).alias("@key"))
    frame = cleaning.set_aside(
        at, frame, frame["@key"].is_null(), code="no_key", text=f"rows without a {key}."
    )
    if entity.time is not None:
        return _versioned(project, name, _timed(frame, entity.time, at, cleaning), cleaning)
    return cleaning.set_aside(
        at, frame, ~frame["@key"].is_first_distinct(), code="duplicate_key",
        text=f"rows whose {key} an earlier row has already. The first of each is used.",
    )  # fmt: skip


def _versioned(
    project: Project, name: str, frame: pl.DataFrame, cleaning: Cleaning
) -> pl.DataFrame:
    """Rows of which no two say different things of one key at one time.

    Rows that say the same are one version. They are worth a word only where the table is the
    entity's own: one of order lines names its customer in each of them.
    """
    entity, at = project.entity[name], f"entity.{name}"
    again = pl.struct("@key", "@time").is_duplicated()
    same = frame.with_row_index("@row").filter(again)
    said = [column for column in frame.columns if column not in (entity.key, entity.time)]
    first = [pl.col(column).first().over("@key", "@time").alias(f"@{column}") for column in said]
    differs = pl.any_horizontal(*[pl.col(c).ne_missing(pl.col(f"@{c}")) for c in said])
    told = same.with_columns(*first).select(
        "@row",
        differs.alias("differs"),
        pl.struct("@key", "@time").is_first_distinct().alias("first"),
    )
    if not any(same_source(event.source, entity.source) for event in project.event.values()):
        rows = told.filter(~pl.col("differs") & ~pl.col("first"))["@row"]
        cleaning.find(
            "repeated_version", at, frame[rows].select(pl.exclude("^@.*$")), action="used once",
            text=f"rows equal to an earlier one, `{entity.time}` and all.",
        )  # fmt: skip
    differing = pl.int_range(len(frame), eager=True).is_in(
        told.filter("differs")["@row"].cast(pl.Int64).implode()
    )
    return cleaning.set_aside(
        at, frame, differing, code="two_versions",
        text=f"rows that say something else of a `{entity.key}` than an earlier row of the very "
        f"same `{entity.time}`. The first of each is used.",
    )  # fmt: skip


def clean_event(
    project: Project,
    name: str,
    frame: pl.DataFrame,
    entities: Mapping[str, pl.DataFrame],
    cleaning: Cleaning,
) -> pl.DataFrame:
    """The rows of an event, with the codes of the things they name and the time in µs.

    :param entities: The clean tables of all entities.
    """
    event, at = project.event[name], f"event.{name}"
    keys = {entity: key_column(project, name, entity) for entity in event.entities}
    nobody = frame.select(pl.all_horizontal(pl.col(*keys.values()).is_null())).to_series()
    frame = cleaning.set_aside(at, frame, nobody, code="no_key", text="rows that name nobody.")
    if event.time is not None:
        frame = _timed(frame, event.time, at, cleaning)
    if event.key is not None:
        again = _repeats(frame, event.key)
        frame = cleaning.set_aside(
            at, frame, again, code="duplicate_key",
            text=f"rows whose `{event.key}` an earlier row has already. The first of each is used.",
        )  # fmt: skip
    for entity, column in keys.items():
        frame = _coded(frame, entity, column, entities[entity]["@key"], at, cleaning)
    if event.key is None:
        _find_repeated(frame, keys, event.time, at, cleaning)
    return frame


def _timed(frame: pl.DataFrame, column: str, at: str, cleaning: Cleaning) -> pl.DataFrame:
    """Rows with a moment in ``@time``."""
    frame = frame.with_columns(pl.col(column).alias("@time"))
    frame = cleaning.set_aside(
        at, frame, frame["@time"].is_null(), code="no_time", text=f"rows without a `{column}`."
    )
    strange = ~frame["@time"].is_between(EARLIEST, LATEST)
    return cleaning.set_aside(
        at, frame, strange, code="strange_time", text=f"`{column}` is before 1980 or after 2100."
    )


def _repeats(frame: pl.DataFrame, key: str) -> pl.Series:
    """Whether an earlier row has the same key: earlier in time, and in the table among equals.

    Were it the order of the table alone, a row from after the validation cut could push out one
    that is learned from.
    """
    if frame[key].drop_nulls().is_unique().all():
        return pl.repeat(False, len(frame), eager=True)
    by = ["@time", "@row"] if "@time" in frame.columns else ["@row"]
    ordered = frame.with_columns(pl.int_range(pl.len()).alias("@row")).sort(by)
    again = ordered.select("@row", pl.col(key).is_not_null() & ~pl.col(key).is_first_distinct())
    return again.sort("@row")[key]


def _coded(
    frame: pl.DataFrame, entity: str, column: str, keys: pl.Series, at: str, cleaning: Cleaning
) -> pl.DataFrame:
    """Rows with the code of the thing that they name; 0 where no table holds it."""
    code = f"@{entity}"
    codes = pl.DataFrame({"@key": keys, code: pl.int_range(1, len(keys) + 1, eager=True)})
    frame = frame.join(codes, left_on=column, right_on="@key", how="left", maintain_order="left")
    frame = frame.with_columns(pl.col(code).fill_null(0))
    lost = frame.filter(pl.col(code) == 0)[column]
    cleaning.find(
        "orphan", at, lost.drop_nulls(), action="read as unknown",
        text=f"keys that no row of `{entity}` has.",
    )  # fmt: skip
    cleaning.find(
        "missing_key", at, lost.filter(lost.is_null()), action="read as unknown",
        text=f"rows that do not say which {entity}.",
    )  # fmt: skip
    return frame


def _find_repeated(
    frame: pl.DataFrame, keys: Mapping[str, str], time: str | None, at: str, cleaning: Cleaning
) -> None:
    """Notes rows that are equal in all that is read. They stay: a shop may have sold two of one.

    Compared are codes, which is faster than text, and keys only where some have no code.
    """
    coded = [column for entity, column in keys.items() if (frame[f"@{entity}"] > 0).all()]
    compared = pl.struct(pl.exclude(*coded, *([time] if time else [])))
    again = frame.select(~compared.is_first_distinct()).to_series()
    cleaning.find(
        "repeated_row", at, frame.filter(again).select(pl.exclude("^@.*$")), action="kept",
        text="rows equal to an earlier one in every column that is read. Where they are mistakes, "
        "name the column that tells rows apart as `key`.",
    )  # fmt: skip
