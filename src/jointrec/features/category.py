"""A column of names, few of which are frequent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import polars as pl

from jointrec.errors import ProjectError

from .base import Feature, Ids, State
from .vocabulary import frequent, numbered


@dataclass(frozen=True)
class Category(Feature):
    """A column of names: a country, a brand, a device. Each frequent name has its own vector.

    Names are text, always: ``007`` is not ``7``. Rare, unseen and missing names share one vector.

    :param floor: From how many training rows on a name has a vector of its own.
    :param size: How many names may have one, the most frequent first. Default: all.
    :raises ProjectError: where ``floor`` or ``size`` is below 1.

    >>> names = pl.Series(["red", "red", "blue", None])
    >>> state = Category(floor=2).learn(names)
    >>> state
    {'values': ['red']}
    >>> Category(floor=2).encode(names, state).values.tolist()
    [1, 1, 0, 0]
    """

    floor: int = 5
    size: int | None = None

    cell: ClassVar[Literal["id"]] = "id"
    single: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.floor < 1:
            raise ProjectError(f"`floor` should be at least 1. Found `{self.floor}`.")
        if self.size is not None and self.size < 1:
            raise ProjectError(
                f"`size` should be at least 1, or be left out to keep all. Found `{self.size}`."
            )

    def learn(self, values: pl.Series) -> State:
        return {"values": frequent(values, floor=self.floor, size=self.size)}

    def encode(self, values: pl.Series, state: State) -> Ids:
        return Ids(numbered(values, state["values"]))

    def table_rows(self, state: State) -> int:
        return len(state["values"]) + 1
