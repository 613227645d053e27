"""What cleaning has found and set aside so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from jointrec.findings import action_of, done_about
from jointrec.prepare.workspace import IN_MEMORY, Workspace
from jointrec.sources import Finding

EXAMPLES = 3
"""How many examples a finding shows."""
INTERNAL = r"^@.*$"
"""The columns of a table that are not its own."""
YEAR_1, YEAR_10_000 = -62_135_596_800_000_000, 253_402_300_800_000_000
"""What a calendar holds, in µs since 1970."""
NUMBER = "@@row"
"""The number of a row in its source, from 1. Two signs, as an entity may be called ``row``."""


class Record:
    """What cleaning has found so far.

    :param chosen: What the project wants done, by code or ``table.code``.
    :param times: For each table, as the project names it, its columns of times (µs).
    :param workspace: Where long columns live.
    :ivar findings: What was odd, in the order in which it was found.
    :ivar quarantine: For each table the rows that were set aside, with ``@reason`` and ``@row``.
    """

    def __init__(
        self,
        chosen: Mapping[str, str] | None = None,
        times: Mapping[str, Collection[str]] | None = None,
        workspace: Workspace = IN_MEMORY,
    ) -> None:
        self.chosen, self.times, self.workspace = chosen or {}, times or {}, workspace
        self.findings: list[Finding] = []
        self.quarantine: dict[str, pl.DataFrame] = {}

    def action(self, code: str, at: str) -> str:
        """What is to be done about a code in a table."""
        return action_of(self.chosen, code, at)

    def find(
        self,
        code: str,
        at: str,
        bad: pl.Series | pl.DataFrame,
        *,
        text: str,
        action: str | None = None,
        examples: Sequence[Any] | None = None,
    ) -> None:
        """Notes a finding about values of a column or about rows, if there are any.

        :param at: The table, as the project names it.
        :param action: What is done. Default: what the project wants.
        :param examples: What to show instead of the first few.
        """
        if len(bad) == 0:
            return
        column = None
        if isinstance(bad, pl.Series):
            column = bad.name
            few = bad.drop_nulls().unique(maintain_order=True).head(EXAMPLES).to_list()
        else:
            few = bad.head(EXAMPLES).select(pl.exclude(INTERNAL)).to_dicts()
            for row in few:
                row |= {name: _moment(row[name]) for name in self.times.get(at, ()) if name in row}
        examples = few if examples is None else examples
        shown = tuple(_shown(value) for value in examples[:EXAMPLES])
        done = done_about(code, action or self.action(code, at))
        self.findings.append(Finding(code, at, column, len(bad), shown, done, text))

    def set_aside(
        self, at: str, frame: pl.DataFrame, bad: pl.Series, *, code: str, text: str
    ) -> pl.DataFrame:
        """Moves the bad rows of a frame to the quarantine, with a finding; gives the others."""
        if not bad.any():
            return frame
        self.find(code, at, frame.filter(bad), action="quarantine", text=text)
        return self.put_aside(at, frame, bad, code)

    def put_aside(self, at: str, frame: pl.DataFrame, bad: pl.Series, code: str) -> pl.DataFrame:
        """Moves the bad rows of a frame to the quarantine, and gives the others."""
        aside = frame.filter(bad).select(
            pl.exclude(INTERNAL), pl.col(NUMBER).alias("@row"), pl.lit(code).alias("@reason")
        )
        self.keep_aside(at.partition(".")[2], aside)
        return self.workspace.filtered(frame, ~bad)

    def keep_aside(self, name: str, rows: pl.DataFrame) -> None:
        """Adds rows, each with its ``@reason``, to the quarantine of a table."""
        if len(rows):
            before = [self.quarantine[name]] if name in self.quarantine else []
            self.quarantine[name] = pl.concat([*before, rows], how="diagonal_relaxed")

    def aside(self, name: str) -> int:
        """How many rows of a table are in the quarantine."""
        return len(self.quarantine[name]) if name in self.quarantine else 0


def _moment(time: int | None) -> object:
    """A time (µs UTC) as people write it; one that no calendar holds stays a number."""
    if time is None or not YEAR_1 <= time < YEAR_10_000:
        return time
    return datetime(1970, 1, 1) + timedelta(microseconds=time)


def _shown(example: object) -> str:
    """A value, or a row as ``column=value``."""
    if isinstance(example, dict):
        return ", ".join(f"{name}={value}" for name, value in example.items())
    return str(example)
