"""What a guess holds: a thing or an event, the table that it stands in, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from .look import Seen
from .names import ORDER, PRICE, QUANTITY, snake
from .schemas import stage_of


@dataclass
class EntityGuess:
    """Things with a key, and the table that holds what is known of them.

    :ivar time: From when on a row holds, where a key has several.
    :ivar columns: The columns that tell of the things; None for all but the key and the labels.
    """

    name: str
    table: Seen
    key: str | None
    why: str
    labels: list[str] = field(default_factory=list)
    time: str | None = None
    columns: list[str] | None = None


@dataclass
class EventGuess:
    """A table whose rows join things, or those of its rows that are of one kind.

    :ivar entities: For each entity the column of the table that holds its key.
    :ivar kind: The column that tells the rows of this kind, where there are several, and its values
        there: one name, however it is spelled.
    :ivar unsure: Why the event had better be looked at before it is used; None where it is sure.
    :ivar about: Columns that tell of an entity rather than of the event.
    :ivar ahead: How long before their time rows are known, as the file spells it; None: not before.
    """

    name: str
    table: Seen
    entities: dict[str, str]
    time: str | None
    key: str | None
    kind: tuple[str, tuple[str, ...]] | None
    why: str
    labels: list[str] = field(default_factory=list)
    unsure: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    about: list[str] = field(default_factory=list)
    ahead: str | None = None

    @property
    def used(self) -> set[str]:
        """The columns that already mean something."""
        own = {self.time, self.key, *self.entities.values(), *self.labels, *self.about}
        return {name for name in own if name} | ({self.kind[0]} if self.kind else set())

    @property
    def rows(self) -> pl.DataFrame:
        """The rows looked at that are of this kind."""
        return self.table.sample if self.kind is None else of_kind(self.table, *self.kind)

    @property
    def stage(self) -> str | None:
        """The stage of shopping that it is, by its name, or as its columns are those of orders."""
        named = stage_of(self.kind[1][0] if self.kind else self.name)
        return "buy" if named is None and self.kind is None and of_orders(self.table) else named


def of_orders(table: Seen) -> bool:
    """Whether the rows of a table are lines of orders: some of a thing, at a price, in an order."""
    names = [snake(name) for name in table.names]
    return all(any(word.search(name) for name in names) for word in (ORDER, QUANTITY, PRICE))


def of_kind(table: Seen, column: str, values: Collection[str]) -> pl.DataFrame:
    """The rows looked at that have one of some values in a column."""
    return table.sample.filter(pl.col(column).cast(pl.String).is_in(values))
