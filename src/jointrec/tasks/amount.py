"""How much, where it is often nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.functional import answers, losses, metrics

from .base import Metric, State, Task
from .numbers import bounded_share, known_amounts, logit

NORMAL_ENTROPY = 0.5 * math.log(2 * math.pi * math.e)
"""The entropy of a normal distribution whose deviation is 1."""


@dataclass(frozen=True)
class Amount(Task):
    """How much? Revenue, spending, time spent: mostly nothing, sometimes a lot.

    A zero-inflated log-normal distribution (Wang et al. 2019, https://arxiv.org/abs/1912.07753):
    the chance of anything at all, and the mean and deviation of the logarithm of how much. Labels
    are in the column's own unit; null and what is below 0 are unknown, but for a later sum, which
    is then 0. The answer is the mean.

    What decides is the normalised Gini coefficient, as in the paper: whether those who spend much
    stand above those who spend little. It has no unit and no single large order rules it, as one
    rules squared errors; and an answer of nothing for everybody, which absolute errors like best
    where most labels are 0, is worth 0. The other metrics say whether the amounts are right.

    >>> Amount("impression.revenue").encode(pl.Series([0.0, 9.9, -3.0, None]), {}).tolist()
    [0.0, 9.9, nan, nan]
    """

    form: ClassVar[str] = "amount"
    has_chance: ClassVar[bool] = True
    least: ClassVar[float | None] = 0.0
    verbs: ClassVar[tuple[str, ...]] = ("sum",)
    answers: ClassVar[str] = "expected amount in the unit of the label, 0 or more"

    def learn(self, labels: pl.Series) -> State:
        return {}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        return known_amounts(labels)

    def size(self, state: State) -> int:
        return 3

    def loss(
        self, outputs: Float[Tensor, "rows 3"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return losses.zero_inflated_lognormal(outputs, labels.to(outputs.dtype))

    def answer(self, outputs: Float[Tensor, "rows 3"]) -> Float[Tensor, "rows"]:
        return answers.zero_inflated_lognormal_mean(outputs)

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "3"]:
        logs = np.log(labels[labels > 0])
        chance = bounded_share(len(logs), len(labels))
        mean, deviation = (logs.mean(), logs.std()) if len(logs) else (0.0, 1.0)
        raw = losses.raw_of(float(deviation), floor=losses.SCALE_FLOOR)
        return np.array([logit(chance), float(mean), raw])

    def constant_loss(self, labels: Float64[np.ndarray, "rows"], state: State) -> float:
        """The loss of the best constant answer, were the deviation of the log amount 1 about 0.

        So it is above 0 and the same in cents as in euros, which the loss itself, the logarithm of
        a density per unit, is not.
        """
        if len(labels) == 0:
            return 0.0
        chance = bounded_share((labels > 0).sum(), len(labels))
        entropy = -chance * math.log(chance) - (1 - chance) * math.log1p(-chance)
        return entropy + chance * NORMAL_ENTROPY

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {
            "gini": Metric(metrics.gini, "higher"),
            "spearman": Metric(metrics.spearman, "higher"),
            "wape": Metric(metrics.wape, "lower"),
            "mae": Metric(metrics.mae, "lower"),
            "rmse": Metric(metrics.rmse, "lower"),
            "bias": Metric(metrics.bias, "zero"),
        }
