"""Columns that by themselves are almost the answer, or that tell it only in training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64

from .columns import Column, words_of
from .found import Leak, leak
from .question import Sample, Target
from .ranks import rank_correlation
from .scores import Power, explained, power, power_later

TOO_GOOD = 0.97
"""An AUC that no honest single column is expected to have…"""
TOO_GOOD_LOW = 0.93
"""… and what its lower bound (1.64 standard errors) must be: few rows prove nothing."""
TOLD, TOLD_BINNED = 0.6, 0.7
"""The share of uncertainty that a column of few values, or of many, may take away."""
EXPLAINED = 0.975
"""The share of the variance of amounts, as ranks, that a column may explain."""
SURE, SURE_BINNED = 0.98, 0.997
"""How right values that are sure of an answer may be."""
SURE_OF = 0.25
"""How much of the rarer answer they may cover while they are."""
STAND_OUT = 2
"""Where more columns than this take so much away, or are so sure, the answer is easy: that nobody
who is a child was ever married is no leak."""
LEAST = 20
"""Fewer clusters than this are no evidence."""
FALLS = 0.15
"""By how much an AUC may differ between training and validation, by more than chance…"""
FALLS_FROM = 0.7
"""… where the larger of them is at least this."""


def single_column_leaks(sample: Sample, columns: list[Column]) -> Iterator[Leak]:
    """What is wrong with each column of a task by itself."""
    weak: dict[str, list[Leak]] = {target.name: [] for target in sample.targets}
    for column in columns:
        found = False
        for target in sample.targets:
            told, strong = _giving_away(sample, target, column)
            if told is None:
                yield from _falling_apart(sample, target, column)
                continue
            if strong:
                yield told
            else:
                weak[target.name].append(told)
            found = True
            break
        if not found and sample.amounts:
            yield from _amounts(sample, column)
    for name, alarms in weak.items():
        if len(alarms) <= STAND_OUT:
            yield from alarms
        else:
            yield _easy(sample, name, [str(alarm.column) for alarm in alarms])


def _easy(sample: Sample, name: str, columns: list[str]) -> Leak:
    named = ", ".join(f"`{column}`" for column in columns)
    return leak(
        "easy_answer", f"tasks.{sample.task}", None, (sample.task,), count=len(columns),
        evidence=f"{named} each tell much about `{name}`, or are sure of it in many rows; none of "
        "them stands out.",
        advice="",
    )  # fmt: skip


def _giving_away(sample: Sample, target: Target, column: Column) -> tuple[Leak | None, bool]:
    """Whether the value, that there is one, or a word in it, tells the answer; and whether that
    holds whatever other columns do."""
    shown = column.missing.mean()
    if 0.002 < shown < 0.998:
        filled = (~column.missing).astype(np.int64)
        told = power(target.yes, target.share, filled, sample.clusters)
        why = _almost(told) or _much(target, told, binned=False)
        if why:
            alarm = leak(
                "after_outcome", column.at, column.name, (sample.task,),
                count=int((~column.missing).sum()),
                evidence=f"That `{column.name}` is filled or missing tells `{target.name}`: {why}",
                advice="Leave the column out of `features`, or keep only what was filled in before "
                "the moment of asking.",
            )  # fmt: skip
            return alarm, True
    if target.halved:
        return None, False
    told = power(target.yes, target.share, column.codes, sample.clusters)
    strong = _almost(told)
    why = strong or _much(target, told, binned=column.binned)
    if why:
        return _copy(sample, target, column, why), bool(strong)
    if column.cell in ("text", "list"):
        for word, holds in words_of(column, target.yes):
            told = power(target.yes, target.share, holds.astype(np.int64), sample.clusters)
            strong = _almost(told)
            why = strong or _much(target, told, binned=False)
            if why:
                why = f"Rows that hold `{word}`: {why}"
                return _copy(sample, target, column, why, (word,)), bool(strong)
    return None, False


def _copy(
    sample: Sample, target: Target, column: Column, why: str, examples: tuple[str, ...] = ()
) -> Leak:
    return leak(
        "tells_answer", column.at, column.name, (sample.task,),
        count=len(sample.rows), examples=examples,
        evidence=f"`{column.name}` alone tells `{target.name}`: {why}",
        advice="Is it the answer under another name, or written after it? Then leave it out of "
        "`features`. If it is truly known at the moment, keep it.",
    )  # fmt: skip


def _almost(told: Power) -> str:
    """That a column is almost the answer; nothing where it is not."""
    if told.clusters >= LEAST and told.auc >= TOO_GOOD and told.low(1.64) >= TOO_GOOD_LOW:
        return f"AUC {told.auc:.3f} (at least {told.low(1.64):.3f}), judged on other rows."
    return ""


def _much(target: Target, told: Power, *, binned: bool) -> str:
    """That a column tells more than honest columns do, if but one or two do; nothing otherwise."""
    if told.clusters < LEAST:
        return ""
    if told.told >= (TOLD_BINNED if binned else TOLD) and told.clusters >= 50:
        return (
            f"it takes away {told.told:.0%} of all uncertainty about the answer "
            f"(AUC {told.auc:.3f}), judged on other rows."
        )
    most = SURE_BINNED if binned else SURE
    if (
        target.share <= 0.6
        and told.precision >= most
        and told.recall >= SURE_OF
        and told.sure >= LEAST
        and 1 - told.precision <= 0.1 * (1 - target.share)
    ):
        return (
            f"some of its values are followed by yes in {told.precision:.1%} of rows and cover "
            f"{told.recall:.0%} of all yes (which is {target.share:.1%} of rows)."
        )
    return ""


def _falling_apart(sample: Sample, target: Target, column: Column) -> Iterator[Leak]:
    """A column that tells much in training and little in validation, or the reverse."""
    learn, last = sample.earlier
    ways = [sample.clusters]
    if column.entity is not None:
        # Few items stand behind many rows: what holds of their column was drawn but once for each.
        ways.append(sample.question.rows.codes[column.entity][sample.rows])
    pairs = [
        (
            power_later(target.yes, column.codes, way, ~sample.valid, sample.valid),
            power_later(target.yes, column.codes, way, learn, last),
        )
        for way in ways
    ]
    (late, known_late), (soon, known_soon) = pairs[0]
    if min(known_late, known_soon) < 0.5 or min(late.clusters, soon.clusters) < LEAST:
        return
    gap = soon.auc - late.auc
    error = float(np.sqrt(sum(late.spread**2 + soon.spread**2 for (late, _), (soon, _) in pairs)))
    if abs(gap) < FALLS or abs(gap) - 3 * error < FALLS / 2:
        return
    if max(soon.auc, late.auc) < FALLS_FROM:
        return
    higher, lower = ("training", "validation") if gap > 0 else ("validation", "training")
    yield leak(
        "falls_apart", column.at, column.name, (sample.task,),
        count=len(sample.rows),
        evidence=f"`{column.name}` tells `{target.name}` with AUC {max(soon.auc, late.auc):.2f} in "
        f"{higher} and {min(soon.auc, late.auc):.2f} in {lower} (each learned from earlier rows).",
        advice="Was it filled in or corrected afterwards for the older rows, or made when the "
        "table was written? Then leave it out of `features`, or use it as it was at the moment.",
    )  # fmt: skip


def _amounts(sample: Sample, column: Column) -> Iterator[Leak]:
    """A column that is an amount, or a band of it."""
    share = explained(sample.labels, column.codes, sample.clusters)
    if column.numbers is not None and column.missing.mean() < 0.02:
        order = rank_correlation(column.numbers[~column.missing], sample.labels[~column.missing])
        share = max(share, order**2)
    if share >= EXPLAINED and len(sample.rows) >= 4 * LEAST:
        why = f"it explains {share:.1%} of the variance of the ranks, judged on other rows."
    elif _is_band(sample, column.codes, column.distinct):
        why = f"its {column.distinct} values follow the amount in order, without overlap."
    else:
        return
    yield _copy(sample, Target(sample.task, sample.labels > 0, 0.5), column, why)


def _is_band(sample: Sample, codes: Int64[np.ndarray, "rows"], distinct: int) -> bool:
    """Whether a column of few values is the amount cut into bands: sorted by amount, its value
    hardly ever changes."""
    order = np.argsort(sample.labels, kind="stable")
    new = np.diff(sample.labels[order], prepend=-np.inf) != 0
    if not 2 <= distinct <= 50 or new.sum() < max(4 * LEAST, 5 * distinct):
        return False
    sorted_codes = codes[order][new]
    changes = int((np.diff(sorted_codes) != 0).sum())
    shares = np.bincount(sorted_codes) / len(sorted_codes)
    expected = float(1 - (shares**2).sum()) * (len(sorted_codes) - 1)
    return expected >= LEAST and changes <= max(0.03 * expected, 1.2 * distinct)
