"""How many."""

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
from jointrec.functional import answers, bands, linear, losses, metrics

from .bands import BAND_METRICS, LEVELS, banded_columns, with_bands
from .base import Earlier, Metric, State, Task
from .dispersion import best_dispersion
from .horizons import log_more
from .numbers import known_amounts

DISTRIBUTIONS = ("negative_binomial", "poisson")


@dataclass(frozen=True)
class Count(Task):
    """How many? Sales of an item next week, visits, purchases to come.

    Null and what is below 0 are unknown, but for a later sum, which is then 0. The answer is the
    mean. What decides is the Poisson
    deviance, which the true mean makes smallest: where most counts are 0, absolute errors are
    smallest for an answer of 0, and squared errors are ruled by the few best sellers.

    :param distribution: ``negative_binomial`` learns how much more counts vary than by chance;
        ``poisson`` takes them to vary by chance alone. The mean is learned by the likelihood of a
        Poisson in both: it finds the right mean however counts are spread (Gourieroux, Monfort and
        Trognon 1984, Econometrica 52).
    :raises ProjectError: for any other distribution.

    >>> Count("item.sold").encode(pl.Series([0, 3, -1, None]), {}).tolist()
    [0.0, 3.0, nan, nan]
    """

    distribution: Literal["negative_binomial", "poisson"] = "negative_binomial"

    form: ClassVar[str] = "count"
    grows: ClassVar[bool] = True
    least: ClassVar[float | None] = 0.0
    one_loss: ClassVar[bool] = False
    verbs: ClassVar[tuple[str, ...]] = ("count", "sum")
    answers: ClassVar[str] = "expected count, 0 or more"

    def __post_init__(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ProjectError(
                f"`distribution` should be one of {', '.join(DISTRIBUTIONS)}. Found "
                f"`{self.distribution}`.{nearest(str(self.distribution), DISTRIBUTIONS)}"
            )

    def learn(self, labels: pl.Series) -> State:
        return {}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        return known_amounts(labels)

    def size(self, state: State) -> int:
        return 2 if self.distribution == "negative_binomial" else 1

    def loss(
        self, outputs: Float[Tensor, "rows size"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        mean = losses.poisson(outputs[:, 0], labels)
        if self.distribution == "poisson":
            return mean
        # Were the mean learned by this likelihood too, its gradient would fade as counts vary more:
        # best sellers, which are most of all that is sold, would count as little as anything.
        spread = torch.stack([outputs[:, 0].detach(), outputs[:, 1]], dim=1)
        return mean + losses.negative_binomial(spread, labels)

    def answer(self, outputs: Float[Tensor, "rows size"]) -> Float[Tensor, "rows"]:
        return answers.count_mean(outputs[:, 0])

    def told(self, outputs: Float[Tensor, "rows size"]) -> Float64[Tensor, "rows 5"]:
        """The mean, and the ends of the bands in which 80 and 95 % of such counts lie."""
        mean = answers.count_mean(outputs[:, 0].double())
        spread = torch.zeros_like(mean)
        if self.distribution == "negative_binomial":
            spread = losses.dispersion(outputs[:, 1].double())
        return with_bands(mean, bands.count_quantiles(mean, spread, LEVELS))

    def columns(self, told: Float64[np.ndarray, "rows 5"], state: State) -> dict[str, pl.Series]:
        """The mean, and its bands."""
        return banded_columns(told)

    def grow(
        self, earlier: Float[Tensor, "rows size"], own: Float[Tensor, "rows size"]
    ) -> Float[Tensor, "rows size"]:
        """The mean is that of the shorter time and what comes after; the dispersion is its own."""
        mean = torch.logaddexp(earlier[:, :1], own[:, :1])
        return torch.cat([mean, own[:, 1:]], dim=1)

    @property
    def has_total(self) -> bool:
        return True

    def scaled(
        self, outputs: Float[Tensor, "rows size"], log_factor: Float[Tensor, ""]
    ) -> Float[Tensor, "rows size"]:
        """The log mean, moved."""
        return torch.cat([outputs[:, :1] + log_factor, outputs[:, 1:]], dim=1)

    def grow_start(self, constant: Sequence[float], earlier: Sequence[float]) -> tuple[float, ...]:
        return (log_more(constant[0], earlier[0]), *constant[1:])

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "size"]:
        least = 0.5 / (len(labels) + 1)
        log_mean = float(np.log(max(labels.mean(), least))) if len(labels) else 0.0
        if self.distribution == "poisson":
            return np.array([log_mean])
        return np.array([log_mean, best_dispersion(labels, log_mean)])

    def linear(
        self,
        labels: Float64[np.ndarray, "rows"],
        numbers: Float64[np.ndarray, "rows numbers"],
        earlier: Earlier | None = None,
    ) -> Float64[np.ndarray, "size numbers_and_one"] | None:
        """The log mean by a Poisson regression, and the dispersion that fits it best."""
        before = 0.0 if earlier is None else earlier.outputs[:, 0].exp().numpy()
        more = labels if earlier is None else np.maximum(labels - earlier.labels, 0.0)
        mean = linear.poisson(numbers, more)
        if self.distribution == "poisson":
            return mean[None]
        said = np.log(before + np.exp(mean[0] + numbers @ mean[1:]))
        spread = np.zeros_like(mean)
        spread[0] = best_dispersion(labels, said)
        return np.stack([mean, spread])

    @property
    def band_metrics(self) -> Mapping[str, Metric]:
        return BAND_METRICS

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {
            "poisson_deviance": Metric(metrics.poisson_deviance, "lower"),
            "wape": Metric(metrics.wape, "lower"),
            "mae": Metric(metrics.mae, "lower"),
            "rmse": Metric(metrics.rmse, "lower"),
            "spearman": Metric(metrics.spearman, "higher"),
            "bias": Metric(metrics.bias, "zero"),
        }
