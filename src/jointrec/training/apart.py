"""Tasks that are trained alone in processes of their own, as many at a time as cores are free."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import IO, Any

from jointrec.batches.assemble import knows
from jointrec.durable import pieces_of
from jointrec.errors import ProjectError
from jointrec.prepare import Prepared, lend, with_own_tables
from jointrec.project import Project, parse
from jointrec.splits import TRAIN

from .checkpoint import Interrupted
from .watch import Epoch, Progress, Watch

WORTH = 300_000
"""From so many training rows of a task on a process of its own is worth its start: some twelve
seconds until it has imported and compiled what this one has (docs/log.md)."""
A_PROCESS = 1 << 30
"""The bytes that a process takes beside its embedding table."""
SOON = 0.2
"""Seconds between two looks at a process that is waited for."""


def worth_apart(prepared: Prepared, tasks: Collection[str]) -> list[str]:
    """Those of some tasks with rows enough for a process of their own, the largest first; none
    where it would be one alone."""
    rows = {
        task: sum(int(knows(asked, task, TRAIN, piece).sum()) for piece in pieces_of(len(asked)))
        for asked in prepared.asked.values()
        for task in asked.labels
        if task in tasks
    }
    large = [task for task in sorted(rows, key=lambda task: -rows[task]) if rows[task] >= WORTH]
    return large if len(large) > 1 else []


class Apart:
    """Trains tasks alone, each in a process of its own that uses one thread.

    All that a process leaves is its checkpoint. Whoever needs the network goes on from there, on
    one thread as well: at once where the run is whole; and where the process was killed, or could
    not start, by training what is left. So whatever happens to a process, the result has the same
    bits.

    :param project: What the tasks are of.
    :param prepared: What they learn from. A copy of it is written to ``room``, for all of them.
    :param checkpoints: For each task where its checkpoint is kept; in this order they start.
    :param room: A folder for what they read.
    :param resume: Whether they go on from checkpoints that are there.
    :raises ProjectError: where a project cannot be told to another process, as it has parts of the
        caller's own.
    :raises OSError: where there is no room for the copy.
    """

    def __init__(
        self,
        project: Project,
        prepared: Prepared,
        checkpoints: Mapping[str, Path],
        room: Path,
        *,
        resume: bool = False,
    ) -> None:
        told = with_own_tables(project)
        text = told.to_toml()
        if parse(text) != told:
            raise ProjectError("It has parts of your own, which no file can name.")
        (room / "project.toml").write_text(text, encoding="utf-8")
        lend(room, prepared)
        for checkpoint in () if resume else checkpoints.values():
            # Else what an earlier run left could be taken for what a process that was killed left.
            shutil.rmtree(checkpoint, ignore_errors=True)
        self._room, self._resume = room, resume
        self.checkpoints, self._left = checkpoints, deque(checkpoints)
        self._running: dict[str, _Worker] = {}
        table = prepared.layout.table_rows * (4 * project.table.width + 16)
        self._most = max(1, _free_bytes() // (A_PROCESS + table))

    def __enter__(self) -> Apart:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._running.values():
            worker.stop()

    def fill(self, count: int) -> None:
        """Starts processes until so many run, or as many as memory holds, or none is left."""
        busy = sum(worker.running for worker in self._running.values())
        while self._left and busy < min(count, self._most):
            task = self._left.popleft()
            self._running[task] = _Worker(self._words(task), self._room / f"{task}.txt")
            busy += 1

    def wait(self, task: str, count: int, watch: Watch) -> None:
        """Comes back when the process of a task has ended; meanwhile others are started.

        :param count: How many may run at a time.
        :param watch: Told how far it is.
        :raises Interrupted: on Ctrl-C.
        """
        try:
            self._wait(task, count, watch)
        except KeyboardInterrupt:
            passes = self._running[task].passes if task in self._running else 0
            raise Interrupted(passes, self.checkpoints[task] if passes else None) from None

    def _wait(self, task: str, count: int, watch: Watch) -> None:
        self.fill(count)
        while task not in self._running:
            self._any_soon()
            self.fill(count)
        worker = self._running[task]
        while not worker.ended_in(SOON):
            self.fill(count)
            worker.tell(watch)
        worker.tell(watch)
        if worker.failed:
            watch.say(f"{task}: {worker.failed}, so what is left of it is trained here")

    def _any_soon(self) -> None:
        next(worker for worker in self._running.values() if worker.running).ended_in(SOON)

    def _words(self, task: str) -> list[str]:
        # Not from the folder that it happens to be in, where anything may be called `queue.py`.
        words = [sys.executable, "-P", "-m", "jointrec.training.worker"]
        words += [str(self._room), task, str(self.checkpoints[task].absolute())]
        return [*words, "resume"] if self._resume else words


class _Worker:
    """A process, and what it told.

    :param words: Its command.
    :param errors: A file for what it says of its end.
    """

    def __init__(self, words: list[str], errors: Path) -> None:
        env = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        self._errors = errors
        with errors.open("wb") as file:
            # It ends when its input does, so that it never outlives who started it.
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, env=env
            )
        self._told = Queue[dict[str, Any]]()
        self.passes = 0
        """How many whole passes it told of."""
        assert self._process.stdout is not None
        self._ear = Thread(target=self._hear, args=(self._process.stdout,), daemon=True)
        self._ear.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def failed(self) -> str:
        """How it ended, if not well."""
        code = self._process.returncode
        if not code:
            return ""
        said = self._errors.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"its process ended with {code}" + (f" ({said[-1]})" if said else "")

    def ended_in(self, seconds: float) -> bool:
        """Whether it has ended, or does within some seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._ear.join()  # all that it told was heard
        return True

    def tell(self, watch: Watch) -> None:
        """Tells the passes that it told since the last time, and its last step."""
        step = None
        with suppress(Empty):
            while True:
                told = self._told.get_nowait()
                step = told.get("step", step)
                if "epoch" in told:
                    self.passes += 1
                    watch.epoch(Epoch(**told["epoch"]))
        if step is not None:
            watch.step(Progress(**step))

    def stop(self) -> None:
        self._process.kill()  # checkpoints are whole at any time
        self._process.wait()
        self._ear.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _hear(self, told: IO[bytes]) -> None:
        for line in told:
            self._told.put(json.loads(line))


class Beside(Watch):
    """Starts tasks apart as soon as it is known how many threads the steps here leave free.

    :param other: Who is told as well.
    :param fill: Starts processes until so many run.
    :param free: Gives how many threads there are free.
    """

    def __init__(self, other: Watch, fill: Callable[[int], None], free: Callable[[], int]) -> None:
        self._other, self._fill, self._free = other, fill, free
        self.stage, self.say = other.stage, other.say  # type: ignore[method-assign]
        self.epoch, self.measuring = other.epoch, other.measuring  # type: ignore[method-assign]

    def step(self, progress: Progress) -> None:
        """Told on."""
        self._fill(self._free())
        self._other.step(progress)


def _free_bytes() -> int:
    """The memory that is to be had; much where the system does not say."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) << 10
    return 1 << 40
