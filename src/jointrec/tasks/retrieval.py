"""Which one of a whole catalogue."""

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
from jointrec.functional import losses, metrics

from .base import Metric, State, Task


@dataclass(frozen=True)
class Retrieval(Task):
    """Which one comes next, of all there are? The next item, article, store.

    The label is ``later.next``. It comes as the number of the thing in its entity's table, from 1;
    0 is the thing that no table holds, so it is unknown. Outputs are one score for each candidate
    and come from the network, which compares the row with every candidate: :meth:`size` is 0. The
    loss is the cross-entropy over the candidates, their places being the labels. The answer is the
    scores, the higher the better. Metrics are of the rank (from 1) of the right one among all
    candidates. What decides is NDCG@10: whether it is among the ten shown, and how high.

    :param draws: How many candidates are drawn in each training step, beside those that the
        rows of the step chose; the scores are corrected for the chance with which each stands
        there, so that a sample aims at what the whole would teach. ``0`` leaves those chosen alone:
        in-batch negatives. Default: the whole catalogue up to 20,000 candidates (a full softmax),
        4,096 of a larger one. Testing always ranks the whole.
    :raises ProjectError: where it is below 0.

    >>> task = Retrieval("next")
    >>> task.encode(pl.Series([3, 0, None]), {}).tolist()
    [3.0, nan, nan]
    """

    # The base says None for all kinds; here it is a setting.
    draws: int | None = None  # type: ignore[misc]

    cell: ClassVar[str] = "id"
    adds_up: ClassVar[bool] = False
    ranks_catalogue: ClassVar[bool] = True
    learns_columns: ClassVar[bool] = False
    verbs: ClassVar[tuple[str, ...]] = ("next",)
    answers: ClassVar[str] = "a score for each candidate, higher is likelier"

    def __post_init__(self) -> None:
        if self.draws is not None and self.draws < 0:
            raise ProjectError(f"`draws` should be 0 or more. Found `{self.draws}`.")

    def learn(self, labels: pl.Series) -> State:
        return {}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        places = labels.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return np.where(places >= 1, places, np.nan)

    def size(self, state: State) -> int:
        return 0

    def loss(
        self, outputs: Float[Tensor, "rows candidates"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return losses.choice(outputs, labels.long())

    def answer(self, outputs: Float[Tensor, "rows candidates"]) -> Float[Tensor, "rows candidates"]:
        return outputs

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "0"]:
        """No numbers: what is the same for every row is how popular each candidate is."""
        return np.zeros(0)

    def constant_loss(self, labels: Float64[np.ndarray, "rows"], state: State) -> float:
        """The loss of ranking all by popularity: the entropy of the labels, in nats."""
        if len(labels) == 0:
            return 0.0
        shares = np.unique(labels, return_counts=True)[1] / len(labels)
        return float(-(shares * np.log(shares)).sum())

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {
            "ndcg@10": Metric(partial(metrics.ndcg_at, k=10), "higher"),
            "recall@10": Metric(partial(metrics.recall_at, k=10), "higher"),
            "mrr": Metric(metrics.mrr, "higher"),
        }
