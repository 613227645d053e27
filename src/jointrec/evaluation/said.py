"""All that a report needs of a network for the test rows of a task, in one pass over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from jointrec.functional.metrics import pessimistic_rank
from jointrec.network import JointNetwork, outputs_of

from .baselines import Question
from .shown import best_ten

Answers = np.ndarray[Any, np.dtype[np.float64]]
"""Answers to some rows: a number each, or one per class or candidate."""


@dataclass(frozen=True)
class Said:
    """What a network says of the test rows of a task.

    :param answers: As the metrics of the task read them: of a catalogue the rank of the right one.
    :param learned: Chances as they were learned, not set right; of a task with chances.
    :param banded: The mean and the ends of its bands; of a task with bands.
    :param shown: The ten that would be shown; of a task that ranks a catalogue.
    """

    answers: Answers
    learned: Answers | None = None
    banded: Answers | None = None
    shown: Int64[np.ndarray, "rows ten"] | None = None


@dataclass
class _Pieces:
    """What was said of the rows so far."""

    answers: list[Answers] = field(default_factory=list)
    learned: list[Answers] = field(default_factory=list)
    banded: list[Answers] = field(default_factory=list)
    shown: list[Int64[np.ndarray, "piece ten"]] = field(default_factory=list)


def said_of(network: JointNetwork, question: Question) -> Said:
    """Asks a network about the test rows of a task."""
    name, task = question.task, question.project.tasks[question.task]
    pieces, done = _Pieces(), 0
    asked = (network, question.prepared, question.asked, (name,), question.test)
    for outputs, heads in outputs_of(*asked):
        answers = _numbers(task.answer, outputs, name)
        rows = question.test[done : done + len(answers)]
        done += len(rows)
        pieces.answers.append(as_measured(question, rows, answers))
        if task.form == "chance":
            with torch.inference_mode():
                learned = network.as_learned(heads)
            pieces.learned.append(_numbers(task.answer, learned, name))
        if task.band_metrics:
            pieces.banded.append(_numbers(task.told, outputs, name))
        if task.ranks_catalogue:
            pieces.shown.append(best_ten(answers))
    return Said(
        np.concatenate(pieces.answers or [np.zeros(0)]),
        np.concatenate(pieces.learned) if pieces.learned else None,
        np.concatenate(pieces.banded) if pieces.banded else None,
        np.concatenate(pieces.shown) if pieces.shown else None,
    )


def as_measured(
    question: Question, rows: Int64[np.ndarray, "some"], answers: Float64[np.ndarray, "some *each"]
) -> Answers:
    """Answers as the task's metrics read them: of a catalogue the rank of the right one."""
    if not question.project.tasks[question.task].ranks_catalogue:
        return answers
    # The label is the code of the right one: 1 for the first column.
    return pessimistic_rank(answers, question.labels[rows].astype(np.int64) - 1)


def _numbers(read: Callable[[Tensor], Tensor], outputs: Mapping[str, Tensor], name: str) -> Answers:
    with torch.inference_mode():
        return read(outputs[name]).double().numpy()
