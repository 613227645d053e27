"""The nouns of a project: entities, and the events that join them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from .errors import ProjectError
from .features import Feature
from .sources import holds_password, plain_password


@dataclass(frozen=True)
class Entity:
    """A thing with a key: a user, an item, a query, a store …

    :param source: A file, a glob of files, a table of a database, or a table in memory.
    :param key: The column that tells one from another. Default: the number of the row.
    :param features: How columns are read. A column that is not named is not read.
    :param id_floor: On how many different days training events must name an id before it gets a
        vector of its own; the others share one, as what was seen on one day only is not known to
        come back. A row without a time counts as a day. ``0`` gives no id a vector.
    :param time: The column that says from when on a row holds, where a key has several rows: of
        a moment, the last row strictly before it is read. Before its first row a thing is known
        by its key alone. The table of an event will do: a thing is then what its last row said.
    """

    source: Any
    key: str | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    id_floor: int = 3
    time: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", _named(self.source))
        if self.id_floor < 0:
            raise ProjectError(f"`id_floor` should be 0 or more. Found `{self.id_floor}`.")


@dataclass(frozen=True)
class Event:
    """A row that joins entities, at a time if it has one: an impression, a purchase, a judgement …

    The first entity named is the one who acts: its events become its history.

    :param source: A file, a glob of files, a table of a database, or a table in memory.
    :param entities: The entities that a row joins. The row holds their keys in columns of the same
        names as theirs, or in those that ``keys`` names.
    :param time: The column that says when. Without it the event is on no timeline.
    :param features: Columns known at the moment itself: device, position, price shown …
    :param where: Only rows with these values in these columns: ``{ type = ["cart", "buy"] }``.
    :param keys: Which column holds the key of an entity, where its name is another.
    :param matures: How long after ``time`` the row's label columns are settled. Only then may they
        enter a rate or a history.
    :param list: The column that says which rows were shown together.
    :param key: The column that names the row itself; duplicates of it are set aside.
    :param returns: The column whose negative numbers say that a row gives something back. Such a
        row is no event to ``any``, ``no``, ``count`` and ``next``; to ``sum`` it is what it says.
    :param ends: The column that says until when a row holds; null says that it still does. Without
        it a row holds for a day. Read where a label is unknown ``unless`` there is no such row.
    :param ahead: How long before its time a row is known: promotions, closures, holidays, days on
        which a thing will not be in stock. Such rows are counted before a moment as all are, and
        so long after it too. No task may ask for them, and the data do not last to them. Only say
        so of what was planned: what is known in hindsight alone would give answers away.
    """

    source: Any
    entities: tuple[str, ...]
    time: str | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    where: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    matures: str = "1d"
    list: str | None = None
    key: str | None = None
    returns: str | None = None
    ends: str | None = None
    ahead: str | None = None

    def __post_init__(self) -> None:
        # Lists are taken as well, so that an event equals the one that its file gives back.
        object.__setattr__(self, "source", _named(self.source))
        object.__setattr__(self, "entities", _names(self.entities))
        where = {column: _one_or_names(values) for column, values in self.where.items()}
        object.__setattr__(self, "where", where)


def same_source(one: Any, other: Any) -> bool:
    """Whether two sources are one. Tables in memory are compared by identity, not by their rows."""
    return one is other or (isinstance(one, str) and isinstance(other, str) and one == other)


def _named(source: Any) -> Any:
    """A source as the file spells it: a path is text. A password in it would be saved with it."""
    if isinstance(source, str) and holds_password(source):
        raise ProjectError(plain_password(source.partition("://")[0], at="source"))
    return source.as_posix() if isinstance(source, PurePath) else source


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """Names, also where there is but one."""
    return (names,) if isinstance(names, str) else tuple(names)


def _one_or_names(names: str | Iterable[str]) -> str | tuple[str, ...]:
    return names if isinstance(names, str) else tuple(names)
