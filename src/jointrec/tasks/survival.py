"""How long until something happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.errors import ProjectError
from jointrec.functional import answers, losses, metrics
from jointrec.labels import DAY, Later, microseconds

from .base import Metric, State, Task
from .numbers import bounded_share, logit

MOST_BINS = 100
WITHIN = "90d"
TOLD = (1, 7, 14, 30, 60, 90, 180, 365)
"""By which days a person is told the chance, of those before the end."""


@dataclass(frozen=True)
class Survival(Task):
    """How long until it happens? Days to the next purchase, to the first return, to the last visit.

    Of some it is only known that it had not happened by the time they were last followed; they
    count just as far, where a question about a fixed time would leave them out. Time is cut into
    bins, and each has a hazard: the chance that it happens there, given that it did not before (Cox
    1972; Gensheimer and Narasimhan 2019). Bins grow: the k-th of K ends at (k / K)² of the time.

    The label is ``later.until``, or a column of days: 0 or more where it happened then, below 0
    where it had not happened in so many days. What lies beyond the end was followed to the end. The
    answer is the chance that it has happened by the end of each bin; people read that of the last,
    the expected days, and the chance by some days before. What decides is Harrell's C-index.

    :param within: How many days are followed, of a label that is a column. Default: 90 days. A
        later label has its own.
    :param bins: How many bins there are, 2 to 100.
    :raises ProjectError: where one of them is out of range.

    >>> Survival("user.days", within="30d").encode(pl.Series([3.0, -7.0, 45.0, None]), {}).tolist()
    [3.0, -7.0, -30.0, nan]
    """

    within: str | None = None
    bins: int = 12

    cell: ClassVar[str] = "number"
    form: ClassVar[str] = "times"
    adds_up: ClassVar[bool] = False
    verbs: ClassVar[tuple[str, ...]] = ("until",)
    answers: ClassVar[str] = "chance that it has happened by the end of each bin of time, 0 to 1"

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= MOST_BINS:
            raise ProjectError(f"`bins` should be 2 to {MOST_BINS}. Found `{self.bins}`.")
        if self.within is not None and isinstance(self.label, Later):
            raise ProjectError(
                "`within` of the task is for a label that is a column. A later label has its own: "
                'label = { until = "purchase", of = "user", within = "90d" }.'
            )
        microseconds(self.within or WITHIN)

    @property
    def days(self) -> float:
        """How many days are followed."""
        own = self.label.window if isinstance(self.label, Later) else None
        return (own or microseconds(self.within or WITHIN)) / DAY

    @property
    def edges(self) -> tuple[float, ...]:
        """Where bins end, in days; the first is 0, one more than bins."""
        return tuple(self.days * (k / self.bins) ** 2 for k in range(self.bins + 1))

    @property
    def bounds(self) -> tuple[float, ...]:
        return self.edges

    def learn(self, labels: pl.Series) -> State:
        return {}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        days = labels.cast(pl.Float64).fill_null(np.nan).to_numpy()
        days = np.where(np.isfinite(days), days, np.nan)
        return np.where(np.abs(days) >= self.days, -self.days, days)

    def size(self, state: State) -> int:
        return self.bins

    def loss(
        self, outputs: Float[Tensor, "rows bins"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        days = labels.to(outputs.dtype)
        return losses.survival(outputs, days.abs(), days >= 0, self.edges)

    def answer(self, outputs: Float[Tensor, "rows bins"]) -> Float[Tensor, "rows bins"]:
        return answers.happened_by(outputs)

    def columns(self, told: Float64[np.ndarray, "rows bins"], state: State) -> dict[str, pl.Series]:
        """The chance by the end, the expected days until then or it, the chance by some days."""
        edges = np.array(self.edges)
        staying = np.maximum(1 - np.pad(told, ((0, 0), (1, 0))), 1e-12)
        fall = np.maximum(-np.diff(np.log(staying), axis=1), 1e-12)
        # Within a bin the hazard is the same, so the chance of staying falls exponentially.
        stayed = staying[:, :-1] * -np.expm1(-fall) / fall * np.diff(edges)
        by = {f"P({day}d)": self._by(staying, day) for day in TOLD if day < self.days}
        return {
            "answer": pl.Series(told[:, -1]),
            "expected_days": pl.Series(stayed.sum(axis=1)),
            **by,
        }

    def _by(self, staying: Float64[np.ndarray, "rows edges"], day: float) -> pl.Series:
        edges = np.array(self.edges)
        place = int(np.searchsorted(edges, day, side="right")) - 1
        share = (day - edges[place]) / (edges[place + 1] - edges[place])
        logs = np.log(staying)
        return pl.Series(-np.expm1(logs[:, place] * (1 - share) + logs[:, place + 1] * share))

    def worth(self, answers: Float64[np.ndarray, "rows bins"]) -> Float64[np.ndarray, "rows"]:
        """The chance by the end."""
        last: Float64[np.ndarray, "rows"] = answers[:, -1]
        return last

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "bins"]:
        """Of each bin the share of those in it to whom it happened there."""
        edges, days = np.array(self.edges), np.abs(labels)
        happened = np.searchsorted(edges[1:-1], days[labels >= 0], side="right")
        hits = np.bincount(happened, minlength=self.bins)
        followed = np.clip((days[:, None] - edges[:-1]) / np.diff(edges), 0, 1)
        followed[np.flatnonzero(labels >= 0), happened] = 1.0
        found = zip(hits.tolist(), followed.sum(axis=0).tolist(), strict=True)
        return np.array([logit(bounded_share(hit, most)) for hit, most in found])

    @property
    def metrics(self) -> Mapping[str, Metric]:
        ends = self.edges[1:]
        return {
            "c_index": Metric(metrics.c_index, "higher"),
            "integrated_brier": Metric(partial(metrics.integrated_brier, edges=ends), "lower"),
            "incidence_ratio": Metric(partial(metrics.incidence_ratio, edges=ends), "one"),
        }
