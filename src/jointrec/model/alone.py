"""Every task by itself: what training together is compared with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path

import torch

from jointrec.errors import ProjectError
from jointrec.network import JointNetwork
from jointrec.plan import plan
from jointrec.prepare import Prepared
from jointrec.project import Project
from jointrec.training import Apart, Interrupted, Watch, alone, threads, train, worth_apart


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

    @contextmanager
    def apart(self, processes: int) -> Iterator[None]:
        """While this lasts, tasks with many rows are trained in processes of their own.

        Each of them has a core, for as many tasks as there are, and what is trained here has the
        others, at least one: networks beside each other use cores better than threads of one do.
        This follows from the project and not from a measurement, so that the bits are the same
        again.

        :param processes: How many networks are trained at a time, here or there.
        """
        large = worth_apart(self.prepared, self.project.tasks) if processes > 1 else ()
        self._large, others = tuple(large), min(len(large), processes - 1)
        if not self._large:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="jointrec-") as room:
            kept = self.folder or Path(room)
            checkpoints = {task: checkpoint_in(kept, task) for task in self._large}
            try:
                self._apart = Apart(
                    self.project, self.prepared, checkpoints, Path(room), others,
                    resume=self.resume,
                )  # fmt: skip
                names = ", ".join(self._large)
                self.watch.say(f"alone, beside this in processes of their own: {names}")
            except (OSError, ProjectError) as error:
                if isinstance(error, ProjectError):
                    self._large, others = (), 0
                self.watch.say(f"tasks alone are trained one after another: {error}")
            here = max(1, torch.get_num_threads() - others)
            with threads(here), self._apart or nullcontext():
                try:
                    yield
                except Interrupted as stopped:
                    if self.folder is None:  # the room goes, and what is kept there
                        raise Interrupted(stopped.passes, None) from None
                    raise

    def train(self) -> dict[str, JointNetwork]:
        """The network of each task. What no process has begun is trained here, beside theirs."""
        found: dict[str, JointNetwork] = {}
        small = [task for task in self.project.tasks if task not in self._large]
        unbegun = () if self._apart is None else self._apart.unbegun()
        for task in chain(small, unbegun, self._large):
            if task not in found:
                found[task] = self._one(task)
        return {task: found[task] for task in self.project.tasks}

    def _one(self, task: str) -> JointNetwork:
        self.watch.say(f"alone: {task}")
        single, resume = alone(self.project, task), self.resume
        checkpoint = None if self.folder is None else checkpoint_in(self.folder, task)
        if self._apart is not None and task in self._large:
            self._apart.wait(task, self.watch)
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
