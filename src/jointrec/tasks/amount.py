"""How much, where it is often nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.errors import ProjectError, nearest
from jointrec.functional import metrics

from .bands import BAND_METRICS, LEVELS, banded_columns, with_bands
from .base import Metric, State, Task
from .distributions import DISTRIBUTIONS, Distribution
from .numbers import known_amounts


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

    :param distribution: How amounts are spread. ``zero_inflated_lognormal``, as above.
        ``lognormal`` where they are never 0, which is then unknown. ``tweedie`` asks for the mean
        alone, whatever the spread (Tweedie 1984, power 1.5). ``huber_log`` asks for the typical
        amount, which no single large one rules (Huber 1964); its answers sum to less than all.
    :raises ProjectError: for any other distribution.

    >>> Amount("impression.revenue").encode(pl.Series([0.0, 9.9, -3.0, None]), {}).tolist()
    [0.0, 9.9, nan, nan]
    """

    distribution: Literal["zero_inflated_lognormal", "lognormal", "tweedie", "huber_log"] = (
        "zero_inflated_lognormal"
    )

    form: ClassVar[str] = "amount"
    grows: ClassVar[bool] = True
    has_chance: ClassVar[bool] = True
    least: ClassVar[float | None] = 0.0
    verbs: ClassVar[tuple[str, ...]] = ("sum",)
    answers: ClassVar[str] = "expected amount in the unit of the label, 0 or more"

    def __post_init__(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ProjectError(
                f"`distribution` should be one of {', '.join(DISTRIBUTIONS)}. Found "
                f"`{self.distribution}`.{nearest(str(self.distribution), DISTRIBUTIONS)}"
            )

    @property
    def chains(self) -> bool:
        return self._spread.chance

    def learn(self, labels: pl.Series) -> State:
        return {}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        amounts = known_amounts(labels)
        return amounts if self._spread.zero else np.where(amounts > 0, amounts, np.nan)

    def size(self, state: State) -> int:
        return self._spread.size

    def loss(
        self, outputs: Float[Tensor, "rows size"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return self._spread.loss(outputs, labels.to(outputs.dtype))

    def answer(self, outputs: Float[Tensor, "rows size"]) -> Float[Tensor, "rows"]:
        return self._spread.answer(outputs)

    def told(self, outputs: Float[Tensor, "rows size"]) -> Float[Tensor, "rows *told"]:
        """The answer, and of a distribution the ends of its bands of 80 and 95 %."""
        quantiles = self._spread.quantiles
        if quantiles is None:
            return self.answer(outputs)
        return with_bands(self.answer(outputs), quantiles(outputs, LEVELS))

    def columns(
        self, told: Float64[np.ndarray, "rows *told"], state: State
    ) -> dict[str, pl.Series]:
        """The expected amount, and its bands where the distribution has any."""
        return super().columns(told, state) if told.ndim == 1 else banded_columns(told)

    def grow(
        self, earlier: Float[Tensor, "rows size"], own: Float[Tensor, "rows size"]
    ) -> Float[Tensor, "rows size"]:
        """The chance of anything and the answer are those of the shorter time, and more."""
        return self._spread.grow(earlier, own)

    @property
    def has_total(self) -> bool:
        return self._spread.place is not None

    def scaled(
        self, outputs: Float[Tensor, "rows size"], log_factor: Float[Tensor, ""]
    ) -> Float[Tensor, "rows size"]:
        """Where a logarithm of amounts is among the outputs, that is moved."""
        place = self._spread.place
        if place is None:
            return outputs
        moved = outputs[:, place : place + 1] + log_factor
        return torch.cat([outputs[:, :place], moved, outputs[:, place + 1 :]], dim=1)

    def grow_start(self, constant: Sequence[float], earlier: Sequence[float]) -> tuple[float, ...]:
        return self._spread.grow_start(constant, earlier)

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "size"]:
        return self._spread.constant(labels)

    def constant_loss(self, labels: Float64[np.ndarray, "rows"], state: State) -> float:
        if self._spread.scale is None or len(labels) == 0:
            return super().constant_loss(labels, state)
        return self._spread.scale(labels)

    @property
    def _spread(self) -> Distribution:
        return DISTRIBUTIONS[self.distribution]

    @property
    def band_metrics(self) -> Mapping[str, Metric]:
        return BAND_METRICS if self._spread.quantiles is not None else {}

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
