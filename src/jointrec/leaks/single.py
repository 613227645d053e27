"""Columns that by themselves are almost the answer, or that tell it only in training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int64

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
LEAST = 20
"""Fewer clusters than this are no evidence."""
FALLS = 0.15
"""By how much an AUC may differ between training and validation, by more than chance."""


def single_column_leaks(sample: Sample, columns: list[Column]) -> Iterator[Leak]:
    """What is wrong with each column of a task by itself."""
    for column in columns:
        found = False
        for target in sample.targets:
            for told in _giving_away(sample, target, column):
                if not found:
                    yield told
                found = True
            if not found:
                yield from _falling_apart(sample, target, column)
        if not found and sample.amounts:
            yield from _amounts(sample, column)


def _giving_away(sample: Sample, target: Target, column: Column) -> Iterator[Leak]:
    """Whether the value, that there is one, or a word in it, tells the answer."""
    shown = column.missing.mean()
    if 0.002 < shown < 0.998:
        filled = (~column.missing).astype(np.int64)
        told = power(target.yes, target.share, filled, sample.clusters)
        why = _why(target, told, binned=False)
        if why:
            yield leak(
                "after_outcome", column.at, column.name, (sample.task,),
                count=int((~column.missing).sum()),
                evidence=f"That `{column.name}` is filled or missing tells `{target.name}`: {why}",
                advice="Leave the column out of `features`, or keep only what was filled in before "
                "the moment of asking.",
            )  # fmt: skip
            return
    if target.halved:
        return
    told = power(target.yes, target.share, column.codes, sample.clusters)
    why = _why(target, told, binned=column.binned)
    if why:
        yield _copy(sample, target, column, why)
        return
    if column.cell in ("text", "list"):
        for word, holds in words_of(column, target.yes):
            told = power(target.yes, target.share, holds.astype(np.int64), sample.clusters)
            why = _why(target, told, binned=False)
            if why:
                yield _copy(sample, target, column, f"Rows that hold `{word}`: {why}", (word,))
                return


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


def _why(target: Target, told: Power, *, binned: bool) -> str:
    """Why a column is too good to be honest; nothing where it is not."""
    if told.clusters < LEAST:
        return ""
    if told.auc >= TOO_GOOD and told.low(1.64) >= TOO_GOOD_LOW:
        return f"AUC {told.auc:.3f} (at least {told.low(1.64):.3f}), judged on other rows."
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
    learn, last = _earlier(sample)
    late, known_late = power_later(
        target.yes, column.codes, sample.clusters, ~sample.valid, sample.valid
    )
    soon, known_soon = power_later(target.yes, column.codes, sample.clusters, learn, last)
    if min(known_late, known_soon) < 0.5 or min(late.clusters, soon.clusters) < LEAST:
        return
    gap = soon.auc - late.auc
    error = float(np.hypot(soon.spread, late.spread))
    if abs(gap) < FALLS or abs(gap) - 3 * error < FALLS / 2:
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


def _earlier(
    sample: Sample,
) -> tuple[Bool[np.ndarray, "rows"], Bool[np.ndarray, "rows"]]:
    """Training rows in two parts, cut as training is cut from validation: the later three tenths
    of time, or three tenths of clusters."""
    times = sample.times
    if times is None:
        mixed = (sample.clusters.astype(np.uint64) + np.uint64(7)) * np.uint64(0xBF58476D1CE4E5B9)
        last = (mixed >> np.uint64(40)) % np.uint64(10) < 3
    else:
        last = times >= np.quantile(times[~sample.valid], 0.7)
    return ~sample.valid & ~last, ~sample.valid & last


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
