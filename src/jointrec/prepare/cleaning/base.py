"""What a kind of finding is: what it learns, and where it is found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from jointrec.plan import columns_of
from jointrec.prepare.tables import Tables
from jointrec.prepare.workspace import IN_MEMORY, Workspace
from jointrec.project import Project

Limits = Mapping[str, float]
"""What a kind of finding learned, by ``table`` or ``table.column``."""
LEAST = 100
"""From how many values on a limit is learned."""


@dataclass(frozen=True)
class View:
    """Tables while they are cleaned.

    :param seen: For each table, which of its rows training has seen: its own training rows; of an
        entity, those that a training row names; of its versions, those from before the validation
        cut.
    :param workspace: Where what is made of long columns lives for a while.
    """

    project: Project
    tables: Tables
    seen: Mapping[str, pl.Series]
    workspace: Workspace = IN_MEMORY

    @property
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The rows that hold the columns of each table, by name: of an entity, its versions."""
        names = [*self.tables.entities, *self.tables.events]
        return {name: self.tables.columns_of(name) for name in names}

    def learned(self, name: str, column: str) -> Iterator[pl.Series]:
        """What training has seen of a column, piece by piece; null is left out."""
        values, seen = self.frames[name][column], self.seen[name]
        for piece in self.workspace.pieces(len(values)):
            yield values[piece].filter(seen[piece]).drop_nulls()

    def columns(self, name: str, *cells: str) -> list[str]:
        """The columns of a table that are read as one of some kinds of cell."""
        return [column for column, cell in columns_of(self.project, name).items() if cell in cells]

    def timed(self) -> dict[str, pl.DataFrame]:
        """The events that have a time."""
        return {n: frame for n, frame in self.tables.events.items() if "@time" in frame.columns}


@dataclass(frozen=True)
class Odd:
    """Values or rows that one kind of finding found odd.

    :param table: The name of the table.
    :param column: The column, or None where whole rows are meant.
    :param rows: For each row of the table, whether it is meant.
    :param text: What is odd, as a sentence.
    :param of_keys: Whether the rows are the things of an entity, by code, and not its versions.
    :param limit: To what size a number is cut down where the action is ``cap``.
    :param examples: What to show; None for the first few values or rows.
    """

    table: str
    column: str | None
    rows: pl.Series
    text: str
    limit: float | None = None
    examples: tuple[Any, ...] | None = None
    of_keys: bool = False


class Detector(ABC):
    """A kind of finding about clean rows. To add one: a class, and its name in ``__all__``.

    Its code is declared in :mod:`jointrec.findings`, and has a section on the page of findings.
    """

    code: ClassVar[str]
    """Its name for machines."""
    by_order: ClassVar[bool] = False
    """Whether it looks at the order of the rows of a table."""

    def learn(self, view: View) -> dict[str, float]:
        """What it needs to know of training rows, by ``table`` or ``table.column``.

        Nothing but rows that training has seen may be looked at.
        """
        return {}

    @abstractmethod
    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Where it is found in all rows, by what was learned."""
