"""What the network says to rows, as a table that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import torch

from jointrec.errors import DataError, unknown_name
from jointrec.network import answers_of
from jointrec.tasks.horizons import horizons_of

from .asking import Questions
from .best import best_of
from .learned import Learned

Answers = np.ndarray[Any, np.dtype[np.float64]]


def pieces(
    learned: Learned, task: str, questions: Questions, *, told: bool = False
) -> Iterator[Answers]:
    """The answers to rows, in their order, a bounded number at a time.

    :param told: All that a person is told of each, instead of the answer itself.
    """
    prepared = replace(learned.prepared, things=questions.reader.things)
    rows = np.arange(len(questions.asked))
    for piece in answers_of(
        learned.networks[task], prepared, questions.asked, (task,), rows, told=told
    ):
        yield piece[task]


def together(
    learned: Learned, tasks: Collection[str], questions: Questions, *, told: bool = False
) -> dict[str, Answers]:
    """The answers of several tasks of one grain to the same rows; each network is run once.

    :param told: All that a person is told of each, instead of the answer itself.
    """
    prepared = replace(learned.prepared, things=questions.reader.things)
    rows = np.arange(len(questions.asked))
    found: dict[str, Answers] = {}
    for network in dict.fromkeys(learned.networks[task] for task in tasks):
        own = [task for task in tasks if learned.networks[task] is network]
        with learned.kept.used():
            said = list(answers_of(network, prepared, questions.asked, own, rows, told=told))
        for task in own:
            parts = [piece[task] for piece in said] or [_nothing(learned, task, told)]
            found[task] = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return found


def _nothing(learned: Learned, task: str, told: bool) -> Answers:
    """The answers to no rows."""
    asked = learned.project.tasks[task]
    none = torch.zeros(0, asked.size(learned.reader.preparation.tasks[task]))
    return (asked.told(none) if told else asked.answer(none)).double().numpy()


Answerer = Callable[[Questions], pl.DataFrame]


def answerer(
    learned: Learned, task: str | Sequence[str], k: int, given: str | None
) -> tuple[str, Answerer]:
    """A task whose rows are asked, and what makes a table of them.

    :raises JointRecError: where it cannot be answered so.
    """
    known = learned.project.tasks
    if not isinstance(task, str):
        named = [
            one
            for name in task
            for one in ([name] if name in known else horizons_of(known, name).values() or [name])
        ]
        for name in named:
            learned.check_task(name)
        check_together(learned, named, given)
        several = list(dict.fromkeys(named))
        return named[0], lambda questions: answered_together(learned, several, questions)
    horizons = horizons_of(known, task)
    if task not in known and horizons:
        each = {within: answerer(learned, one, k, given) for within, one in horizons.items()}
        first = next(iter(horizons.values()))
        return first, lambda questions: interleaved(
            [
                say(questions).with_columns(pl.lit(within).alias("within"))
                for within, (_, say) in each.items()
            ]
        )
    learned.check_task(task)
    if given is not None:
        learned.check_task(given)
        check_given(learned, task, given)
        return task, lambda questions: answered_given(learned, task, given, questions)
    if task in learned.plan.catalogue:
        return task, lambda questions: listed(learned, task, questions, k)
    return task, lambda questions: answered(learned, task, questions)


def answered(learned: Learned, task: str, questions: Questions) -> pl.DataFrame:
    """One row for each row asked: its keys, its ``answer``, and what the task says beside it."""
    columns = _columns(learned, task, together(learned, [task], questions, told=True)[task])
    return _keys(questions).with_columns([values.alias(name) for name, values in columns.items()])


def answered_together(learned: Learned, tasks: Sequence[str], questions: Questions) -> pl.DataFrame:
    """One row for each row asked: its keys, and the answer of each task in a column of its name."""
    said = together(learned, tasks, questions, told=True)
    answers = [_columns(learned, task, said[task])["answer"].alias(task) for task in tasks]
    return _keys(questions).with_columns(answers)


def _columns(learned: Learned, task: str, told: Answers) -> dict[str, pl.Series]:
    return learned.project.tasks[task].columns(told, learned.reader.preparation.tasks[task])


def check_together(learned: Learned, tasks: Sequence[str], given: str | None) -> None:
    """Refuses tasks that cannot be answered side by side.

    :raises DataError: saying which can.
    """
    if not tasks:
        raise DataError("predict: name at least one task.")
    if given is not None:
        raise DataError("predict: `given` is about one task. Ask for it alone.")
    ranking = [task for task in tasks if task in learned.plan.catalogue]
    if ranking:
        raise DataError(
            f"predict: `{ranking[0]}` lists the best of a catalogue, several rows for each row "
            "asked. Ask for it alone."
        )
    grain = learned.plan.grain_of(tasks[0])
    apart = [task for task in tasks if task not in grain.tasks]
    if apart:
        raise DataError(
            f"predict: `{apart[0]}` is asked of {learned.plan.grain_of(apart[0]).name}, "
            f"`{tasks[0]}` of {grain.name}: not of the same rows. Together with `{tasks[0]}` can "
            f"be asked: {', '.join(task for task in grain.tasks if task != tasks[0]) or 'none'}."
        )


def answered_given(learned: Learned, task: str, given: str, questions: Questions) -> pl.DataFrame:
    """One row for each row asked: its keys, and the answer where ``given`` has happened.

    The answer over all rows, divided by the chance of ``given``: both are of one funnel, so the
    share is a chance again, or what is expected of those to whom it happened.
    """
    both = together(learned, (task, given), questions)
    share = both[task] / np.maximum(both[given], 1e-300)
    if learned.project.tasks[task].form == "chance":
        share = np.minimum(share, 1.0)
    return _keys(questions).with_columns(pl.Series("answer", share))


def check_given(learned: Learned, task: str, given: str) -> None:
    """Refuses what a task does not come after.

    :raises DataError: saying what it comes after.
    """
    tasks, found = learned.project.tasks, []
    before = tasks[task].after
    while before is not None:
        if not tasks[task].lengthens(tasks[before]):
            found.append(before)
        before = tasks[before].after
    if not found:
        raise DataError(
            f"given: `{task}` comes after nothing, so nothing can be given. A funnel is declared "
            'with `after`: after = "click".'
        )
    if given not in found:
        raise DataError(unknown_name("task before it", given, found, at=f"given, of {task}"))


def interleaved(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Tables of the same rows as one: the first row of each, then the second of each …"""
    order = [f.with_row_index("@row") for f in frames]
    return pl.concat(order).sort("@row", maintain_order=True).drop("@row")


def listed(learned: Learned, task: str, questions: Questions, k: int) -> pl.DataFrame:
    """The best ``k`` of a catalogue for each row asked, best first; ties in the table's order."""
    check_k(k)
    entity = learned.plan.catalogue[task]
    names = learned.reader.tables.entities[entity]["@key"]
    k = min(k, len(names))
    best, scores = [np.zeros((0, k), dtype=np.int64)], [np.zeros((0, k))]
    for piece in pieces(learned, task, questions):
        best.append(best_of(piece, k))
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
