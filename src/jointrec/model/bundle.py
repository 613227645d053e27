"""A saved model: a folder with a manifest of SHA-256 sums. Reading it never runs code.

It holds ``project.toml``, ``preparation.json``, ``report.json``, ``bundle.json``, the clean tables
as Parquet with page checksums, and the weights as safetensors: one file for each distinct network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import torch
from polars.exceptions import PolarsError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from jointrec import durable
from jointrec.errors import BundleError, JointRecError, ProjectError
from jointrec.evaluation import Report
from jointrec.network import JointNetwork
from jointrec.network.precision import has_bf16
from jointrec.plan import plan
from jointrec.prepare import Preparation, Tables, build_reader
from jointrec.project import Project, parse
from jointrec.splits import Cuts

from .learned import Learned

FORMAT = 9
"""The version of the layout of a bundle. A bundle of another version is refused."""

_MISSHAPEN = (
    ArithmeticError, AssertionError, AttributeError, JointRecError, LookupError, MemoryError,
    OSError, PolarsError, RuntimeError, SafetensorError, TypeError, ValueError, pa.ArrowException,
)  # fmt: skip
"""What reading raises where a file says something else than it should."""


def write(learned: Learned, path: Path) -> Path:
    """Writes a bundle; a crash leaves the old folder or the new one.

    :raises BundleError: where something is at ``path`` that is no bundle.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write_folder(path, lambda folder: _fill(learned, folder))
    return path


def read(path: Path) -> Learned:
    """Reads a bundle, after every file in it was checked against the manifest.

    :raises BundleError: where a file is missing, changed or added, a weight is no number, or the
        format is another.
    """
    manifest = durable.verify_folder(path)
    files = Files(path, frozenset(entry["path"] for entry in manifest["files"]))
    try:
        about = json.loads(files.text("bundle.json"))
        if about["format"] != FORMAT:
            raise BundleError(
                f"{path}: the bundle has format {about['format']}, this version reads {FORMAT}. "
                "Train it again, or use the version that wrote it."
            )
        return _read(files, about)
    except BundleError:
        raise
    # Its sums are right, so this is not damage: somebody made the folder by hand.
    except _MISSHAPEN as error:
        raise BundleError(
            f"{path}: is not a bundle that JointRec wrote ({type(error).__name__}: {error})."
        ) from error


@dataclass(frozen=True)
class Files:
    """The files of a bundle that the manifest names, and no others, whatever else asks for them."""

    folder: Path
    names: frozenset[str]

    def path(self, name: str) -> Path:
        """The place of a file.

        :raises BundleError: where the manifest does not name it.
        """
        if name not in self.names:
            raise BundleError(f"{self.folder}: the bundle has no file `{name}`.")
        return self.folder / name

    def text(self, name: str) -> str:
        """What a file of text says."""
        return self.path(name).read_text(encoding="utf-8")

    def table(self, name: str) -> pl.DataFrame:
        """A table, page by page checked again."""
        return pl.DataFrame(durable.read_parquet(self.path(name)))

    def weights(self, name: str) -> dict[str, torch.Tensor]:
        """The weights of a network, all of them finite."""
        weights = load_file(self.path(name))
        for weight, tensor in weights.items():
            if not torch.isfinite(tensor).all():
                raise BundleError(
                    f"{self.path(name)}: `{weight}` holds numbers that are not finite. "
                    "Train the model again."
                )
        return weights


def _fill(learned: Learned, folder: Path) -> None:
    networks = _distinct(learned.networks)
    about = {
        "format": FORMAT,
        "networks": {task: f"network-{n}" for n, (_, own) in enumerate(networks) for task in own},
        "computed": {f"network-{n}": own.computed for n, (own, _) in enumerate(networks)},
        "declared": _declared_toml(learned.declared),
    }
    _write(folder / "bundle.json", json.dumps(about, indent=2, ensure_ascii=False))
    _write(folder / "project.toml", _with_own_tables(learned.project).to_toml())
    _write(folder / "preparation.json", learned.reader.preparation.to_json())
    _write(folder / "report.json", learned.report.to_json())
    for n, (network, _) in enumerate(networks):
        save_file(network.weights(), folder / f"network-{n}.safetensors")
    tables = learned.reader.tables
    families = {"entity": tables.entities, "event": tables.events, "version": tables.versions}
    for family, frames in families.items():
        for name, frame in frames.items():
            durable.write_parquet(frame, folder / f"{family}.{name}.parquet")


def _read(files: Files, about: Mapping[str, Any]) -> Learned:
    project = parse(files.text("project.toml"), at="project.toml")
    preparation = Preparation.from_json(files.text("preparation.json"))
    planned = plan(project)
    tables = Tables(
        {name: files.table(f"entity.{name}.parquet") for name in project.entity},
        {name: files.table(f"event.{name}.parquet") for name in project.event},
        (), {}, {}, preparation.first, preparation.until, Cuts(*preparation.cuts),
        preparation.limits,
        {n: files.table(f"version.{n}.parquet") for n, e in project.entity.items() if e.time},
    )  # fmt: skip
    reader = build_reader(project, planned, tables, preparation)
    loaded: dict[str, JointNetwork] = {}
    with torch.random.fork_rng(devices=[]):  # a new network draws; whoever loads must not notice
        for name in dict.fromkeys(about["networks"].values()):
            computed = about["computed"][name] if has_bf16() else "fp32"
            network = JointNetwork(project, planned, preparation.layout, computed)
            network.put_weights(files.weights(f"{name}.safetensors"))
            loaded[name] = network.eval()
    networks = {task: loaded[about["networks"][task]] for task in project.tasks}
    declared = about["declared"]
    return Learned(
        reader,
        networks,
        Report.from_json(files.text("report.json")),
        None if declared is None else parse(declared, at="bundle.json: declared"),
    )


def _declared_toml(project: Project | None) -> str | None:
    """The project as declared, to measure the model on other tables; None for tables in memory."""
    if project is None:
        return None
    try:
        return project.to_toml()
    except ProjectError:
        return None


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _with_own_tables(project: Project) -> Project:
    """The project with the bundle's own tables as sources."""
    return replace(
        project,
        entity={n: replace(e, source=f"entity.{n}.parquet") for n, e in project.entity.items()},
        event={n: replace(e, source=f"event.{n}.parquet") for n, e in project.event.items()},
    )


def _distinct(networks: Mapping[str, JointNetwork]) -> list[tuple[JointNetwork, list[str]]]:
    """Each network once, with the tasks that it answers."""
    found: dict[int, tuple[JointNetwork, list[str]]] = {}
    for task, network in networks.items():
        found.setdefault(id(network), (network, []))[1].append(task)
    return list(found.values())
