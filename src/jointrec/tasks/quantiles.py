"""How much at least, and how much at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.errors import ProjectError
from jointrec.functional import answers, losses, metrics

from .base import Metric, State, Task
from .horizons import log_more
from .numbers import known_amounts


@dataclass(frozen=True)
class Quantiles(Task):
    """How much, with what chance? Sales to stock for, days until delivery, spending at the least.

    For each level the amount that is not exceeded with that chance, by the pinball loss (Koenker
    and Bassett 1978) of √(1 + amount): a root keeps the order, so its quantiles are the roots of
    the quantiles. It lies between the amount itself, of which best sellers would be all that is
    learned, and its logarithm, by which they would count as little as anything though most of what
    is missed is theirs. Outputs are log(1 + amount). Quantiles never cross: the
    outputs are put in order (the rearrangement of Chernozhukov, Fernández-Val and Galichon 2010,
    https://doi.org/10.3982/ECTA7880). Sums of softplus steps would not cross either, but could
    not say that the tenth and the half of sales are both 0, which for most items is the answer.

    Labels are in the column's own unit; null and what is below 0 are unknown. The answer is an
    amount for each level; people read the one nearest to the median as ``answer``. What decides is
    the pinball loss in the label's unit.

    :param levels: Chances above 0 and below 1, ascending.
    :raises ProjectError: where they are not.

    >>> task = Quantiles("order.days", levels=(0.5, 0.9))
    >>> task.columns(np.array([[2.0, 6.0]]), {})["q90"].to_list()
    [6.0]
    """

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    form: ClassVar[str] = "quantiles"
    grows: ClassVar[bool] = True
    least: ClassVar[float | None] = 0.0
    verbs: ClassVar[tuple[str, ...]] = ("count", "sum")
    answers: ClassVar[str] = "for each level the amount not exceeded with that chance, 0 or more"

    def __post_init__(self) -> None:
        fine = all(0 < level < 1 for level in self.levels)
        if not fine or not self.levels or list(self.levels) != sorted(set(self.levels)):
            raise ProjectError(
                "`levels` should be chances above 0 and below 1, ascending, such as "
                f"[0.1, 0.5, 0.9]. Found {list(self.levels)}."
            )

    @property
    def levels_asked(self) -> tuple[float, ...]:
        return self.levels

    def learn(self, labels: pl.Series) -> State:
        return {}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        return known_amounts(labels)

    def size(self, state: State) -> int:
        return len(self.levels)

    def loss(
        self, outputs: Float[Tensor, "rows levels"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        roots = (1 + labels).sqrt().to(outputs.dtype)
        said = losses.bounded_exp(outputs.sort(dim=1).values / 2)
        return losses.pinball(said, roots, self.levels)

    def answer(self, outputs: Float[Tensor, "rows levels"]) -> Float[Tensor, "rows levels"]:
        return answers.amount_of_log(outputs.sort(dim=1).values)

    def columns(
        self, told: Float64[np.ndarray, "rows levels"], state: State
    ) -> dict[str, pl.Series]:
        """The amount nearest to the median, and that of each level: ``q10``, ``q50`` …"""
        names = {f"q{100 * level:g}": n for n, level in enumerate(self.levels)}
        return {
            "answer": pl.Series(self.worth(told)),
            **{name: pl.Series(told[:, n]) for name, n in names.items()},
        }

    def worth(self, answers: Float64[np.ndarray, "rows levels"]) -> Float64[np.ndarray, "rows"]:
        """The amount of the level nearest to the median."""
        middle: Float64[np.ndarray, "rows"] = answers[:, self._middle]
        return middle

    @property
    def _middle(self) -> int:
        return int(np.abs(np.array(self.levels) - 0.5).argmin())

    def grow(
        self, earlier: Float[Tensor, "rows levels"], own: Float[Tensor, "rows levels"]
    ) -> Float[Tensor, "rows levels"]:
        """Each level is that of the shorter time, or above it: log(e^earlier + e^own)."""
        return torch.logaddexp(earlier.sort(dim=1).values, own)

    def grow_start(self, constant: Sequence[float], earlier: Sequence[float]) -> tuple[float, ...]:
        return tuple(map(log_more, constant, earlier))

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "levels"]:
        if len(labels) == 0:
            return np.zeros(len(self.levels))
        # Of the amounts that are a quantile, this takes one that was seen.
        seen = np.quantile(labels, self.levels, method="inverted_cdf")
        logs: Float64[np.ndarray, "levels"] = np.log1p(seen)
        return logs

    @property
    def metrics(self) -> Mapping[str, Metric]:
        each = {
            f"pinball_{100 * level:g}": Metric(
                partial(metrics.pinball, levels=self.levels, only=n), "lower"
            )
            for n, level in enumerate(self.levels)
        }
        return {
            "pinball": Metric(partial(metrics.pinball, levels=self.levels), "lower"),
            **each,
            "over_coverage": Metric(partial(metrics.over_coverage, levels=self.levels), "zero"),
            "middle_wape": Metric(partial(metrics.middle_wape, levels=self.levels), "lower"),
        }
