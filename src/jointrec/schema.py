"""The nouns of a project: entities, and the events that join them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .features import Feature


@dataclass(frozen=True)
class Entity:
    """A thing with a key: a user, an item, a query, a store …

    :param source: A file, a glob of files, or a table in memory.
    :param key: The column that tells one from another. Default: the number of the row.
    :param features: How columns are read. A column that is not named is not read.
    :param id_floor: From how many training rows on an id gets a vector of its own; rarer ones
        share one. ``0`` gives no id a vector.
    """

    source: Any
    key: str | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    id_floor: int = 10


@dataclass(frozen=True)
class Event:
    """A row that joins entities, at a time if it has one: an impression, a purchase, a judgement …

    The first entity named is the one who acts: its events become its history.

    :param source: A file, a glob of files, or a table in memory.
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
