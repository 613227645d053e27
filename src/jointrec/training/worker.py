"""The other side of `jointrec.training.apart`: trains one task alone, and leaves a checkpoint.

    python -m jointrec.training.worker FOLDER TASK CHECKPOINT [resume]

It tells how far it is, a line of JSON at a time, and ends when nobody listens any more.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from threading import Thread
from time import monotonic

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

    def __init__(self) -> None:
        self._last = 0.0

    def step(self, progress: Progress) -> None:
        if monotonic() - self._last >= PAUSE:
            self._last = monotonic()
            _tell(step=vars(progress))

    def epoch(self, epoch: Epoch) -> None:
        _tell(epoch=vars(epoch))


def _tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _end_with(stream: int) -> None:
    """Ends this process as soon as the one that started it is gone."""
    while os.read(stream, 1):
        pass
    os._exit(1)


def main(folder: Path, task: str, checkpoint: Path, *, resume: bool) -> None:
    """The command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it is told, and stops it
    Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
    torch.set_num_threads(1)
    project = read(folder / "project.toml")
    prepared, single = borrow(folder, plan(project)), alone(project, task)
    train(
        single, plan(single), prepared,
        watch=_Telling(), checkpoint=checkpoint, resume=resume,
    )  # fmt: skip


if __name__ == "__main__":
    own_folder, own_task, own_checkpoint, *more = sys.argv[1:]
    main(Path(own_folder), own_task, Path(own_checkpoint), resume=more == ["resume"])
