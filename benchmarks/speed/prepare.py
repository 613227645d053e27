"""How fast a shop is prepared, and in how much memory, by its size.

A shop of each size is written as Parquet (see `big_shop`), then read, cleaned, prepared and written
as prepared data, each in a process of its own whose memory is watched. Anonymous memory is what the
process holds; mapped files, which the system takes back as it likes, are told apart from it.

    python benchmarks/speed/prepare.py                      # a million events
    python benchmarks/speed/prepare.py 1e6 1e7 --out benchmarks/results/prepare.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import big_shop
import numpy as np
import polars as pl

import jointrec as jr
from jointrec.plan import plan
from jointrec.prepare import load
from jointrec.prepare.handover import write_prepared, write_tables
from jointrec.prepare.prepare import prepare
from jointrec.prepare.workspace import OnDisk

MIB = 1 << 20


class Watched:
    """Stages of one process: how long each took, and how much memory it held at most."""

    def __init__(self) -> None:
        self.stages: dict[str, dict[str, float]] = {}
        self._peak = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self._peak = max(self._peak, memory("RssAnon"))
            time.sleep(0.02)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures what is done inside."""
        self._peak = 0
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.stages[name] = {
            "wall_s": round(time.perf_counter() - wall, 1),
            "cpu_s": round(time.process_time() - processor, 1),
            "peak_anonymous_mib": max(self._peak, memory("RssAnon")) // MIB,
        }


def memory(field: str) -> int:
    """A field of what the system says of this process, in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def measure(folder: Path) -> dict[str, Any]:
    """Prepares the shop in a folder: what it took."""
    project = big_shop.project()
    watched = Watched()
    with tempfile.TemporaryDirectory(dir=folder) as room:
        made, out = Path(room) / "arrays", Path(room) / "out"
        made.mkdir()
        out.mkdir()
        with watched.stage("read and clean"):
            tables = load(project, folder)
        with watched.stage("prepare"):
            reader, prepared, findings = prepare(project, plan(project), tables, OnDisk(made))
        with watched.stage("write Parquet"):
            write_tables(out, tables)
            write_prepared(out, reader, prepared, findings)
        written, mapped = size_of(out), size_of(made)
    return {
        "events": sum(len(frame) for frame in tables.events.values()),
        "grains": {name: len(asked) for name, asked in prepared.asked.items()},
        "stages": watched.stages,
        "peak_resident_mib": memory("VmHWM") // MIB,
        "parquet_mib": written // MIB,
        "arrays_mib": mapped // MIB,
    }


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def run(impressions: int) -> dict[str, Any]:
    """Writes a shop and measures it in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        big_shop.write(Path(folder), impressions)
        command = [sys.executable, __file__, "--measure", folder]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(said)
    found["wall_s"] = round(sum(stage["wall_s"] for stage in found["stages"].values()), 1)
    found["cpu_s"] = round(sum(stage["cpu_s"] for stage in found["stages"].values()), 1)
    found["rows_per_s"] = round(found["events"] / found["wall_s"])
    found["rows_per_cpu_s"] = round(found["events"] / found["cpu_s"])
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Measures preparation.")
    parser.add_argument("events", nargs="*", type=float, default=[1e6], help="Impressions.")
    parser.add_argument("--out", type=Path, help="Write the figures here, as JSON.")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        print(json.dumps(measure(given.measure)))
        return
    found = {
        "jointrec": jr.__version__,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "polars": f"{pl.__version__}, {pl.thread_pool_size()} threads",
        "load_before": os.getloadavg()[0],
        "runs": [],
    }
    for impressions in given.events:
        found["runs"].append(run(int(impressions)))
        print(json.dumps(found["runs"][-1], indent=1), flush=True)
        if given.out is not None:
            given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
