"""JointRec, piece by piece: the loader alone, larger tables, more tasks, more rows.

Each call measures one thing in a process of its own and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import declared
import numpy as np
import polars as pl
import torch
from job import BATCH, Clock, anonymous_mib, peak_mib
from run_jointrec import Timed
from workload import IDS, Workload, draw, write_parquet

import jointrec as jr
from jointrec.batches import Assembler, Loader
from jointrec.plan import Plan, plan
from jointrec.prepare import Prepared, hand_over, open_handover
from jointrec.project import Project
from jointrec.training import Interrupted, train


def opened(given: argparse.Namespace, project: Project) -> tuple[Plan, Prepared]:
    """What was prepared before."""
    planned = plan(project)
    return planned, open_handover(project, planned, given.prepared).prepared


def loader(given: argparse.Namespace) -> dict[str, Any]:
    """From prepared files to batches, and nothing else: five passes, after a few batches.

    One takes a tenth of a second, which is too short to be timed well.
    """
    project = declared.project(precision=given.precision)
    planned, prepared = opened(given, project)
    read = Loader(Assembler(prepared, planned, project.history.last), BATCH, 0)
    list(islice(read.epoch(0), 4))
    clock = Clock()
    rows = sum(len(batch) for number in range(1, 6) for batch in read.epoch(number))
    return {"loader": clock.read(rows)}


def table(given: argparse.Namespace) -> dict[str, Any]:
    """Steps on an embedding table of so many rows: the same rows, with ids drawn anew for it."""
    project = declared.project(precision=given.precision)
    planned, prepared = opened(given, project)
    asked = prepared.asked["shown"]
    own, chance = given.size // IDS, np.random.default_rng(0)
    ids = np.empty_like(asked.context.ids)
    for column in range(IDS):
        drawn = np.floor(own ** chance.random(len(ids))).astype(np.int64) - 1
        # A prime step scatters the frequent ids over the table, as they are in a real one.
        ids[:, column] = column * own + drawn * 7_368_787 % own
    grown = replace(
        prepared,
        layout=replace(prepared.layout, table_rows=own * IDS),
        asked={"shown": replace(asked, context=replace(asked.context, ids=ids))},
    )
    watch = Timed(given.warm, given.steps)
    with suppress(Interrupted):  # by the watch, after enough steps
        train(project, planned, grown, watch=watch)
    return {"train": watch.trained, "peak_mib": watch.peak}


def tasks(given: argparse.Namespace) -> dict[str, Any]:
    """Steps with so many yes-or-no tasks on the same rows."""
    project = declared.project(precision=given.precision, questions=given.size)
    planned = plan(project)
    with tempfile.TemporaryDirectory() as room:
        ready = hand_over(project, planned, Path(room) / "out", root=declared.learned(given.data))
    watch = Timed(given.warm, given.steps)
    with suppress(Interrupted):  # by the watch, after enough steps
        train(project, planned, ready.prepared, watch=watch)
    return {"train": watch.trained}


def fit(given: argparse.Namespace) -> dict[str, Any]:
    """All that `fit` trains, together and each task alone, on so many threads and in so many
    processes: seconds by the clock, so that it says something on free cores only. The scan for
    leaks, beside which processes start, is one of them."""
    torch.set_num_threads(given.size)
    model = jr.fit(
        declared.project(precision=given.precision), prepared=given.prepared,
        compare=jr.Compare(baselines=(), rounds=1), processes=given.size,
    )  # fmt: skip
    seconds = model.report.facts["seconds"]
    return {
        "fit_s": sum(seconds[stage] for stage in ("leaks", "train", "alone")),
        "seconds": seconds,
    }


def rows(given: argparse.Namespace) -> dict[str, Any]:
    """A file of so many rows, from the file to the end of a pass: speed and memory of both.

    A hundred million rows need about 6 GB for the file, 17 for what is handed over, and for as long
    as it runs 75 where the system keeps what is temporary (``TMPDIR``).
    """
    with tempfile.TemporaryDirectory() as room:
        folder = given.room or Path(room)
        if not (folder / "names.parquet").exists():
            # In a process of its own: what writing holds is not what preparing holds.
            words = ["write", "--size", str(given.size), "--room", str(folder)]
            subprocess.run([sys.executable, __file__, *words], check=True)
        project = declared.project(precision=given.precision)
        planned, clock = plan(project), Clock()
        ready = hand_over(project, planned, folder / "out", root=folder)
        told: dict[str, Any] = {"prepare": clock.read(given.size), "prepare_peak_mib": peak_mib()}
        told["prepared_mib"] = anonymous_mib()
        watch = Timed(given.warm, given.steps)
        with suppress(Interrupted):  # by the watch, after enough steps
            train(project, planned, ready.prepared, watch=watch)
        told["trained_mib"] = anonymous_mib()
    return {**told, "train": watch.trained, "peak_mib": peak_mib()}


def write(given: argparse.Namespace) -> dict[str, Any]:
    """The table that `rows` reads, written to a folder that stays."""
    given.room.mkdir(parents=True, exist_ok=True)
    write_many(given.room, given.size)
    return {"peak_mib": peak_mib()}


def write_many(folder: Path, rows: int) -> None:
    """Writes a table that need not fit into memory: one part of a million rows after another."""
    part = 1_000_000
    for number, start in enumerate(range(0, rows, part)):
        made = draw(Workload(1_000, min(part, rows - start), 0, seed=number))
        write_parquet(made, folder / "part.parquet")
        frame = pl.read_parquet(folder / "part.parquet").drop("shown_at")
        frame = frame.with_row_index("row", offset=start)
        frame.write_parquet(folder / f"part-{number:04d}.parquet")
    (folder / "part.parquet").unlink()
    whole = pl.scan_parquet(folder / "part-*.parquet")
    whole.sink_parquet(folder / "train.parquet")
    whole.select("row").sink_parquet(folder / "names.parquet")
    for path in folder.glob("part-*.parquet"):
        path.unlink()


def main() -> None:
    """The command."""
    pieces = {
        "loader": loader, "table": table, "tasks": tasks, "rows": rows, "fit": fit, "write": write,
    }  # fmt: skip
    parser = argparse.ArgumentParser()
    parser.add_argument("piece", choices=pieces)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--room", type=Path, help="where the table of `rows` is written, and stays")
    parser.add_argument("--precision", default="")
    parser.add_argument("--warm", type=int, default=4)
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args()
    print("\n" + json.dumps(pieces[given.piece](given)))


if __name__ == "__main__":
    main()
