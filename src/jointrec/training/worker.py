"""The other side of `jointrec.training.apart`: trains tasks alone, and leaves a checkpoint of each.

    python -m jointrec.training.worker FOLDER

A line of JSON on its input is a task to train, ``{"task": ..., "checkpoint": ...}``, which goes on
from the checkpoint if there is one. Lines of its output tell how far it is, and ``{"done": ...}``
that it is ready for the next. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from queue import Queue
from threading import Thread
from time import monotonic
from typing import IO

import torch

from jointrec.plan import plan
from jointrec.prepare import borrow
from jointrec.project import read

from .alone import alone
from .train import train
from .watch import Epoch, Progress, Watch

PAUSE = 0.5
"""Seconds between two lines about steps."""


class _Telling(Watch):
    """Tells every pass, and steps now and then."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._last = out, 0.0

    def step(self, progress: Progress) -> None:
        if monotonic() - self._last >= PAUSE:
            self._last = monotonic()
            self.tell(step=vars(progress))

    def epoch(self, epoch: Epoch) -> None:
        self.tell(epoch=vars(epoch))

    def tell(self, **what: object) -> None:
        self._out.write(json.dumps(what) + "\n")
        self._out.flush()


def _hear(lines: Iterable[bytes], jobs: Queue[dict[str, str]]) -> None:
    """Puts down what is asked, and ends this process as soon as the one that asks is gone."""
    for line in lines:
        jobs.put(json.loads(line))
    os._exit(1)


def main(folder: Path) -> None:
    """The command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it is told, and stops it
    watch = _Telling(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # whatever else is printed is no answer
    jobs = Queue[dict[str, str]]()
    Thread(target=_hear, args=(sys.stdin.buffer, jobs), daemon=True).start()
    torch.set_num_threads(1)
    project = read(folder / "project.toml")
    prepared = borrow(folder, plan(project))
    while True:
        job = jobs.get()
        single = alone(project, job["task"])
        train(
            single, plan(single), prepared,
            watch=watch, checkpoint=Path(job["checkpoint"]), resume=True,
        )  # fmt: skip
        watch.tell(done=job["task"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
