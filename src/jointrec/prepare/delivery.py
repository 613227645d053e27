"""Hands a prepared shop over: a folder of Parquet and JSON, made here and trained from anywhere.

`docs/how-to/prepared-data.md` says what is in it, file by file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from polars.exceptions import PolarsError

from jointrec import durable
from jointrec.errors import BundleError, JointRecError, ProjectError, together
from jointrec.plan import Plan
from jointrec.project import Project, parse

from .cache import Cache
from .contents import what_is_prepared
from .handover import Ready, read_prepared, read_tables, write_prepared, write_tables
from .obtaining import obtain, room_for

_MISSHAPEN = (
    AssertionError, AttributeError, IndexError, JointRecError, KeyError, PolarsError, TypeError,
    ValueError, pa.ArrowException,
)  # fmt: skip
"""What reading raises where a file says something else than it should."""


def hand_over(
    project: Project,
    plan: Plan,
    out: Path,
    *,
    root: Path | None = None,
    cache: Cache | None = None,
) -> Ready:
    """Prepares a shop and writes it to a folder; a crash leaves the old folder or the new one.

    :param out: The folder to be. One that was written so before is replaced.
    :param root: The folder that relative sources are found in.
    :raises JointRecError: for whatever is wrong with the declarations or the data, all at once.
    :raises BundleError: where something else is at ``out``.
    """
    ready = obtain(project, plan, root, cache=cache)

    def fill(folder: Path) -> None:
        own = with_own_tables(project).to_toml()
        (folder / "project.toml").write_text(own, encoding="utf-8")
        write_tables(folder, ready.tables)
        write_prepared(folder, ready.reader, ready.prepared, ready.findings)

    out.parent.mkdir(parents=True, exist_ok=True)
    durable.write_folder(out, fill)
    return ready


def open_handover(project: Project, plan: Plan, folder: Path) -> Ready:
    """A shop that :func:`hand_over` wrote, after every file was checked against the manifest.

    :param project: What to train. It may differ in how it learns, not in what was prepared.
    :raises BundleError: where a file is missing, changed or added, or the format is another.
    :raises ProjectError: where the project asks for something else than was prepared.
    """
    durable.verify_folder(folder)
    try:
        made_for = parse((folder / "project.toml").read_text(encoding="utf-8"))
        different = list(differences(project, made_for))
        if not different:
            tables = read_tables(folder)
            with room_for(tables, None) as workspace:
                return read_prepared(folder, project, plan, tables, workspace)
    except BundleError:
        raise
    # Its sums are right, so this is not damage: somebody made the folder by hand.
    except (OSError, *_MISSHAPEN) as error:
        raise BundleError(
            f"{folder}: is not prepared data that JointRec wrote ({type(error).__name__}: {error})."
        ) from error
    told = together([f"{name} differs." for name in different], of=str(folder))
    raise ProjectError(
        f"{told} It was prepared for another project: prepare it again, or take the project that "
        f"is beside it, {folder / 'project.toml'}. How a project learns may differ: numeric, "
        "sharing, fusion, balancing, calibration, optimizer, table, budget, and which history "
        "it is."
    )


def differences(project: Project, other: Project) -> Iterator[str]:
    """Where two projects do not ask for the same preparation, as the file spells it."""
    one, two = what_is_prepared(project), what_is_prepared(other)
    for field in fields(Project):
        here, there = getattr(one, field.name), getattr(two, field.name)
        if here == there:
            continue
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            yield from (
                f"{field.name}.{name}"
                for name in dict.fromkeys([*here, *there])
                if _at(here, name) != _at(there, name)
            )
        else:
            yield "history.last" if field.name == "history" else field.name


def _at(found: Mapping[str, Any], name: str) -> Any:
    return found.get(name)


def with_own_tables(project: Project) -> Project:
    """The project with the tables of the folder as sources, which a file can always name."""
    return replace(
        project,
        entity={
            name: replace(entity, source=f"tables/entities.{name}/*.parquet")
            for name, entity in project.entity.items()
        },
        event={
            name: replace(event, source=f"tables/events.{name}/*.parquet")
            for name, event in project.event.items()
        },
    )
