"""The contract of a task: one kind of question.

A task is frozen data: a label and how it is answered. The network gives every row ``size`` numbers
(*outputs*); the task turns them into a loss to learn by and into an answer that a person reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Float64, Int, Int64
from torch import Tensor

from jointrec.durable import PIECE
from jointrec.labels import Later

State = Mapping[str, Any]
"""What a task learned from its training labels, as JSON can hold it."""


@dataclass(frozen=True)
class Earlier:
    """Of the rows of a task, what is known of the same over a shorter time.

    :param labels: The labels.
    :param outputs: The outputs.
    """

    labels: Float64[np.ndarray, "rows"]
    outputs: Float64[Tensor, "rows size"]


@dataclass(frozen=True)
class Metric:
    """A number that says how good answers are.

    :param measure: ``measure(labels, answers, *, weights=None, groups=None) -> float``.
    :param better: Whether ``higher`` or ``lower`` is better, or ``one`` or ``zero`` is best;
        ``none`` where it is what it says that is right.
    :param in_lists: Whether its groups are lists (what one sees at one moment), not whoever acts.
    """

    measure: Callable[..., float]
    better: str
    in_lists: bool = False


@dataclass(frozen=True)
class Task(ABC):
    """A question. Where its label lives says at which grain it is asked.

    :param label: A column, as ``table.column``, or what happens later, as made by ``later``.
        A null label means unknown, never negative.
    :param after: A task at the same grain that must happen first: a funnel. Both are trained over
        all rows, and the chance of this one is never above the chance of the other.
    :param sees: The entities that the answer may depend on. Default: all that the rows lead to.
    :param weight: A column of the rows that are asked, as ``table.column``: how much each counts
        while training, beside the others. 0 or more; null counts nothing.
    :param propensity: A column of the same kind that says with which chance the row came to be
        seen, above 0 and at most 1, as whoever chose what to show has logged it. A row counts
        1 / chance, and at most ten times the mean.
    """

    label: str | Later
    after: str | None = None
    sees: tuple[str, ...] | None = None
    weight: str | None = None
    propensity: str | None = None

    cell: ClassVar[str] = "number"
    """How the source reads a label column: ``flag``, ``number`` or ``id``."""
    has_chance: ClassVar[bool] = False
    """Whether the first output is the logit of something happening, for a funnel to chain."""
    has_chances: ClassVar[bool] = False
    """Whether each output is the logit of something that happens by itself (:meth:`happened`)."""
    ranks_catalogue: ClassVar[bool] = False
    """Whether the outputs are one score for every entity of the catalogue that the label names."""
    learns_columns: ClassVar[bool] = True
    """Whether a column can be the label, and not only what happens later."""
    draws: ClassVar[int | None] = None
    """How many candidates of a catalogue training draws; None: all, or 4,096 of a large one."""
    grows: ClassVar[bool] = False
    """Whether the same may be asked over several lengths of time (see :meth:`grow`)."""
    form: ClassVar[str] = ""
    """What an answer is to other ways of giving one: a ``chance``, one for each of ``classes``, one
    for each member of a ``set`` or of several ``steps``, an ``amount``, a ``count``, several
    ``quantiles`` or the chances by several ``times``; empty where no other way gives one."""
    least: ClassVar[float | None] = None
    """The least that can be answered, where there is one: a later sum below it, as of one who gives
    back more than is bought, is learned as it."""
    adds_up: ClassVar[bool] = True
    """Whether a sum or a mean of labels means anything, as it does not of classes."""
    one_loss: ClassVar[bool] = True
    """Whether the gradient of the loss is that of its value: not where one output is learned given
    another as it is."""
    has_worth: ClassVar[bool] = True
    """Whether things can be ranked by the answers (see :meth:`worth`)."""
    verbs: ClassVar[tuple[str, ...]] = ()
    """The later labels that this kind of task can learn."""
    answers: ClassVar[str]
    """What an answer is, and in which range, for people who read a report."""

    @property
    def levels_asked(self) -> tuple[float, ...]:
        """Of which chances the quantiles are asked, for the form ``quantiles``."""
        return ()

    @property
    def bounds(self) -> tuple[float, ...]:
        """Between which days its chances lie, from 0 on, for the form ``times``."""
        return ()

    @property
    def chains(self) -> bool:
        """Whether the first output of this very task is the logit of something happening."""
        return self.has_chance

    def lengthens(self, before: Task) -> bool:
        """Whether this asks the very same as another, over a longer time."""
        mine, other = self.label, before.label
        if not (self.grows and isinstance(mine, Later) and isinstance(other, Later)):
            return False
        # All but the label and its place in the project must be the same.
        same = replace(self, label=other, after=before.after, sees=before.sees) == before
        same = same and replace(mine, within=other.within) == other
        return same and (mine.window or 0) > (other.window or 0)

    @property
    def fades(self) -> bool:
        """Whether a longer time makes the answer smaller, as it does of what does *not* happen."""
        return False

    def grow(
        self, earlier: Float[Tensor, "rows size"], own: Float[Tensor, "rows size"]
    ) -> Float[Tensor, "rows size"]:
        """The outputs over a longer time: those of the shorter one, and what is added by ``own``.

        :param earlier: Outputs of a task that this one :meth:`lengthens`; a kind that never does
            has no need to say more.
        """
        return own

    @property
    def has_total(self) -> bool:
        """Whether answers add up to something, and outputs can be :meth:`scaled` so that it is
        right."""
        return False

    def scaled(
        self, outputs: Float[Tensor, "rows size"], log_factor: Float[Tensor, ""]
    ) -> Float[Tensor, "rows size"]:
        """The outputs of answers e^log_factor times as large; for a kind that :attr:`has_total`."""
        return outputs

    def grow_start(self, constant: Sequence[float], earlier: Sequence[float]) -> tuple[float, ...]:
        """What :meth:`grow` must add to outputs ``earlier`` to give the outputs ``constant``."""
        return tuple(constant)

    @property
    def list_share(self) -> float:
        """Which share of what is learned is the order within lists, from 0 and below 1."""
        return 0.0

    def loss_in_lists(
        self,
        outputs: Float[Tensor, "rows size"],
        labels: Float[Tensor, "rows"],
        lists: Int[Tensor, "rows"],
    ) -> Float[Tensor, "rows"]:
        """What the order within lists costs, a share of it in each row; for a ``list_share``.

        :param lists: Whole numbers that say which rows stand side by side.
        """
        return outputs.new_zeros(len(outputs))

    @property
    def reads(self) -> str:
        """How the source reads the label of this very task: :attr:`cell`, unless it says more."""
        return self.cell

    def left_out(
        self, labels: Float64[np.ndarray, "rows"], draws: Float64[np.ndarray, "rows"]
    ) -> Bool[np.ndarray, "rows"]:
        """Which rows neither train nor validate, though they could: none, unless a kind samples.

        :param labels: As :meth:`encode` gave them.
        :param draws: For each row a number drawn evenly from 0 to 1, the same for all tasks.
        """
        return np.zeros(len(labels), dtype=bool)

    def among_learned(self, logits: Float[Tensor, "rows"]) -> Float[Tensor, "rows"]:
        """Log odds among the rows that train or validate, of those among all rows."""
        return logits

    def for_all_rows(
        self, answers: Float64[np.ndarray, "rows *answers"]
    ) -> Float64[np.ndarray, "rows *answers"]:
        """Answers learned from the rows that train, as answers to all rows."""
        return answers

    @abstractmethod
    def learn(self, labels: pl.Series) -> State:
        """What must be known before encoding: classes, for one. From known training labels."""

    @abstractmethod
    def encode(self, labels: pl.Series, state: State) -> Float64[np.ndarray, "rows"]:
        """Labels as numbers; nan where unknown. A class that was never learned is unknown."""

    @abstractmethod
    def size(self, state: State) -> int:
        """How many numbers the head gives per row. 0 for a task that ranks a catalogue."""

    @abstractmethod
    def loss(
        self, outputs: Float[Tensor, "rows size"], labels: Float[Tensor, "rows"]
    ) -> Float[Tensor, "rows"]:
        """One loss per row, not reduced. Labels are known and as :meth:`encode` gave them."""

    def happened(self, labels: Float[Tensor, "rows"], size: int) -> Float[Tensor, "rows size"]:
        """Whether what each output is of happened, for a kind that :attr:`has_chances`.

        1 it did, 0 it did not, nan where that is unknown.

        :param labels: As :meth:`encode` gave them; nan unknown.
        """
        return labels[:, None].expand(-1, size)

    @abstractmethod
    def answer(self, outputs: Float[Tensor, "rows size"]) -> Float[Tensor, "rows *answers"]:
        """What a person reads: a probability, one per class, an amount, a score per candidate."""

    def told(self, outputs: Float[Tensor, "rows size"]) -> Float[Tensor, "rows *told"]:
        """All that :meth:`columns` needs: the answer, unless there is more to tell."""
        return self.answer(outputs)

    def columns(
        self, told: Float64[np.ndarray, "rows *told"], state: State
    ) -> dict[str, pl.Series]:
        """Answers as a table for a person: ``answer``, and beside it what there is to say more.

        :param told: As :meth:`told` gives them.
        """
        return {"answer": pl.Series(told, dtype=pl.Float64)}

    def worth(self, answers: Float64[np.ndarray, "rows *answers"]) -> Float64[np.ndarray, "rows"]:
        """The one number of each answer by which things are ranked, the higher the better."""
        return answers

    @abstractmethod
    def constant(
        self, labels: Float64[np.ndarray, "rows"], state: State
    ) -> Float64[np.ndarray, "size"]:
        """The outputs of the best answer that is the same for every row: where heads start."""

    def linear(
        self,
        labels: Float64[np.ndarray, "rows"],
        numbers: Float64[np.ndarray, "rows numbers"],
        earlier: Earlier | None = None,
    ) -> Float64[np.ndarray, "size numbers_and_one"] | None:
        """Outputs linear in some numbers of a row that fit labels about best: where heads start.

        :param labels: Known labels, as :meth:`encode` gave them; some.
        :param numbers: In units of their deviation.
        :param earlier: What is known over the shorter time that the task lengthens; what is asked
            for is then what :meth:`grow` is to add.
        :returns: For each output its value where all numbers are 0, and what each number adds. None
            where heads start at :meth:`constant`.
        """
        return None

    def constant_loss(self, labels: Float64[np.ndarray, "rows"], state: State) -> float:
        """What tells the losses of tasks apart in size: the mean loss of :meth:`constant`.

        Balancing divides by it, so a kind whose loss is a density, which may be 0 or below,
        gives a size of its own.

        :param labels: Known labels, as :meth:`encode` gave them; 0.0 comes of none.
        """
        if len(labels) == 0:
            return 0.0
        # Rows with the same label have the same loss, and classes times rows may be very many.
        distinct, counts = _distinct(labels)
        outputs = torch.from_numpy(self.constant(labels, state)).expand(len(distinct), -1)
        losses = self.loss(outputs, torch.from_numpy(distinct)).numpy()
        return float(np.average(losses, weights=counts))

    @property
    def band_metrics(self) -> Mapping[str, Metric]:
        """Metrics of the bands that it tells beside each answer, where it tells any."""
        return {}

    @property
    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that are right for this kind, the one that decides first."""


def _distinct(
    labels: Float64[np.ndarray, "rows"],
) -> tuple[Float64[np.ndarray, "distinct"], Int64[np.ndarray, "distinct"]]:
    """The different labels, ascending, and how often each is there; counted piece by piece."""
    if len(labels) <= PIECE:
        return np.unique(labels, return_counts=True)
    halves = (_distinct(half) for half in np.array_split(labels, 2))
    values, counts = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    distinct, where = np.unique(values, return_inverse=True)
    total = np.zeros(len(distinct), np.int64)
    np.add.at(total, where, counts)
    return distinct, total
