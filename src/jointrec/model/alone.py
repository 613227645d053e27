"""Every task by itself: what training together is compared with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from jointrec.errors import ProjectError
from jointrec.network import JointNetwork
from jointrec.plan import plan
from jointrec.prepare import Prepared
from jointrec.project import Project
from jointrec.training import Apart, Beside, Watch, alone, threads, train, worth_apart


class Alone:
    """Trains each task by itself, with the same rows, features and budget.

    :param project: What the tasks are of.
    :param prepared: What they learn from.
    :param folder: Where checkpoints are kept; None where none are.
    :param resume: Whether it goes on from them.
    :param watch: Told how it goes.
    """

    def __init__(
        self, project: Project, prepared: Prepared, folder: Path | None, resume: bool, watch: Watch
    ) -> None:
        self.project, self.prepared, self.folder = project, prepared, folder
        self.resume, self.watch = resume, watch
        self._large: tuple[str, ...] = ()
        """Those that are trained on one thread, wherever they are."""
        self._apart: Apart | None = None
        self._processes = 1

    @contextmanager
    def apart(self, processes: int) -> Iterator[None]:
        """While this lasts, tasks with many rows are trained in processes of their own.

        :param processes: How many networks are trained at a time, here or there.
        """
        large = worth_apart(self.prepared, self.project.tasks) if processes > 1 else ()
        self._large = tuple(large)
        if not self._large:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="jointrec-") as room:
            kept = self.folder or Path(room)
            checkpoints = {task: checkpoint_in(kept, task) for task in self._large}
            try:
                self._apart = Apart(
                    self.project, self.prepared, checkpoints, Path(room), resume=self.resume
                )
            except (OSError, ProjectError) as error:
                if isinstance(error, ProjectError):
                    self._large = ()
                self.watch.say(f"tasks alone are trained one after another: {error}")
                yield
                return
            self._processes = processes
            names = ", ".join(self._large)
            self.watch.say(f"alone, beside this and each in a process of its own: {names}")
            with self._apart:
                yield

    def beside(self) -> Watch:
        """A watch of the joint training: as many processes start as its steps leave threads."""
        if self._apart is None:
            return self.watch
        free = self._processes
        return Beside(self.watch, self._apart.fill, lambda: free - torch.get_num_threads())

    def train(self) -> dict[str, JointNetwork]:
        """The network of each task. Those that are trained here come first, beside the others."""
        found: dict[str, JointNetwork] = {}
        here = [task for task in self.project.tasks if task not in self._large]
        for task in (*here, *self._large):
            self.watch.say(f"alone: {task}")
            if self._apart is not None:
                self._apart.fill(self._processes - 1)
            found[task] = self._one(task)
        return {task: found[task] for task in self.project.tasks}

    def _one(self, task: str) -> JointNetwork:
        single, resume = alone(self.project, task), self.resume
        checkpoint = None if self.folder is None else checkpoint_in(self.folder, task)
        if self._apart is not None and task in self._large:
            self._apart.wait(task, self._processes, self.watch)
            checkpoint, resume = self._apart.checkpoints[task], True
        with threads(1) if task in self._large else nullcontext():
            trained = train(
                single, plan(single), self.prepared,
                watch=self.watch, checkpoint=checkpoint, resume=resume,
            )  # fmt: skip
        return trained.networks[task]


def checkpoint_in(folder: Path, task: str) -> Path:
    """Where the checkpoint of a task alone is kept."""
    return folder / "checkpoints" / f"alone-{task}"
