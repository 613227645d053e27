"""What the network says to rows, as a table that a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from jointrec.errors import DataError
from jointrec.network import answers_of

from .asking import Questions
from .learned import Learned

Answers = np.ndarray[Any, np.dtype[np.float64]]


def pieces(learned: Learned, task: str, questions: Questions) -> Iterator[Answers]:
    """The answers to rows, in their order, a bounded number at a time."""
    prepared = replace(learned.prepared, things=questions.reader.things)
    rows = np.arange(len(questions.asked))
    for piece in answers_of(learned.networks[task], prepared, questions.asked, (task,), rows):
        yield piece[task]


def classes_of(learned: Learned, task: str) -> list[str] | None:
    """The classes that a task tells apart; None where its answer is a number or a list."""
    classes = learned.reader.preparation.tasks[task].get("classes")
    return None if classes is None else [str(name) for name in classes]


def answered(learned: Learned, task: str, questions: Questions) -> pl.DataFrame:
    """One row for each row asked: its keys and its ``answer``; for classes the chance of each."""
    classes = classes_of(learned, task)
    nothing = np.zeros(0 if classes is None else (0, len(classes)))
    answers: Answers = np.concatenate([nothing, *pieces(learned, task, questions)])
    frame = _keys(questions)
    if classes is None:
        return frame.with_columns(pl.Series("answer", answers))
    best = answers.argmax(axis=1)
    return frame.with_columns(
        pl.Series("answer", [classes[n] for n in best], dtype=pl.String),
        pl.Series("probability", answers.max(axis=1, initial=0.0)),
        *[pl.Series(f"P({name})", answers[:, n]) for n, name in enumerate(classes)],
    )


def listed(learned: Learned, task: str, questions: Questions, k: int) -> pl.DataFrame:
    """The best ``k`` of a catalogue for each row asked, best first; ties in the table's order."""
    check_k(k)
    entity = learned.plan.catalogue[task]
    names = learned.reader.tables.entities[entity]["@key"]
    k = min(k, len(names))
    best, scores = [np.zeros((0, k), dtype=np.int64)], [np.zeros((0, k))]
    for piece in pieces(learned, task, questions):
        best.append(np.argsort(-piece, axis=1, kind="stable")[:, :k])
        scores.append(np.take_along_axis(piece, best[-1], axis=1))
    keys = _keys(questions)
    rows = np.repeat(np.arange(len(keys)), k)
    return keys[rows].with_columns(
        pl.Series("rank", np.tile(np.arange(1, k + 1), len(keys))),
        names.gather(np.concatenate(best).ravel()).alias("answer"),
        pl.Series("score", np.concatenate(scores).ravel()),
    )


def check_k(k: int) -> None:
    """Refuses to list less than one.

    :raises DataError: saying so.
    """
    if k < 1:
        raise DataError(f"k: should be at least 1. Found `{k}`.")


def _keys(questions: Questions) -> pl.DataFrame:
    return pl.DataFrame([questions.keys[entity] for entity in questions.asked.grain.entities])
