"""Which ones of several, any number at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.errors import DataError, ProjectError
from jointrec.functional import answers, losses, metrics

from .base import Metric, State, Task
from .numbers import bounded_share, logit, place

MOST_CLASSES = 52
"""How many classes a set may hold: a float64 is exact for so many bits."""


@dataclass(frozen=True)
class Multi(Task):
    """Which of these, any number of them? The topics of a query, reasons for a return, styles.

    The label is a column of lists. Classes are the words that training lists hold, the ``most``
    frequent of them; others are not asked about. An empty list says that it is none of them; null
    is unknown. The answer is a probability for each class, which need not sum to 1. What decides
    is the log loss of a class.

    Where each class has a column of its own, each is a Binary task: the network learns what they
    have in common.

    :param most: At most so many classes, up to 52.
    :raises ProjectError: for fewer than 1 or more than 52.

    >>> task = Multi("query.topics")
    >>> state = task.learn(pl.Series([["shoes", "red"], ["shoes"], []]))
    >>> state["classes"]
    ['red', 'shoes']
    >>> task.encode(pl.Series([["shoes"], ["red", "shoes", "new"], [], None]), state).tolist()
    [2.0, 3.0, 0.0, nan]
    """

    most: int = MOST_CLASSES

    cell: ClassVar[str] = "list"
    form: ClassVar[str] = "set"
    has_chances: ClassVar[bool] = True
    adds_up: ClassVar[bool] = False
    has_worth: ClassVar[bool] = False
    answers: ClassVar[str] = "probability of each class by itself, 0 to 1"

    def __post_init__(self) -> None:
        if not 1 <= self.most <= MOST_CLASSES:
            raise ProjectError(f"`most` should be 1 to {MOST_CLASSES}. Found `{self.most}`.")

    def learn(self, labels: pl.Series) -> State:
        """The classes.

        :raises DataError: where every list is empty.
        """
        words = labels.cast(pl.List(pl.String)).list.unique().explode().drop_nulls()
        counts = words.rename("word").value_counts()
        counts = counts.sort(["count", "word"], descending=[True, False]).head(self.most)
        classes = counts["word"].to_list()
        if not classes:
            raise DataError(f"`{self.label}` holds no list with a word to learn classes from.")
        return {"classes": sorted(classes, key=place)}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        """Each list as one number: bit c is set where class c is in it."""
        classes = state["classes"]
        lists = labels.cast(pl.List(pl.String)).list.unique()
        owner = np.repeat(np.arange(len(lists)), lists.list.len().fill_null(0).to_numpy())
        words = lists.filter(lists.list.len() > 0).explode()
        values: pl.Series = words.replace_strict(
            classes, [2.0**n for n in range(len(classes))], default=0.0, return_dtype=pl.Float64
        )
        sets = np.bincount(owner, weights=values.fill_null(0.0).to_numpy(), minlength=len(lists))
        return np.where(lists.is_null().to_numpy(), np.nan, sets)

    def size(self, state: State) -> int:
        return len(state["classes"])

    def loss(
        self, outputs: Float[Tensor, "rows classes"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return losses.multi(outputs, labels)

    def happened(self, labels: Float[Tensor, "rows"], size: int) -> Float[Tensor, "rows classes"]:
        unknown = labels.isnan()
        held = losses.members(labels.masked_fill(unknown, 0.0), size)
        return held.masked_fill(unknown[:, None], torch.nan)

    def answer(self, outputs: Float[Tensor, "rows classes"]) -> Float[Tensor, "rows classes"]:
        return answers.probability(outputs)

    def columns(
        self, told: Float64[np.ndarray, "rows classes"], state: State
    ) -> dict[str, pl.Series]:
        """The classes that are likelier than not, as words, and the probability of each."""
        classes = state["classes"]
        likely = [
            ", ".join(name for name, yes in zip(classes, row, strict=True) if yes)
            for row in (told > 0.5).tolist()
        ]
        return {
            "answer": pl.Series(likely, dtype=pl.String),
            **{f"P({name})": pl.Series(told[:, n]) for n, name in enumerate(classes)},
        }

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "classes"]:
        bits = labels.astype(np.int64)[:, None] >> np.arange(self.size(state))
        seen = (bits & 1).sum(axis=0)
        return np.array([logit(bounded_share(rows, len(labels))) for rows in seen.tolist()])

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {
            "multi_log_loss": Metric(metrics.multi_log_loss, "lower"),
            "label_auc": Metric(metrics.label_auc, "higher"),
            "first_right": Metric(metrics.first_right, "higher"),
            "label_ece": Metric(metrics.label_ece, "lower"),
            "label_pcoc": Metric(metrics.label_pcoc, "one"),
        }
