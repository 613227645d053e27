"""How good, in levels that stand in an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float, Float64, Int
from torch import Tensor

from jointrec.errors import DataError, ProjectError
from jointrec.functional import answers, losses, metrics

from .base import Metric, State, Task
from .lists import ListLoss, check_list_loss, list_loss_of
from .numbers import logit

MOST_LEVELS = 100
"""How many levels there may be. What has more is a number: an Amount, a Count or a Quantiles."""


@dataclass(frozen=True)
class Ordinal(Task):
    """How good? A relevance of 0 to 3, a rating of 1 to 5 stars, small to large.

    Levels stand in an order, but nothing says that they are equally far apart: a cumulative logit
    (McCullagh 1980). Null and what is no level are unknown. The answer is the probability of each
    level; people also read the expected grade, in the numbers of the label. What decides is the
    ranked probability score, which the right chances make least and in which a near miss costs less
    than a far one. Kappa, which people know, reads only the rounded grade: where grades are hard to
    tell it is 0 for a cautious answer, however well that orders rows.

    :param levels: A whole number n: the levels are the numbers 1 to n where training labels reach
        n, or else 0 to n - 1. Words, the lowest first: these are the levels. Default: the distinct
        numbers of the training labels.
    :param listwise: Which share of what is learned is the order within a list, from 0 and below 1.
        A list is the rows of one moment of the first entity, or of that entity where the event has
        no time: a request, a query.
    :param list_loss: ``softmax`` picks from the list (ListNet, as in JRC), ``pairs`` compares two
        (RankNet).
    :raises ProjectError: for less than two levels, or the same one twice.

    >>> task = Ordinal("judgement.grade", levels=4)
    >>> state = task.learn(pl.Series([0, 3, 1]))
    >>> state["levels"]
    ['0', '1', '2', '3']
    >>> task.encode(pl.Series([2.0, 7.0, None]), state).tolist()
    [2.0, nan, nan]
    """

    levels: int | tuple[str, ...] | None = None
    listwise: float = 0.0
    list_loss: ListLoss = "softmax"

    cell: ClassVar[str] = "number"
    form: ClassVar[str] = "classes"
    adds_up: ClassVar[bool] = False
    answers: ClassVar[str] = "probability of each level, 0 to 1, together 1; and the expected grade"

    def __post_init__(self) -> None:
        words = self.levels if isinstance(self.levels, tuple) else ()
        count = self.levels if isinstance(self.levels, int) else len(words)
        if self.levels is not None and not 2 <= count <= MOST_LEVELS:
            raise ProjectError(f"`levels` should be 2 to {MOST_LEVELS}. Found `{count}`.")
        if len(set(words)) < len(words):
            raise ProjectError(f"`levels` should name each level once. Found {', '.join(words)}.")
        check_list_loss(self.listwise, self.list_loss)

    @property
    def list_share(self) -> float:
        return self.listwise

    def loss_in_lists(
        self,
        outputs: Float[Tensor, "rows steps"],
        labels: Float[Tensor, "rows"],
        lists: Int[Tensor, "rows"],
    ) -> Float[Tensor, "rows"]:
        """Of the log odds of any grade above the lowest; a grade's gain is its place, at most 1."""
        gains = labels.to(outputs.dtype) / outputs.shape[1]
        return list_loss_of(self.list_loss, outputs[:, 0], gains, lists)

    @property
    def reads(self) -> str:
        return "id" if isinstance(self.levels, tuple) else self.cell

    def learn(self, labels: pl.Series) -> State:
        """The levels, lowest first, and the number that each stands for.

        :raises DataError: where training labels are no levels, or too many to be.
        """
        if isinstance(self.levels, tuple):
            return {
                "levels": list(self.levels),
                "values": list(map(float, range(len(self.levels)))),
            }
        seen = labels.cast(pl.Float64).drop_nulls().unique().sort().to_list()
        values = seen
        if self.levels is not None:
            first = 1 if seen and seen[-1] == self.levels else 0
            values = [float(first + n) for n in range(self.levels)]
            odd = [value for value in seen if value not in values]
            if odd:
                raise DataError(
                    f"`{self.label}` should hold whole numbers from 0 to {self.levels - 1}, or "
                    f"from 1 to {self.levels}, as levels = {self.levels} says. Found "
                    f"{', '.join(f'{value:g}' for value in odd[:3])}. Leave `levels` out to take "
                    "the numbers as they come."
                )
        if len(values) > MOST_LEVELS:
            raise DataError(
                f"`{self.label}` has {len(values):,} levels; an Ordinal has at most {MOST_LEVELS}. "
                "Ask for an Amount, a Count or a Quantiles."
            )
        return {"levels": [f"{value:g}" for value in values], "values": values}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        words = isinstance(self.levels, tuple)
        known = state["levels"] if words else state["values"]
        places: pl.Series = labels.cast(pl.String if words else pl.Float64).replace_strict(
            known, range(len(known)), default=None, return_dtype=pl.Float64
        )
        return places.fill_null(np.nan).to_numpy(writable=True)

    def size(self, state: State) -> int:
        return max(len(state["levels"]) - 1, 1)

    def loss(
        self, outputs: Float[Tensor, "rows steps"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return losses.ordinal(outputs, labels.long())

    def answer(self, outputs: Float[Tensor, "rows steps"]) -> Float[Tensor, "rows levels"]:
        return answers.grades(outputs)

    def columns(
        self, told: Float64[np.ndarray, "rows levels"], state: State
    ) -> dict[str, pl.Series]:
        """The expected grade, the likeliest level, and the probability of each."""
        levels = state["levels"]
        expected = told[:, : len(levels)] @ np.array(state["values"], dtype=np.float64)
        best = [levels[n] for n in told[:, : len(levels)].argmax(axis=1)]
        return {
            "answer": pl.Series(expected),
            "level": pl.Series(best, dtype=pl.String),
            **{f"P({name})": pl.Series(told[:, n]) for n, name in enumerate(levels)},
        }

    def worth(self, answers: Float64[np.ndarray, "rows levels"]) -> Float64[np.ndarray, "rows"]:
        """The expected place of the level, from 0."""
        places: Float64[np.ndarray, "rows"] = answers @ np.arange(answers.shape[1], dtype=float)
        return places

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "steps"]:
        steps = self.size(state)
        counts = np.bincount(labels.astype(np.int64), minlength=steps + 1).astype(np.float64)
        counts[counts == 0] = 0.5  # a level that was never seen is half a row
        above = 1 - counts.cumsum()[:-1] / counts.sum()
        odds = [logit(share) for share in above.tolist()]
        gaps = [losses.raw_of(high - low, floor=losses.GAP_FLOOR) for high, low in pairwise(odds)]
        return np.array([odds[0], *gaps])

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {
            "ranked_probability": Metric(metrics.ranked_probability, "lower"),
            "kappa": Metric(metrics.kappa, "higher"),
            "grade_mae": Metric(metrics.grade_mae, "lower"),
            "ndcg@10": Metric(metrics.ndcg_within, "higher", in_lists=True),
            "spearman": Metric(metrics.grade_spearman, "higher"),
        }
