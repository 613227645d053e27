"""Yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.functional import answers, losses, metrics

from .base import Metric, State, Task
from .numbers import bounded_share, logit


@dataclass(frozen=True)
class Binary(Task):
    """Will it happen? A click, a purchase, a return, a customer who leaves.

    Labels are 1 or true for yes, 0 or false for no; null and any other number are unknown. The
    answer is the probability of yes. What decides is AUC: whether those for whom it happens stand
    above the others. The other metrics say whether the probabilities are right as well.

    >>> task = Binary("impression.clicked")
    >>> task.encode(pl.Series([True, False, None]), {}).tolist()
    [1.0, 0.0, nan]
    """

    cell: ClassVar[str] = "flag"
    form: ClassVar[str] = "chance"
    has_chance: ClassVar[bool] = True
    verbs: ClassVar[tuple[str, ...]] = ("any", "no")
    answers: ClassVar[str] = "probability of yes, 0 to 1"

    def learn(self, labels: pl.Series) -> State:
        return {}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        numbers = labels.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return np.where(np.isin(numbers, (0.0, 1.0)), numbers, np.nan)

    def size(self, state: State) -> int:
        return 1

    def loss(
        self, outputs: Float[Tensor, "rows 1"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return losses.binary(outputs[:, 0], labels.to(outputs.dtype))

    def answer(self, outputs: Float[Tensor, "rows 1"]) -> Float[Tensor, "rows"]:
        return answers.probability(outputs[:, 0])

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "1"]:
        return np.array([logit(bounded_share(labels.sum(), len(labels)))])

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {
            "auc": Metric(metrics.auc, "higher"),
            "gauc": Metric(metrics.gauc, "higher"),
            "pr_auc": Metric(metrics.pr_auc, "higher"),
            "log_loss": Metric(metrics.log_loss, "lower"),
            "normalized_entropy": Metric(metrics.normalized_entropy, "lower"),
            "ece": Metric(metrics.ece, "lower"),
            "pcoc": Metric(metrics.pcoc, "one"),
        }
