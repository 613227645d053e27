"""One of several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.errors import DataError
from jointrec.functional import answers, losses, metrics

from .base import Metric, State, Task
from .numbers import bounded_share, place

MOST_CLASSES = 1_000
"""How many classes a choice may have. Beyond it, what is asked for is a thing of a catalogue."""


@dataclass(frozen=True)
class Choice(Task):
    """Which one of some classes? The reason for a return, the channel, the size that fits.

    Classes are the distinct training labels as text: numbers first, by size, then the others by
    spelling. A class that training never saw is unknown. The answer is a probability for each, in
    that order. What decides is the log loss, which asks for right probabilities of all classes;
    accuracy would not see a rare class at all.

    >>> task = Choice("return.reason")
    >>> state = task.learn(pl.Series(["10", "9", "other"]))
    >>> state
    {'classes': ['9', '10', 'other']}
    >>> task.encode(pl.Series(["10", "never seen", None]), state).tolist()
    [1.0, nan, nan]
    """

    cell: ClassVar[str] = "id"
    form: ClassVar[str] = "classes"
    adds_up: ClassVar[bool] = False
    has_worth: ClassVar[bool] = False
    answers: ClassVar[str] = "probability of each class, 0 to 1, together 1"

    def learn(self, labels: pl.Series) -> State:
        """The classes.

        :raises DataError: where there are none, or too many to be classes.
        """
        classes = labels.cast(pl.String).drop_nulls().unique().to_list()
        if not classes:
            raise DataError(f"`{self.label}` holds no known label to learn classes from.")
        if len(classes) > MOST_CLASSES:
            examples = ", ".join(sorted(classes)[:3])
            raise DataError(
                f"`{self.label}` has {len(classes):,} classes ({examples}, …); a Choice has at "
                f"most {MOST_CLASSES:,}. If they are numbers, ask for an Amount or a Count; if "
                "they are keys of an entity, ask for a Retrieval; otherwise group the rare ones."
            )
        return {"classes": sorted(classes, key=place)}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        classes = state["classes"]
        numbers: pl.Series = labels.cast(pl.String).replace_strict(
            classes, range(len(classes)), default=None, return_dtype=pl.Float64
        )
        return numbers.fill_null(np.nan).to_numpy(writable=True)

    def size(self, state: State) -> int:
        return len(state["classes"])

    def loss(
        self, outputs: Float[Tensor, "rows classes"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return losses.choice(outputs, labels.long())

    def answer(self, outputs: Float[Tensor, "rows classes"]) -> Float[Tensor, "rows classes"]:
        return answers.probabilities(outputs)

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "classes"]:
        seen = np.bincount(labels.astype(np.int64), minlength=self.size(state))
        return np.array([math.log(bounded_share(rows, len(labels))) for rows in seen.tolist()])

    def columns(
        self, told: Float64[np.ndarray, "rows classes"], state: State
    ) -> dict[str, pl.Series]:
        """The likeliest class, its probability, and the probability of each."""
        classes = state["classes"]
        return {
            "answer": pl.Series([classes[n] for n in told.argmax(axis=1)], dtype=pl.String),
            "probability": pl.Series(told.max(axis=1, initial=0.0)),
            **{f"P({name})": pl.Series(told[:, n]) for n, name in enumerate(classes)},
        }

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {
            "choice_log_loss": Metric(metrics.choice_log_loss, "lower"),
            "accuracy": Metric(metrics.accuracy, "higher"),
            "macro_auc": Metric(metrics.macro_auc, "higher"),
        }
