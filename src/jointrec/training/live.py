"""Progress as a person in front of a terminal likes to see it."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .watch import Epoch, Progress, Watch


class LiveWatch(Watch):
    """Draws how far a run is, how fast, and the losses of each task.

    :param stream: A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._title = ""
        self._valid: Mapping[str, float] = {}

    def __enter__(self) -> LiveWatch:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def stage(self, name: str) -> None:
        """The title of what follows."""
        self._title, self._valid = name, {}
        self._live.update(Text(f"{name} …"))

    def say(self, text: str) -> None:
        """A line that stays."""
        self._valid = {}
        self._console.print(Text(text))

    def step(self, progress: Progress) -> None:
        """The picture moves on."""
        self._live.update(picture(self._title, progress, self._valid))

    def epoch(self, epoch: Epoch) -> None:
        """The validation losses are renewed."""
        self._valid = {**self._valid, **epoch.valid}

    def measuring(self, task: str, way: str) -> None:
        """What is being measured."""
        self._live.update(Text(f"{self._title}: {task}, {way}"))


def picture(title: str, progress: Progress, valid: Mapping[str, float]) -> Group:
    """A bar with pace and time left, and a line for each task."""
    done = (progress.epoch - 1) * progress.steps + progress.step
    head = Table.grid(padding=(0, 1))
    head.add_row(
        Text(title, style="bold"),
        ProgressBar(progress.epochs * progress.steps, done, width=32),
        f"pass {progress.epoch}/{progress.epochs}",
        f"{progress.rows_per_second:,.0f} rows/s",
        f"at most {spell(progress.seconds_left)} left",
    )
    losses = Table.grid(padding=(0, 2))
    losses.add_row("", Text("training", style="dim"), Text("validation", style="dim"))
    for task in dict.fromkeys([*progress.losses, *valid]):
        losses.add_row(
            Text(task),
            f"{progress.losses[task]:.4f}" if task in progress.losses else "done",
            f"{valid[task]:.4f}" if task in valid else "",
        )
    return Group(head, losses)


def spell(seconds: float) -> str:
    """A time to wait, as people say it.

    >>> spell(75)
    '1 min 15 s'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
