"""What the shops of these tests are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

import jointrec as jr
from jointrec import tasks as t

DAY = 86_400_000_000
START = 19_700 * DAY
WORDS = np.array(
    ["red", "blue", "warm", "light", "shoe", "sock", "shirt", "hat", "wool", "linen", "classic"]
)


@dataclass
class Made:
    """A shop that can be planted in: its tables and declarations, by name.

    :ivar main: The event or entity whose rows carry the answer.
    :ivar answer: The column that is the answer to the first task.
    """

    frames: dict[str, pl.DataFrame]
    entities: dict[str, dict[str, Any]]
    events: dict[str, dict[str, Any]]
    tasks: dict[str, t.Task]
    main: str
    answer: str | None
    rng: np.random.Generator
    split: Any = field(default_factory=lambda: jr.ByTime(test_days=10, valid_days=10))

    def project(self) -> jr.Project:
        return jr.Project(
            entity={n: jr.Entity(self.frames[n], **kw) for n, kw in self.entities.items()},
            event={n: jr.Event(self.frames[n], **kw) for n, kw in self.events.items()},
            tasks=self.tasks,
            split=self.split,
        )

    def features(self) -> dict[str, Any]:
        """The features of the main table, to be added to."""
        table = self.entities.get(self.main) or self.events[self.main]
        return table.setdefault("features", {})

    def add(self, column: str, values: Any, feature: Any) -> None:
        """Plants a column in the main table."""
        self.frames[self.main] = self.frames[self.main].with_columns(pl.Series(column, values))
        self.features()[column] = feature

    def labels(self) -> np.ndarray:
        assert self.answer is not None
        return self.frames[self.main][self.answer].cast(pl.Float64).to_numpy()


def chance(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def tuned(logits: np.ndarray, share: float) -> np.ndarray:
    """Chances with a mean of about ``share``."""
    low, high = -30.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(logits + middle).mean() < share else (low, middle)
    return chance(logits + low)


def when(rng: np.random.Generator, rows: int, days: int) -> pl.Series:
    """Times over some days, by day and by hour as shops have them, sorted."""
    day = rng.choice(days, rows, p=(w := rng.gamma(20, 1, days)) / w.sum())
    times = START + day * DAY + (rng.beta(4, 3, rows) * DAY).astype(np.int64)
    return pl.Series(np.sort(times)).cast(pl.Datetime("us"))


def keys(prefix: str, numbers: np.ndarray) -> list[str]:
    return [f"{prefix}{n:05d}" for n in numbers]
