"""Tasks that are trained alone in processes of their own, each of which takes one after another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Any

from jointrec.batches.assemble import knows
from jointrec.durable import pieces_of
from jointrec.errors import ProjectError
from jointrec.prepare import Prepared, lend, with_own_tables
from jointrec.project import Project, parse
from jointrec.splits import TRAIN

from .checkpoint import Interrupted
from .watch import Epoch, Progress, Watch

WORTH = 100_000
"""From so many training rows of a task on it is worth a process, which imports and compiles what
this one has for some twelve seconds: once, while the joint network is trained (docs/log.md)."""
A_PROCESS = 1 << 30
"""The bytes that a process takes beside its embedding table."""
SOON = 0.2
"""Seconds between two looks at what a process told."""


def worth_apart(prepared: Prepared, tasks: Collection[str]) -> list[str]:
    """Those of some tasks with rows enough to be trained apart, the largest first."""
    rows = {
        task: sum(int(knows(asked, task, TRAIN, piece).sum()) for piece in pieces_of(len(asked)))
        for asked in prepared.asked.values()
        for task in asked.labels
        if task in tasks
    }
    return [task for task in sorted(rows, key=lambda task: -rows[task]) if rows[task] >= WORTH]


class Apart:
    """Trains tasks alone in processes, each of which uses one thread and takes one task after
    another, for as long as this lasts.

    All that a process leaves of a task is its checkpoint. Whoever needs the network goes on from
    there, on one thread as well: at once where the run is whole; and where the process was killed,
    or could not start, by training what is left. So whatever happens to a process, the result has
    the same bits.

    :param project: What the tasks are of.
    :param prepared: What they learn from. A copy of it is written to ``room``, for all of them.
    :param checkpoints: For each task where its checkpoint is kept; in this order they start.
    :param room: A folder for what they read.
    :param processes: How many there are, if memory holds so many.
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
        processes: int,
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
        self.checkpoints, self._room = checkpoints, room
        self._courses = {task: _Course(task, path) for task, path in checkpoints.items()}
        self._left = deque(self._courses.values())
        self._workers: list[_Worker] = []
        table = prepared.layout.table_rows * (4 * project.table.width + 16)
        self._count = min(processes, max(1, _free_bytes() // (A_PROCESS + table)))

    def __enter__(self) -> Apart:
        # Not from the folder that it happens to be in, where anything may be called `queue.py`.
        words = [sys.executable, "-P", "-m", "jointrec.training.worker", str(self._room)]
        with suppress(OSError):  # with fewer of them, or none, it only takes longer
            for number in range(self._count):
                errors = self._room / f"worker-{number}.txt"
                self._workers.append(_Worker(words, errors, self._next))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.clear()
        for worker in self._workers:
            worker.stop()

    def unbegun(self) -> Iterator[str]:
        """Takes the tasks that no process has begun, one at a time, to be trained here."""
        for course in iter(self._next, None):
            course.end()
            yield course.task

    def wait(self, task: str, watch: Watch) -> None:
        """Comes back when no process trains a task any longer.

        :param watch: Told how far it is.
        :raises Interrupted: on Ctrl-C.
        """
        course = self._courses[task]
        try:
            while not course.ended_in(SOON):
                course.tell(watch)
            course.tell(watch)
        except KeyboardInterrupt:
            passes = course.passes
            raise Interrupted(passes, course.checkpoint if passes else None) from None
        if course.failed:
            watch.say(f"{task}: {course.failed}, so what is left of it is trained here")

    def _next(self) -> _Course | None:
        """The next task that nobody has begun, for whoever asks first."""
        with suppress(IndexError):
            return self._left.popleft()
        return None


class _Course:
    """A task, and what a process told of it."""

    def __init__(self, task: str, checkpoint: Path) -> None:
        self.task, self.checkpoint = task, checkpoint
        self.passes = 0
        """How many whole passes were told on."""
        self.failed = ""
        """How its process ended, if before the task did."""
        self._told, self._ended = Queue[dict[str, Any]](), Event()

    def hear(self, told: dict[str, Any]) -> None:
        self._told.put(told)

    def end(self, failed: str = "") -> None:
        self.failed = failed
        self._ended.set()

    def ended_in(self, seconds: float) -> bool:
        """Whether it has ended, or does within some seconds."""
        return self._ended.wait(seconds)

    def tell(self, watch: Watch) -> None:
        """Tells the passes that were heard of since the last time, and the last step."""
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


class _Worker:
    """A process, and a thread that gives it one task after another and hears what it tells.

    :param words: Its command.
    :param errors: A file for what it says of its end.
    :param take: Gives the next task; None if none is left.
    """

    def __init__(self, words: list[str], errors: Path, take: Callable[[], _Course | None]) -> None:
        env = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        self._errors = errors
        with errors.open("wb") as file:
            # It ends when its input does, so that it never outlives who started it.
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, env=env
            )
        self._thread = Thread(target=self._work, args=(take,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with suppress(OSError), self._process:  # which closes pipes, with what was never read
            self._process.kill()  # checkpoints are whole at any time
            self._thread.join()

    def _work(self, take: Callable[[], _Course | None]) -> None:
        for course in iter(take, None):
            if not self._trains(course):
                course.end(self._why())
                return  # whatever ended it could end another
            course.end()

    def _trains(self, course: _Course) -> bool:
        """Whether it lives to say that it has trained a task."""
        ask, told = self._process.stdin, self._process.stdout
        assert ask is not None and told is not None
        words = {"task": course.task, "checkpoint": str(course.checkpoint.absolute())}
        with suppress(OSError):  # where it has ended, which is heard below
            ask.write(json.dumps(words).encode() + b"\n")
            ask.flush()
        for line in told:
            heard = json.loads(line)
            if "done" in heard:
                return True
            course.hear(heard)
        return False

    def _why(self) -> str:
        """How it ended."""
        code = self._process.wait()
        said = self._errors.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"its process ended with {code}" + (f" ({said[-1]})" if said else "")


def _free_bytes() -> int:
    """The memory that is to be had; much where the system does not say."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) << 10
    return 1 << 40
