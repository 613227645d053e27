"""A file of raw figures that grows while they are measured, so that a stopped run goes on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

MARKS = ("part", "round", "level", "system", "model", "piece", "size")
CHECKOUT = Path(__file__).resolve().parents[3]


class Results:
    """One JSON file: what the machine is, and every measurement with when and under which load.

    :param path: The file; what it holds already is kept where it was measured at the same commit.
    :param command: What was typed.
    :param keep: Keep also what was measured at other commits: each run says at which.
    """

    def __init__(self, path: Path, command: str, keep: bool = False) -> None:
        self.path = path
        fresh = {"commands": [command], "commit": commit(), "machine": machine(), "runs": []}
        self.told: dict[str, Any] = fresh
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            if keep or before.get("commit") == fresh["commit"]:
                commands = dict.fromkeys([*before.get("commands", []), command])
                self.told = before | {"commands": list(commands), "commit": fresh["commit"]}
                self.told.pop("command", None)
            else:  # what takes long and tells how well it learns, not how fast
                self.told["runs"] = [run for run in before["runs"] if _lasting(run)]

    def done(self, **key: Any) -> bool:
        """Whether a measurement with these marks is there, and did not fail."""
        return any("failed" not in run for run in self.found(**key))

    def found(self, **key: Any) -> list[dict[str, Any]]:
        """The measurements with these marks."""
        return found(self.told["runs"], **key)

    def add(self, **run: Any) -> None:
        """Keeps a measurement, on disk too, in place of one with the same marks that failed."""
        self.told["runs"] = [
            old
            for old in self.told["runs"]
            if "failed" not in old or any(old.get(name) != run.get(name) for name in MARKS)
        ]
        at = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        measured = {"load": round(os.getloadavg()[0], 1), "commit": self.told["commit"]}
        self.told["runs"].append({**run, **at, **measured})
        self.write()

    def write(self) -> None:
        """Writes the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = {key: value for key, value in self.told.items() if key != "runs"}
        runs = ",\n".join("  " + json.dumps(run) for run in self.told["runs"])
        text = json.dumps(whole, indent=1)[:-2] + f',\n "runs": [\n{runs}\n ]\n}}\n'
        self.path.write_text(text, encoding="utf-8")


def _lasting(run: dict[str, Any]) -> bool:
    return run["part"] in ("tuned", "quality") and "failed" not in run


def found(runs: Iterable[dict[str, Any]], **key: Any) -> list[dict[str, Any]]:
    """The runs that have all these marks.

    >>> found([{"level": "1k", "rows": 1}, {"level": "1M", "rows": 2}], level="1M")
    [{'level': '1M', 'rows': 2}]
    """
    return [run for run in runs if all(run.get(name) == value for name, value in key.items())]


def pace(measured: dict[str, float]) -> float:
    """Rows for each second of processor time.

    >>> pace({"rows": 100, "cpu_s": 2.0})
    50.0
    """
    return measured["rows"] / max(measured["cpu_s"], 1e-9)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, least and most.

    >>> spread([3.0, 1.0, 2.0])
    (2.0, 1.0, 3.0)
    """
    return median(values), min(values), max(values)


def commit() -> str:
    """The last commit that changed the package, with a mark where its files were changed since."""
    git = ["git", "-C", str(CHECKOUT)]
    last = [*git, "log", "-1", "--format=%h", "--abbrev=10", "--", "src"]
    name = subprocess.run(last, capture_output=True, text=True)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "src"], capture_output=True, text=True
    ).stdout.strip()
    return (name.stdout.strip() or "unknown") + ("+changes" if changed else "")


def machine() -> dict[str, Any]:
    """What it was measured on."""
    model = platform.processor() or platform.machine()
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = 0
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemTotal"):
            memory = int(line.split()[1]) // (1 << 20)
    flags = next((line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("flags")), "")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": memory,
        "bf16_products": "avx512_bf16" in flags or "amx_bf16" in flags,
        "system": platform.system(),
        "python": platform.python_version(),
        "threads": 1,
    }


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
