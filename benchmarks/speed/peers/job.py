"""What every system is given, and what it must say: the same for all, so that figures compare.

This file is read in each system's own environment: it needs NumPy and nothing else. A system is a
script that hands :func:`main` a class with three methods; :func:`main` times them in the same way.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

BATCH = 4096
EXPERTS, WIDTHS, TOWER, WIDTH = 4, (256, 128), 32, 16
"""The model of every system: MMoE of four experts, a tower for each task, vectors of 16 numbers."""
RATE = 1e-3
SCORED = 8_192
"""Rows of one piece where a system asks how many to score at once."""


@dataclass(frozen=True)
class Job:
    """What a system is asked to do.

    :param data: The folder of the table.
    :param ids: How many ids a column can hold.
    :param steps: How many steps of training are timed; 0 is a whole pass.
    :param warm: How many steps go before, untimed.
    :param scored: How many of the held-out rows are scored; 0 scores all of them.
    :param calls: How many times 1,000 candidates of one user are scored, each timed.
    :param answers: Where the answers to the held-out rows are written. Nowhere if empty.
    """

    data: Path
    ids: int
    steps: int
    warm: int
    scored: int
    calls: int
    answers: str
    encoded: bool

    def arrays(self, part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids, numbers and labels of the rows to learn from (``train``) or held out (``held``)."""
        held = json.loads((self.data / "about.json").read_text())["held"]
        cut = slice(None, -held) if part == "train" else slice(-held, None)
        if part == "held" and self.scored:
            cut = slice(-held, -held + self.scored if self.scored < held else None)
        ids = self.ids_array()[cut]
        numbers, labels = (np.load(self.data / f"{n}.npy")[cut] for n in ("numbers", "labels"))
        return ids, numbers, labels

    def ids_array(self) -> np.ndarray:
        """The ids: as they are, or each column numbered from 1 by what its training rows hold."""
        return np.load(self.data / ("codes.npy" if self.encoded else "ids.npy"), mmap_mode="r")

    def sizes(self) -> list[int]:
        """How many vectors each column needs."""
        if not self.encoded:
            return [self.ids] * 20
        return json.loads((self.data / "codes.json").read_text())


class System(Protocol):
    """What a script under measurement can do. Preparation of its own goes into ``__init__``."""

    packages: tuple[str, ...]

    def train(self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray) -> None:
        """One pass over these rows, shuffled, in steps of :data:`BATCH` rows."""

    def score(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """An answer of each task to each row, by the system's own way to predict."""


class Clock:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self.wall, self.processor = time.perf_counter(), time.process_time()

    def read(self, rows: int) -> dict[str, float]:
        """What a stretch of work took."""
        return {
            "rows": rows,
            "wall_s": round(time.perf_counter() - self.wall, 4),
            "cpu_s": round(time.process_time() - self.processor, 4),
        }


def asked(words: list[str] | None = None) -> Job:
    """The job, from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ids", type=int, required=True)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--warm", type=int, default=4)
    parser.add_argument("--scored", type=int, default=0)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--answers", default="")
    parser.add_argument("--encoded", action="store_true")
    return Job(**vars(parser.parse_args(words)))


def main(build: Any) -> None:
    """Trains, scores, and prints one line of JSON: rows, seconds, memory, versions.

    :param build: Makes a :class:`System` of a job.
    """
    job = asked()
    ids, numbers, labels = job.arrays("train")
    ids = np.ascontiguousarray(ids)
    system = build(job)
    told: dict[str, Any] = {"versions": {name: version(name) for name in system.packages}}
    if job.warm:
        few = slice(None, job.warm * BATCH)
        system.train(ids[few], numbers[few], labels[few])
    rows = slice(None, job.steps * BATCH or None)
    clock = Clock()
    system.train(ids[rows], numbers[rows], labels[rows])
    told["train"] = clock.read(len(ids[rows]))
    told["peak_mib"] = peak_mib()
    told |= scored(job, system)
    print("\n" + json.dumps(told))


def scored(job: Job, system: System) -> dict[str, Any]:
    """How fast a system answers: many rows at once, and 1,000 candidates of one user at a time."""
    told: dict[str, Any] = {}
    ids, numbers, _ = job.arrays("held")
    ids = np.ascontiguousarray(ids)
    if job.answers or job.scored:
        system.score(ids[:BATCH], numbers[:BATCH])
        clock = Clock()
        answers = system.score(ids, numbers)
        told["score"] = clock.read(len(ids))
        if job.answers:
            np.save(job.answers, np.asarray(answers, dtype=np.float32))
    if job.calls:
        few, some = ids[:1000].copy(), numbers[:1000].copy()
        few[:, :10], some[:, :5] = few[0, :10], some[0, :5]  # one user, 1,000 candidates
        told["latency_ms"] = timed_calls(lambda _: system.score(few, some), job.calls)
    return told


def timed_calls(call: Any, count: int) -> dict[str, float]:
    """Milliseconds of a call after ten untimed ones: median, 99th percentile, processor time."""
    wall, processor = [], []
    for number in range(count + 10):
        begun, spent = time.perf_counter(), time.process_time()
        call(number)
        if number >= 10:
            wall.append(1000 * (time.perf_counter() - begun))
            processor.append(1000 * (time.process_time() - spent))
    return {
        "calls": count,
        "p50": round(float(np.percentile(wall, 50)), 3),
        "p99": round(float(np.percentile(wall, 99)), 3),
        "cpu_p50": round(float(np.percentile(processor, 50)), 3),
    }


def anonymous_mib() -> int:
    """The memory that this process holds and nobody can take from it, in MiB.

    Pages of mapped files are not in it. Where there is no ``/proc``, the most it ever held.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        held = next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 * 1024)
    return held // 1024


def _watch() -> None:
    while True:
        _PEAK[0] = max(_PEAK[0], anonymous_mib())
        time.sleep(0.05)


_PEAK = [0]
threading.Thread(target=_watch, daemon=True).start()


def peak_mib() -> int:
    """The most anonymous memory that this process ever held, in MiB, looked at every 50 ms."""
    return max(_PEAK[0], anonymous_mib())


def known_or_zero(labels: np.ndarray) -> np.ndarray:
    """Labels for a system that cannot leave an unknown one out: it is told 0.

    The amount is told as its logarithm, as squared errors would else be ruled by the largest.
    """
    known = np.nan_to_num(labels, nan=0.0).astype(np.float32)
    known[:, 3] = np.log1p(known[:, 3])
    return known
