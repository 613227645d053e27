"""Yes or no at each of the next steps."""

from __future__ import annotations

from collections.abc import Mapping
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
from jointrec.labels import Later

from .base import Metric, State, Task
from .numbers import bounded_share, logit

MOST_STEPS = 32
"""How many steps a sequence may have: a float64 is exact for so many digits of 0, 1 or 2."""


@dataclass(frozen=True)
class Sequence(Task):
    """Yes or no at each of the next steps? Which of the next five things shown will be clicked.

    The label is ``later.steps``: a list of as many cells as there are steps, each 1, 0 or null. A
    null step is unknown (it has not come yet, has not settled, or nobody knows), never no: it is
    masked, and the others of its row count. A row without a known step is unknown as a whole.

    The loss is the binary cross-entropy of each known step (sequence labelling). The answer is the
    probability of yes at each step, given that it comes. What decides is the log loss of a step:
    that of the first is known of more rows than that of the last, so steps are averaged, not rows.

    :raises ProjectError: for fewer than 1 or more than 32 steps.

    >>> task = Sequence("next")
    >>> task.encode(pl.Series([[1.0, 0.0], [0.0, None], None]), {"steps": 2}).tolist()
    [5.0, 1.0, nan]
    """

    cell: ClassVar[str] = "list"
    form: ClassVar[str] = "steps"
    has_chances: ClassVar[bool] = True
    adds_up: ClassVar[bool] = False
    learns_columns: ClassVar[bool] = False
    verbs: ClassVar[tuple[str, ...]] = ("steps",)
    answers: ClassVar[str] = "probability of yes at each of the next steps, 0 to 1"

    def __post_init__(self) -> None:
        first = self.label.first if isinstance(self.label, Later) else None
        if first is not None and not 1 <= first <= MOST_STEPS:
            raise ProjectError(f"`first` should be 1 to {MOST_STEPS} steps. Found `{first}`.")

    def learn(self, labels: pl.Series) -> State:
        """How many steps there are."""
        sizes = labels.cast(pl.List(pl.Float64)).list.len().to_numpy()
        return {"steps": int(sizes.max(initial=0))}

    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        """Each list as one number: digit k to the base 3 is 1 for no at step k and 2 for yes."""
        lists = labels.cast(pl.List(pl.Float64))
        sizes = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
        owner = np.repeat(np.arange(len(lists)), sizes)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        cells = lists.filter(pl.Series(sizes > 0)).explode().fill_null(np.nan).to_numpy()
        fine = np.isin(cells, (0.0, 1.0)) & (step < state["steps"])
        digits = np.where(fine, (1 + cells) * 3.0**step, 0.0)
        numbers = np.bincount(owner, weights=digits, minlength=len(lists))
        return np.where(numbers > 0, numbers, np.nan)

    def size(self, state: State) -> int:
        return int(state["steps"])

    def loss(
        self, outputs: Float[Tensor, "rows steps"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        return losses.sequence(outputs, labels)

    def happened(self, labels: Float[Tensor, "rows"], size: int) -> Float[Tensor, "rows steps"]:
        each = losses.digits(labels.nan_to_num(0.0), size)
        return (each - 1.0).to(labels.dtype).masked_fill(each == 0, torch.nan)

    def answer(self, outputs: Float[Tensor, "rows steps"]) -> Float[Tensor, "rows steps"]:
        return answers.probability(outputs)

    def columns(
        self, told: Float64[np.ndarray, "rows steps"], state: State
    ) -> dict[str, pl.Series]:
        """At how many of the steps a yes is expected, and the probability of each."""
        each = {f"P(step {k + 1})": pl.Series(told[:, k]) for k in range(told.shape[1])}
        return {"answer": pl.Series(told.sum(axis=1)), **each}

    def worth(self, answers: Float64[np.ndarray, "rows steps"]) -> Float64[np.ndarray, "rows"]:
        """At how many of the steps a yes is expected."""
        return np.asarray(answers.sum(axis=1), dtype=np.float64)

    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "steps"]:
        """At each step the share of yes among the rows of which it is known."""
        digits = labels.astype(np.int64)[:, None] // 3 ** np.arange(self.size(state)) % 3
        yes, known = (digits == 2).sum(axis=0).tolist(), (digits > 0).sum(axis=0).tolist()
        return np.array([logit(bounded_share(*both)) for both in zip(yes, known, strict=True)])

    @property
    def metrics(self) -> Mapping[str, Metric]:
        steps = self.label.first or 0 if isinstance(self.label, Later) else 0
        each = [(k, f"step_{k + 1}") for k in range(steps)]
        return {
            "sequence_log_loss": Metric(metrics.sequence_log_loss, "lower"),
            "sequence_auc": Metric(metrics.sequence_auc, "higher"),
            "sequence_ece": Metric(metrics.sequence_ece, "lower"),
            "sequence_pcoc": Metric(metrics.sequence_pcoc, "one"),
            **{
                f"log_loss_{name}": Metric(partial(metrics.step_log_loss, step=k), "lower")
                for k, name in each
            },
            **{
                f"auc_{name}": Metric(partial(metrics.step_auc, step=k), "higher")
                for k, name in each
            },
        }
