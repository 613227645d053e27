"""Rows that belong together and stand on both sides of a cut, and tables sorted by the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from jaxtyping import Int8, Int64, UInt64

from jointrec.plan import features_of
from jointrec.prepare import Tables
from jointrec.project import Project
from jointrec.splits import TEST, TRAIN, UNUSED, VALID

from .columns import number_codes
from .found import Leak, leak
from .question import Question, Sample
from .scores import power

CUT_REQUESTS = 0.01
"""The share of later requests that may have rows in training too: sessions over midnight."""
EQUAL = 0.02
"""The share of later rows that may equal a training row, where chance makes hardly any equal."""
CHANCE = 10.0
"""How many times as many equal rows as chance makes are too many."""
LEAST = 20
SORTED = 0.95
"""The AUC that the place of a row in its table may have."""
ODD = np.uint64(0x9E3779B97F4A7C15)
"""What hashes of a row are multiplied with, one after another, so that their order counts."""
PLACES = 10_000
"""Rows of a sample that the place of rows is judged by."""


def split_leaks(project: Project, tables: Tables, question: Question) -> Iterator[Leak]:
    """Requests and equal rows on both sides of a cut, for the first task of a grain."""
    task = question.grain.tasks[0]
    parts = question.parts[task]
    yield from _requests(project, tables, question, parts)
    yield from _equal_rows(project, tables, question, parts)


def overlap(question: Question) -> Iterator[Leak]:
    """How many of those asked in test were asked in training: no alarm."""
    task, first = question.grain.tasks[0], question.grain.entities[0]
    codes, parts = question.rows.codes[first], question.parts[task]
    tested = np.unique(codes[(parts == TEST) & (codes > 0)])
    if len(tested) == 0:
        return
    trained = np.unique(codes[(parts == TRAIN) & (codes > 0)])
    both = int(np.isin(tested, trained).sum())
    yield leak(
        "overlap", f"grain {question.grain.name}", None, question.grain.tasks, count=both,
        evidence=f"{both:,} of the {len(tested):,} {first}s that are asked in test "
        f"({both / len(tested):.0%}) are asked in training too.",
        advice="",
    )  # fmt: skip


def _requests(
    project: Project, tables: Tables, question: Question, parts: Int8[np.ndarray, "rows"]
) -> Iterator[Leak]:
    grain = question.grain
    column = project.event[grain.table].list if grain.table in project.event else None
    if column is None or grain.asking != "row":
        return
    frame = pl.DataFrame(
        {
            "list": tables.events[grain.table][column].gather(pl.Series(question.rows.source)),
            "trained": parts == TRAIN,
            "later": (parts == VALID) | (parts == TEST),
        }
    )
    lists = frame.drop_nulls("list").group_by("list").agg(pl.col("trained", "later").any())
    later = lists.filter(pl.col("later"))
    cut = later.filter(pl.col("trained"))
    if len(cut) < 3 or len(cut) <= CUT_REQUESTS * len(later):
        return
    yield leak(
        "request_on_both_sides", f"event.{grain.table}", column, grain.tasks, count=len(cut),
        examples=tuple(str(value) for value in cut["list"].sort().head(3)),
        evidence=f"{len(cut):,} of the {len(later):,} `{column}` with rows that validate or test "
        f"({len(cut) / len(later):.0%}) have rows that train as well.",
        advice="What was shown together shares its answer. Split by time, or by the entity that "
        "makes the request (named first in `entities`).",
    )  # fmt: skip


def _equal_rows(
    project: Project, tables: Tables, question: Question, parts: Int8[np.ndarray, "rows"]
) -> Iterator[Leak]:
    """Rows that are equal in all but the key by which they are split."""
    grain = question.grain
    if grain.asking not in ("row", "once") or any(
        project.tasks[task].ranks_catalogue for task in grain.tasks
    ):
        return
    used = parts != UNUSED
    times, trained = question.rows.times, parts == TRAIN
    if times is not None and times[trained].max() < times[used & ~trained].min(initial=2**62):
        return  # cut by time, no two rows of both sides have the same
    rows = _whole(project, tables, question)
    if rows is None:
        return
    parts, rows = parts[used], rows[used]
    seen = np.unique(rows[parts == TRAIN])
    later = rows[parts != TRAIN]
    equal = int(np.isin(later, seen).sum())
    if len(later) == 0 or equal < LEAST or equal < EQUAL * len(later):
        return
    # If columns said nothing of each other: the chance that two rows agree in all of them. They do
    # say something, so the number of different values is believed where it is the greater.
    columns = (*_hashed(project, tables, question), *_answers(question))
    alone = float(np.prod([_agreeing(column[used]) for column in columns]))
    chance = alone * len(seen)
    if equal / len(later) < CHANCE * chance:
        return
    if _crowded(rows[parts == TRAIN]):
        return
    yield leak(
        "duplicates_on_both_sides", f"{_family(project, grain.table)}.{grain.table}", None,
        grain.tasks, count=equal,
        evidence=f"{equal:,} of {len(later):,} rows that validate or test "
        f"({equal / len(later):.0%}) equal a training row in every column but the key.",
        advice="Copies of one row were given keys of their own, so the test asks what training "
        "has seen. Keep one of each.",
    )  # fmt: skip


def _crowded(rows: np.ndarray) -> bool:
    """Whether rows are equal because there are few different ones: most are then met often."""
    counts = np.unique(rows, return_counts=True)[1]
    pairs, threes = int((counts == 2).sum()), int((counts >= 4).sum())
    return threes > max(3, 0.2 * pairs) and (counts == 1).sum() < 0.6 * len(rows)


def _family(project: Project, table: str) -> str:
    return "entity" if table in project.entity else "event"


def _whole(
    project: Project, tables: Tables, question: Question
) -> UInt64[np.ndarray, "rows"] | None:
    """One number for all that is read of each row: equal for equal rows, and hardly for others.

    None where nothing is read: without anything of the rows but their answers, equal rows say
    nothing.
    """
    columns = _hashed(project, tables, question)
    first = next(columns, None)
    if first is None:
        return None
    whole = first.copy()
    for column in (*columns, *_answers(question)):
        whole *= ODD
        whole += column
    return whole


def _hashed(
    project: Project, tables: Tables, question: Question
) -> Iterator[UInt64[np.ndarray, "rows"]]:
    """All that is read of rows but their answers: other entities, features, the time.

    One column after another: all of them side by side would fill the memory.
    """
    grain, rows = question.grain, question.rows
    if grain.asking == "row":
        for name in grain.entities[1:]:
            if name in rows.codes:
                yield _hash(pl.Series(rows.codes[name]))
        frame = tables.events[grain.table]
        for name in features_of(project, grain.table):
            yield _hash(frame[name])[rows.source]
    if rows.times is not None:
        yield _hash(pl.Series(rows.times))
    first = grain.entities[0]
    if first in rows.codes and first in grain.sees and first not in tables.versions:
        frame = tables.entities[first]
        for name in features_of(project, first):
            hashes = np.concatenate([np.zeros(1, np.uint64), _hash(frame[name])])
            yield hashes[np.minimum(rows.codes[first], len(frame))]


def _answers(question: Question) -> Iterator[UInt64[np.ndarray, "rows"]]:
    for labels in question.labels.values():
        yield _hash(pl.Series(np.nan_to_num(labels, nan=-1.0)))


def _hash(values: pl.Series) -> UInt64[np.ndarray, "rows"]:
    if values.dtype == pl.List:
        values = values.list.join("\x1f")
    return values.hash(seed=3).to_numpy()


def _agreeing(column: UInt64[np.ndarray, "rows"]) -> float:
    """The chance that two rows have the same value."""
    counts = np.unique(column, return_counts=True)[1]
    return float(((counts / len(column)) ** 2).sum())


def row_order_leaks(project: Project, samples: Sequence[Sample]) -> Iterator[Leak]:
    """Tables in which the place of a row tells its answer."""
    for sample in samples:
        grain, source = sample.question.grain, sample.question.rows.source[sample.rows]
        if grain.asking not in ("row", "once"):
            continue
        for target in sample.targets:
            codes = number_codes(source.astype(np.float64))[0]
            told = power(target.yes, target.share, codes, np.arange(len(codes)))
            if told.low(3.0) < SORTED or _is_time(sample, source):
                continue
            yield leak(
                "row_order", f"{_family(project, grain.table)}.{grain.table}", None,
                (sample.task,), count=len(sample.rows),
                evidence=f"The place of a row in the table tells `{target.name}` with AUC "
                f"{told.auc:.3f}.",
                advice="The table is sorted by the answer, or put together from parts. No model "
                "here reads the place, but whatever numbers the rows does: keys, a counter, a "
                "file name. Shuffle the table, and look at what else came from its order.",
            )  # fmt: skip
            break


def _is_time(sample: Sample, source: Int64[np.ndarray, "rows"]) -> bool:
    """Whether the table is in order of time, so that its place is what the clock says."""
    if sample.times is None:
        return False
    order = np.argsort(source, kind="stable")
    steps = np.diff(sample.times[order])
    return bool(max((steps >= 0).mean(), (steps <= 0).mean()) > 0.99)
