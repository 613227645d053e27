"""What is measured beside training: answers to one user, single pieces, the sequence workload."""

from __future__ import annotations

import random
import sys
from typing import Any

from environments import python_of
from rich.progress import Progress
from sequences import write
from systems import HERE, LEVELS, SEQUENCES, SYSTEMS
from training import Effort, Place, prepare, prepared_of
from workload import Workload, written

CALLS = 60
FEW = 330_000
"""Rows of the table that pieces are measured on: enough for steps of full size."""
SERVING = ("torch-rechub", "deepctr-torch", "plain torch")
"""The peers that answer one user here."""
TABLES = (20_000, 200_000, 2_000_000, 20_000_000, 50_000_000)
TASKS = (2, 4, 8, 16, 32)
ROWS = (200_000, 1_000_000, 3_000_000)
MANY_ROWS = (10_000_000,)
PRECISION = ("--precision", "auto")
"""As a project has it that does not say."""


def serving(place: Place, rounds: int, progress: Progress) -> None:
    """One user and 1,000 candidates, round by round, at 100,000 ids a column."""
    table = written(Workload(LEVELS["100k"]), place.cache)
    peers = [system for system in SYSTEMS if system.name in SERVING]
    todo = [(number, name) for number in range(rounds) for name in ("jointrec", *SERVING)]
    random.Random(0).shuffle(todo)
    for number, name in progress.track(sorted(todo, key=lambda one: one[0]), description="serving"):
        mark = {"part": "serving", "round": number, "system": name}
        if name == "jointrec":
            kept = place.cache / "models" / f"latency-{place.results.told['commit']}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            words: list[Any] = ["--cache", kept, "--calls", CALLS, *PRECISION]
            place.attempt(mark, place.run, sys.executable, HERE / "run_latency.py", *words)
            continue
        system = next(peer for peer in peers if peer.name == name)
        words = ["--data", table, "--ids", LEVELS["100k"], "--steps", 1, "--warm", 0]
        python = python_of(system.environment, place.cache)
        place.attempt(mark, place.run, python, HERE / system.script, *words, "--calls", CALLS)


def measure(place: Place, effort: Effort, full: bool, progress: Progress) -> None:
    """JointRec alone: the loader, larger tables, more tasks, more rows."""
    few = Effort(rows=FEW, held=FEW // 10)
    table = written(Workload(LEVELS["1k"], few.rows, few.held), place.cache)
    prepare(place, "few", table)
    own = ["--data", table, "--prepared", prepared_of(place, "few", "mmoe")]
    todo: list[tuple[int, str, int]] = [
        (number, piece, size)
        for number in range(effort.rounds if full else 1)
        for piece, sizes in (("loader", (0,)), ("table", TABLES), ("tasks", TASKS))
        for size in sizes
    ]
    todo += [(0, "rows", size) for size in (*ROWS, *(MANY_ROWS if full else ()))]
    todo += [(0, "fit", size) for size in (1, 2)] if full else []
    for number, piece, size in progress.track(todo, description="pieces"):
        mark = {"part": "pieces", "round": number, "piece": piece, "size": size}
        if piece == "fit":  # of the whole table: a process of its own takes seconds to start
            whole = written(Workload(LEVELS["1k"], effort.rows, effort.held), place.cache)
            prepare(place, "1k", whole)
            own = ["--data", whole, "--prepared", prepared_of(place, "1k", "mmoe")]
        words = [HERE / "run_pieces.py", piece, "--size", size, *own, *PRECISION]
        place.attempt(mark, place.run, sys.executable, *words)


def sequences(place: Place, rounds: int, progress: Progress) -> None:
    """The sequence workload, every system in every round, in an order of chance."""
    data = ["--data", write(place.cache / "data" / "sequences")]
    todo = []
    for number in range(rounds):
        systems = list(SEQUENCES)
        random.Random(number).shuffle(systems)
        todo += [(number, system) for system in systems]
    for number, system in progress.track(todo, description="sequences"):
        own = ["--steps", 40, *PRECISION] if system.own else []
        python = sys.executable if system.own else python_of(system.environment, place.cache)
        mark = {"part": "sequences", "round": number, "system": system.name}
        place.attempt(mark, place.run, python, HERE / system.script, *data, *own)
