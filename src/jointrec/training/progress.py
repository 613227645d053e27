"""Where what training tells is written: plain lines, a log, a live picture in a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from .live import LiveWatch
from .watch import Epoch, Progress, Watch


class PlainWatch(Watch):
    """Writes one line for what matters, and nothing in between.

    >>> watch = PlainWatch(sys.stdout)
    >>> watch.epoch(Epoch(0, {"click": 0.5}, {"click": 0.4}, 900, 2.0))
      pass 1 · 450 rows/s · click 0.5000 (validation 0.4000)

    :param stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def stage(self, name: str) -> None:
        """One line."""
        self._write(f"{name} …")

    def say(self, text: str) -> None:
        """One line."""
        self._write(f"  {text}")

    def epoch(self, epoch: Epoch) -> None:
        """One line."""
        losses = ", ".join(_with_valid(task, epoch) for task in epoch.losses)
        pace = epoch.rows / max(epoch.seconds, 1e-9)
        self._write(f"  pass {epoch.number + 1} · {pace:,.0f} rows/s · {losses}")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class LogWatch(Watch):
    """Keeps a log, one JSON object a line, and tells another watch.

    :param stream: Where the log goes.
    :param other: Who is told as well.
    """

    def __init__(self, stream: TextIO, other: Watch) -> None:
        self._stream, self._other = stream, other

    def stage(self, name: str) -> None:
        """A line with ``stage``."""
        self._log(stage=name)
        self._other.stage(name)

    def say(self, text: str) -> None:
        """A line with ``say``."""
        self._log(say=text)
        self._other.say(text)

    def step(self, progress: Progress) -> None:
        """Not logged."""
        self._other.step(progress)

    def epoch(self, epoch: Epoch) -> None:
        """A line with ``epoch``."""
        self._log(epoch=vars(epoch))
        self._other.epoch(epoch)

    def measuring(self, task: str, way: str) -> None:
        """Not logged."""
        self._other.measuring(task, way)

    def _log(self, **what: object) -> None:
        line = json.dumps({"time": round(time.time(), 3), **what}, ensure_ascii=False)
        self._stream.write(line + "\n")
        self._stream.flush()


@contextmanager
def live_watch(log: Path | None = None, *, stream: TextIO | None = None) -> Iterator[Watch]:
    """A watch that draws in a terminal and writes plain lines elsewhere.

    :param log: A file that keeps a log as well; a run that goes on adds to it.
    :param stream: Where to. Default: the standard error.
    """
    stream = stream or sys.stderr
    with _shown(stream) as shown:
        if log is None:
            yield shown
            return
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            yield LogWatch(file, shown)


@contextmanager
def _shown(stream: TextIO) -> Iterator[Watch]:
    if not stream.isatty():
        yield PlainWatch(stream)
        return
    with LiveWatch(stream) as live:
        yield live


def _with_valid(task: str, epoch: Epoch) -> str:
    valid = f"validation {epoch.valid[task]:.4f}" if task in epoch.valid else ""
    ndcg = f", NDCG {epoch.ndcg[task]:.4f}" if task in epoch.ndcg else ""
    return f"{task} {epoch.losses[task]:.4f}" + (f" ({valid}{ndcg})" if valid else "")
