"""The clean tables of a project, with codes in place of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from jointrec.sources import Finding
from jointrec.splits import Cuts


@dataclass(frozen=True)
class Tables:
    """The clean tables of a project.

    :param entities: For each entity its rows; the row with code ``c`` is row ``c − 1``. The key is
        the column ``@key``. Of an entity with versions they hold nothing else.
    :param events: For each event its rows. ``@user`` holds the code of the row's user, 0 where it
        is unknown; ``@time`` the time in µs UTC.
    :param findings: What was found odd, in the order of the tables.
    :param quarantine: For each table with rows set aside, those rows as they were read, with the
        number of the row in its source (``@row``, from 1) and the code of a finding (``@reason``).
    :param rows_in: For each table, how many rows were read.
    :param first: The first moment on any timeline (µs), None where nothing has a time.
    :param until: The first µs after the last moment on any timeline.
    :param cuts: Where the split cuts time.
    :param versions: For each entity that changes with time its versions, by ``@code`` and ``@time``
        (µs UTC); each says something else than the one before it of the same code.
    :param limits: What each kind of finding learned of training rows: by its code, and there by
        ``table`` or ``table.column``.
    """

    entities: Mapping[str, pl.DataFrame]
    events: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]
    quarantine: Mapping[str, pl.DataFrame]
    rows_in: Mapping[str, int]
    first: int | None
    until: int | None
    cuts: Cuts
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    versions: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    _codes: dict[str, dict[str, int]] = field(default_factory=dict, init=False, compare=False)

    def codes(self, entity: str) -> Mapping[str, int]:
        """The code of each key of an entity. Made when it is first asked for, and kept."""
        if entity not in self._codes:
            keys = self.entities[entity]["@key"].to_list()
            self._codes[entity] = {key: code for code, key in enumerate(keys, 1)}
        return self._codes[entity]

    def columns_of(self, table: str) -> pl.DataFrame:
        """The rows that hold the columns of an entity or an event: of an entity, its versions."""
        if table in self.versions:
            return self.versions[table]
        return self.entities[table] if table in self.entities else self.events[table]
