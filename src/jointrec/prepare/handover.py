"""Prepared data in a folder: written once, trained from here or on another machine.

The folder holds Parquet and JSON under a manifest of SHA-256 sums (see `docs/how-to/prepare.md`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from jointrec import __version__
from jointrec.errors import BundleError
from jointrec.plan import Plan
from jointrec.project import Project
from jointrec.sources import Finding
from jointrec.splits import Cuts

from .counters import Counters
from .handing import read_asked, read_pasts, read_things, write_encoded
from .preparation import Preparation
from .prepare import prepared_of, rates_of
from .prepared import Prepared
from .reader import Reader
from .shards import read_frame, write_frame
from .tables import Tables
from .workspace import OnDisk, Workspace

FORMAT = 2
"""The version of the layout of what is written. Another version is refused."""
MAPPED = 262_144
"""From so many rows on the columns of a table that was prepared are mapped files: training reads
what was encoded of them, and hardly ever the tables themselves."""
FAMILIES = ("entities", "events", "versions", "quarantine")


@dataclass(frozen=True)
class Ready:
    """A shop that is ready to be trained on.

    :param tables: The clean tables.
    :param reader: What is known of every thing at every moment.
    :param prepared: What training reads.
    :param findings: What was odd about the labels.
    """

    tables: Tables
    reader: Reader
    prepared: Prepared
    findings: tuple[Finding, ...]


def write_tables(folder: Path, tables: Tables) -> None:
    """Writes clean tables, and ``tables.json`` that says what they are."""
    about = {
        "format": FORMAT,
        "families": {
            family: {
                name: write_frame(folder, f"tables/{family}.{name}", frame)
                for name, frame in getattr(tables, family).items()
            }
            for family in FAMILIES
        },
        "findings": [asdict(finding) for finding in tables.findings],
        "rows_in": dict(tables.rows_in),
        "first": tables.first,
        "until": tables.until,
        "cuts": [tables.cuts.valid, tables.cuts.test],
        "limits": dict(tables.limits),
    }
    _write_json(folder / "tables.json", about)


def read_tables(folder: Path, room: Path | None = None) -> Tables:
    """Clean tables that :func:`write_tables` wrote.

    :param room: Where the files of long columns are, which are unlinked at once. Default: where the
        system keeps what is temporary.
    """
    about = _read_json(folder / "tables.json")
    with tempfile.TemporaryDirectory(prefix="jointrec-", dir=room) as files:
        workspace = OnDisk(Path(files), MAPPED)
        found: dict[str, Mapping[str, pl.DataFrame]] = {
            family: {
                name: read_frame(folder, told, workspace)
                for name, told in about["families"][family].items()
            }
            for family in FAMILIES
        }
    pa.default_memory_pool().release_unused()  # what Parquet was unpacked with
    return Tables(
        found["entities"],
        found["events"],
        _findings(about["findings"]),
        found["quarantine"],
        about["rows_in"],
        about["first"],
        about["until"],
        Cuts(*about["cuts"]),
        about["limits"],
        found["versions"],
    )


def write_prepared(
    folder: Path, reader: Reader, prepared: Prepared, findings: Sequence[Finding]
) -> None:
    """Writes what was learned and encoded, and ``prepared.json`` that says what it is."""
    about = {
        "format": FORMAT,
        "jointrec": __version__,
        "findings": [asdict(finding) for finding in findings],
        **write_encoded(folder, reader, prepared),
    }
    _write_json(folder / "prepared.json", about)
    (folder / "preparation.json").write_text(reader.preparation.to_json(), encoding="utf-8")


def read_prepared(
    folder: Path, project: Project, plan: Plan, tables: Tables, workspace: Workspace
) -> Ready:
    """What :func:`write_prepared` wrote of these tables, ready to be trained on.

    :param workspace: Where large arrays live.
    """
    about = _read_json(folder / "prepared.json")
    preparation = Preparation.from_json((folder / "preparation.json").read_text(encoding="utf-8"))
    reader = Reader(
        project,
        plan,
        tables,
        preparation,
        read_things(folder, about, project, preparation, tables, workspace),
        Counters.build(project, plan, tables, rates_of(preparation)),
        read_pasts(folder, about, workspace),
    )
    prepared = prepared_of(reader, read_asked(folder, about, plan, preparation.layout, workspace))
    return Ready(tables, reader, prepared, _findings(about["findings"]))


def _findings(told: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(**{**one, "examples": tuple(one["examples"])}) for one in told)


def _write_json(path: Path, about: Mapping[str, Any]) -> None:
    text = json.dumps(about, ensure_ascii=False, allow_nan=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    about = json.loads(path.read_text(encoding="utf-8"))
    if about["format"] != FORMAT:
        raise BundleError(
            f"{path}: has format {about['format']}, this version reads {FORMAT}. Prepare it again, "
            "or use the version that wrote it."
        )
    assert isinstance(about, dict)
    return about
