"""A column of lists of names, in which order means nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from jointrec.errors import ProjectError

from .bags import bags_of
from .base import Bags, Feature, State
from .vocabulary import frequent, numbered


@dataclass(frozen=True)
class Set(Feature):
    """A column of any number of names: tags, colours, ingredients. Their vectors are averaged.

    A name counts once however often a list repeats it. Rare and unseen names share one vector,
    which counts once. A missing list is an empty one; a missing name in a list is none.

    :param floor: In how many training lists a name must be to have a vector of its own.
    :raises ProjectError: where ``floor`` is below 1.

    >>> tags = pl.Series([["new", "sale"], ["sale", "sale"], [], None])
    >>> state = Set(floor=2).learn(tags)
    >>> state
    {'values': ['sale']}
    >>> bags = Set(floor=2).encode(tags, state)
    >>> bags.values.tolist(), bags.offsets.tolist()
    ([0, 1, 1], [0, 2, 3, 3, 3])
    """

    floor: int = 5

    cell: ClassVar[Literal["list"]] = "list"

    def __post_init__(self) -> None:
        if self.floor < 1:
            raise ProjectError(f"`floor` should be at least 1. Found `{self.floor}`.")

    def learn(self, values: pl.Series) -> State:
        return {"values": frequent(_members(values).unique()["name"], floor=self.floor)}

    def encode(self, values: pl.Series, state: State) -> Bags:
        members = _members(values)
        places = numbered(members["name"], state["values"])
        return bags_of(members["row"].to_numpy(), places, num_rows=len(values))

    def table_rows(self, state: State) -> int:
        return len(state["values"]) + 1


def _members(values: pl.Series) -> pl.DataFrame:
    """One line per name in a list: the row of the list, and the name."""
    lists = values.cast(pl.List(pl.String))
    lengths = lists.list.len().fill_null(0).to_numpy()
    names = lists.explode(empty_as_null=False, keep_nulls=False)
    rows = np.repeat(np.arange(len(lists)), lengths)
    return pl.DataFrame({"row": rows, "name": names}).drop_nulls()
