"""A saved model: a folder with a manifest of SHA-256 sums. Loading it never runs code.

It holds ``project.toml``, ``preparation.json``, ``report.json``, ``bundle.json``, the clean tables
as Parquet with page checksums, and the weights as safetensors: one file for each distinct network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file, save_file

from jointrec import durable
from jointrec.errors import BundleError, JointRecError
from jointrec.evaluation import Report
from jointrec.network import JointNetwork
from jointrec.plan import plan
from jointrec.prepare import Preparation, Tables, build_reader
from jointrec.project import Project, parse, read
from jointrec.splits import Cuts

from .model import Model

FORMAT = 1
"""The version of the layout of a bundle. A bundle of another version is refused."""


def save(model: Model, path: Path) -> Path:
    """Writes a bundle; a crash leaves the old folder or the new one."""
    durable.write_folder(path, lambda folder: _fill(model, folder))
    return path


def load(path: str | Path) -> Model:
    """Reads a bundle, after every file in it was checked against the manifest.

    :raises BundleError: where a file is missing, changed or added, or the format is another.
    """
    folder = Path(path)
    durable.verify_folder(folder)
    about = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    if about.get("format") != FORMAT:
        raise BundleError(
            f"{folder}: the bundle has format {about.get('format')}, this version reads {FORMAT}. "
            "Train it again, or use the version that wrote it."
        )
    try:
        return _read(folder, about)
    except (KeyError, TypeError, IndexError) as error:
        raise BundleError(f"{folder}: the bundle is not one that JointRec wrote: {error!r}.") from error


def _fill(model: Model, folder: Path) -> None:
    networks = _distinct(model.networks)
    about = {
        "format": FORMAT,
        "networks": {task: f"network-{n}" for n, (_, tasks) in enumerate(networks) for task in tasks},
        "declared": _declared_toml(model.declared),
    }
    _write(folder / "bundle.json", json.dumps(about, indent=2, ensure_ascii=False))
    _write(folder / "project.toml", _with_own_tables(model.project).to_toml())
    _write(folder / "preparation.json", model.reader.preparation.to_json())
    _write(folder / "report.json", model.report.to_json())
    for n, (network, _) in enumerate(networks):
        save_file(network.weights(), folder / f"network-{n}.safetensors")
    tables = model.reader.tables
    for family, frames in (("entity", tables.entities), ("event", tables.events)):
        for name, frame in frames.items():
            pq.write_table(
                frame.to_arrow(), folder / f"{family}.{name}.parquet",
                compression="zstd", write_page_checksum=True,
            )  # fmt: skip


def _declared_toml(project: Project) -> str | None:
    """The project as declared, to measure the model on other tables; None for tables in memory."""
    try:
        return project.to_toml()
    except JointRecError:
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
    found: list[tuple[JointNetwork, list[str]]] = []
    for task, network in networks.items():
        for other, tasks in found:
            if other is network:
                tasks.append(task)
                break
        else:
            found.append((network, [task]))
    return found


def _read(folder: Path, about: Mapping[str, Any]) -> Model:
    project = read(folder / "project.toml")
    preparation = Preparation.from_json((folder / "preparation.json").read_text(encoding="utf-8"))
    report = Report.from_json((folder / "report.json").read_text(encoding="utf-8"))
    planned = plan(project)
    tables = Tables(
        {name: _table(folder / f"entity.{name}.parquet") for name in project.entity},
        {name: _table(folder / f"event.{name}.parquet") for name in project.event},
        (), {}, {}, preparation.first, preparation.until, Cuts(*preparation.cuts),
    )  # fmt: skip
    reader = build_reader(project, planned, tables, preparation)
    loaded: dict[str, JointNetwork] = {}
    for name in dict.fromkeys(about["networks"].values()):
        network = JointNetwork(project, planned, preparation.layout)
        network.put_weights(_weights(folder / f"{name}.safetensors"))
        loaded[name] = network
    networks = {task: loaded[name] for task, name in about["networks"].items()}
    declared = about["declared"]
    known = project if declared is None else parse(declared, at="bundle.json: declared")
    return Model(reader, networks, report, known)


def _table(path: Path) -> pl.DataFrame:
    table = pq.read_table(path, page_checksum_verification=True)
    return pl.DataFrame(table)


def _weights(path: Path) -> dict[str, torch.Tensor]:
    weights = load_file(path)
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise BundleError(f"{path.name}: `{name}` holds numbers that are not finite.")
    return weights
