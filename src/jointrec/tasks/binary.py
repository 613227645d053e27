"""Yes or no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import ClassVar

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from jointrec.errors import ProjectError
from jointrec.functional import answers, funnel, losses, metrics
from jointrec.labels import Later

from .base import Metric, State, Task
from .horizons import logit_given
from .lists import ListLoss, check_list_loss, list_loss_of
from .numbers import bounded_share, logit


@dataclass(frozen=True)
class Binary(Task):
    """Will it happen? A click, a purchase, a return, a customer who leaves.

    Labels are 1 or true for yes, 0 or false for no; null and any other number are unknown. The
    answer is the probability of yes. What decides is AUC: whether those for whom it happens stand
    above the others. The other metrics say whether the probabilities are right as well.

    The three settings change what trains, and never what an answer means: all are corrected for
    within the loss (:func:`~jointrec.functional.losses.binary_in_training`).

    :param positive_weight: How much more a yes counts than a no while training.
    :param smoothing: How far labels are moved towards one half while training, from 0 and below 1.
    :param negatives: Which share of the rows of no trains, above 0 and at most 1; every yes does.
    :param listwise: Which share of what is learned is the order within a list, from 0 and below 1.
        A list is the rows of one moment of the first entity, or of that entity where the event has
        no time: a request, a query.
    :param list_loss: ``softmax`` picks from the list (ListNet, as in JRC), ``pairs`` compares two
        (RankNet).
    :raises ProjectError: where one of them is out of range.

    >>> task = Binary("impression.clicked")
    >>> task.encode(pl.Series([True, False, None]), {}).tolist()
    [1.0, 0.0, nan]
    """

    positive_weight: float = 1.0
    smoothing: float = 0.0
    negatives: float = 1.0
    listwise: float = 0.0
    list_loss: ListLoss = "softmax"

    cell: ClassVar[str] = "flag"
    form: ClassVar[str] = "chance"
    grows: ClassVar[bool] = True
    has_chance: ClassVar[bool] = True
    verbs: ClassVar[tuple[str, ...]] = ("any", "no")
    answers: ClassVar[str] = "probability of yes, 0 to 1"

    def __post_init__(self) -> None:
        for name, value, fine, told in (
            ("positive_weight", self.positive_weight, 0 < self.positive_weight < inf, "above 0"),
            ("smoothing", self.smoothing, 0 <= self.smoothing < 1, "0 or more and below 1"),
            ("negatives", self.negatives, 0 < self.negatives <= 1, "above 0 and at most 1"),
        ):
            if not fine:
                raise ProjectError(f"`{name}` should be {told}. Found `{value}`.")
        check_list_loss(self.listwise, self.list_loss)

    @property
    def list_share(self) -> float:
        return self.listwise

    def loss_in_lists(
        self,
        outputs: Float[Tensor, "rows 1"],
        labels: Float[Tensor, "rows"],
        lists: Int[Tensor, "rows"],
    ) -> Float[Tensor, "rows"]:
        """Of the logits: who says yes stands above who says no."""
        return list_loss_of(self.list_loss, outputs[:, 0], labels.to(outputs.dtype), lists)

    def left_out(
        self, labels: Float64[np.ndarray, "rows"], draws: Float64[np.ndarray, "rows"]
    ) -> Bool[np.ndarray, "rows"]:
        """The rows of no that are beyond the share that trains."""
        left: Bool[np.ndarray, "rows"] = (labels == 0) & (draws >= self.negatives)
        return left

    def among_learned(self, logits: Float[Tensor, "rows"]) -> Float[Tensor, "rows"]:
        """Where a share r of the rows of no is left, the odds are 1 / r as large."""
        return logits - log(self.negatives)

    def for_all_rows(self, answers: Float64[np.ndarray, "rows"]) -> Float64[np.ndarray, "rows"]:
        """Chances among the rows that train, as chances among all: p r / (1 - p + p r)."""
        odds = answers * self.negatives
        return odds / (1 - answers + odds)

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
        return losses.binary_in_training(
            outputs[:, 0],
            labels.to(outputs.dtype),
            self.positive_weight,
            self.smoothing,
            self.negatives,
        )

    def answer(self, outputs: Float[Tensor, "rows 1"]) -> Float[Tensor, "rows"]:
        return answers.probability(outputs[:, 0])

    def grow(
        self, earlier: Float[Tensor, "rows 1"], own: Float[Tensor, "rows 1"]
    ) -> Float[Tensor, "rows 1"]:
        """What happens in a shorter time happens in a longer one; of ``no`` it is the reverse."""
        join = funnel.chain if self.fades else funnel.either
        return join(earlier[:, 0], own[:, 0])[:, None]

    def grow_start(self, constant: Sequence[float], earlier: Sequence[float]) -> tuple[float, ...]:
        if self.fades:
            return (logit_given(constant[0], earlier[0]),)
        return (-logit_given(-constant[0], -earlier[0]),)

    @property
    def fades(self) -> bool:
        return isinstance(self.label, Later) and self.label.verb == "no"

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "1"]:
        among_trained = logit(bounded_share(labels.sum(), len(labels)))
        return np.array([among_trained + log(self.negatives)])

    @property
    def metrics(self) -> Mapping[str, Metric]:
        ndcg = Metric(metrics.ndcg_within, "higher", in_lists=True)
        in_lists = {"ndcg@10": ndcg} if self.listwise else {}
        return {
            "auc": Metric(metrics.auc, "higher"),
            "gauc": Metric(metrics.gauc, "higher"),
            "pr_auc": Metric(metrics.pr_auc, "higher"),
            "log_loss": Metric(metrics.log_loss, "lower"),
            "normalized_entropy": Metric(metrics.normalized_entropy, "lower"),
            "ece": Metric(metrics.ece, "lower"),
            "pcoc": Metric(metrics.pcoc, "one"),
            **in_lists,
        }
