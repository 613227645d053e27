"""What a preparation is made of, as a hash: the bytes of the tables, the project, the package.

Two equal hashes mean the same preparation. The other way round need not hold: what may differ
without changing anything only costs that it is prepared again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jointrec import sources
from jointrec.budget import Budget
from jointrec.errors import JointRecError
from jointrec.history import Mean
from jointrec.plan import columns_of
from jointrec.project import Project
from jointrec.schema import Entity, Event

from .hashing import Hash
from .tables import Tables


def what_is_prepared(project: Project) -> Project:
    """A project without what preparation does not depend on: how it is learned from, and where
    the tables are. Of the history only its length counts.
    """
    plain = Project(entity={}, tasks={})
    return replace(
        project,
        entity={name: replace(entity, source="") for name, entity in project.entity.items()},
        event={name: replace(event, source="") for name, event in project.event.items()},
        history=Mean(last=project.history.last),
        numeric=plain.numeric,
        fusion=plain.fusion,
        sharing=plain.sharing,
        balancing=plain.balancing,
        calibration=plain.calibration,
        optimizer=plain.optimizer,
        table=plain.table,
        budget=Budget(),
    )


def hash_prepared(project: Project) -> str:
    """The hash of all of a project that preparation depends on."""
    # Rows whose history is causal stand in an order of their own.
    return Hash().say([repr(what_is_prepared(project)), project.history.causal]).name()


def hash_read(project: Project) -> str:
    """The hash of all of a project that reading and cleaning the tables depends on."""
    columns = {name: columns_of(project, name) for name in [*project.entity, *project.event]}
    return Hash().say([repr(replace(what_is_prepared(project), tasks={})), repr(columns)]).name()


def of_sources(project: Project, root: Path | None) -> str | None:
    """The hash of the content of all tables; None where only reading can tell it."""
    found = Hash()
    tables: Mapping[str, Entity | Event] = {**project.entity, **project.event}
    seen: dict[Any, str] = {}
    for name, table in tables.items():
        family = "entity" if name in project.entity else "event"
        key = table.source if isinstance(table.source, str) else id(table.source)
        if key not in seen:
            try:
                content = sources.content(table.source, root=root, at=f"{family}.{name}")
            except (JointRecError, OSError):
                return None  # whoever reads them tells what is wrong, and with all of them at once
            if content is None:
                return None
            seen[key] = content
        # Which tables share a source plays a part in how it is read.
        found.say([name, list(seen).index(key), seen[key]])
    return found.name()


def of_tables(tables: Tables) -> str:
    """The hash of clean tables, for sources whose content cannot be told before they are read."""
    found = Hash()
    for family in (tables.entities, tables.events, tables.versions, tables.quarantine):
        for name, frame in family.items():
            found.say(name).frame(frame)
    facts = (tables.rows_in, tables.first, tables.until, tables.cuts, tables.limits)
    return found.say([repr(fact) for fact in facts]).name()
