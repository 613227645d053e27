"""The rows a metric counts, and what metrics ask of their order. Not for use from outside."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64, Integer, Shaped
from numpy.typing import NDArray

from jointrec.errors import DataError

Column: TypeAlias = Shaped[np.ndarray, "rows"]
Table: TypeAlias = Shaped[np.ndarray, "rows classes"]
Codes: TypeAlias = Integer[np.ndarray, "rows"]
Floats: TypeAlias = Float64[np.ndarray, "..."]

NAN = float("nan")


class Rows(NamedTuple):
    """The rows that count: known labels, answers without nan, weights above zero."""

    labels: Floats
    answers: Floats
    weights: Floats
    groups: NDArray[Any] | None

    def mean(self, values: Floats) -> float:
        """The weighted mean of one value per row."""
        return float(np.dot(self.weights, values) / self.weights.sum())


def mean_defined(values: Iterable[float]) -> float:
    """The mean of those that are defined; nan where none is.

    >>> mean_defined([1.0, NAN, 3.0]), mean_defined([NAN])
    (2.0, nan)
    """
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else NAN


def known(
    labels: Shaped[np.ndarray, "..."],
    answers: Shaped[np.ndarray, "..."],
    weights: Shaped[np.ndarray, "..."] | None,
    groups: Shaped[np.ndarray, "..."] | None,
) -> Rows | None:
    """The rows that count, in the order given; None if there are none or an answer is nan.

    :raises DataError: Lengths differ, or a weight is negative or nan.
    """
    labels = np.asarray(labels, dtype=np.float64)
    answers = np.asarray(answers, dtype=np.float64)
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    lengths = {"labels": len(labels), "answers": len(answers), "weights": len(weights)}
    if groups is not None:
        lengths["groups"] = len(groups)
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(f"metric: labels, answers, weights and groups need equal lengths: {told}.")
    counts = weights > 0
    if not counts.all() and not (weights >= 0).all():
        raise DataError(
            "metric.weights: must be 0 or more for every row; received one below or nan."
        )
    counts &= ~np.isnan(labels)
    if not counts.all():
        labels, answers, weights = labels[counts], answers[counts], weights[counts]
        groups = None if groups is None else groups[counts]
    if len(labels) == 0 or np.isnan(answers).any():
        return None
    return Rows(labels, answers, weights, groups)


def yes_or_no(rows: Rows, metric: str) -> Rows:
    """The same rows, once it is sure that every label is 0 or 1."""
    if not ((rows.labels == 0) | (rows.labels == 1)).all():
        raise DataError(f"{metric}: labels must be 0 (no), 1 (yes) or nan (unknown).")
    return rows


def classes(rows: Rows, metric: str) -> NDArray[np.int64]:
    """The labels as numbers of classes, once it is sure that the answers have a place for each."""
    codes = rows.labels.astype(np.int64)
    size = rows.answers.shape[1]
    if not ((codes == rows.labels) & (codes >= 0) & (codes < size)).all():
        raise DataError(
            f"{metric}: labels must be numbers of classes from 0 to {size - 1}, or nan (unknown)."
        )
    return codes


def ascending(values: Floats) -> NDArray[np.int64] | slice:
    """An order in which ``values`` rise. Looking first is 100 times cheaper than sorting again."""
    if (values[1:] >= values[:-1]).all():
        return slice(None)
    return np.argsort(values)


def first_of_ties(*sorted_values: NDArray[Any]) -> NDArray[np.int64]:
    """Where each run of rows that are equal in all of ``sorted_values`` begins."""
    fresh = np.ones(len(sorted_values[0]), dtype=bool)
    fresh[1:] = False
    for values in sorted_values:
        fresh[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(fresh)


def chance_above(values: Floats, above: Floats, below: Floats) -> float:
    """The chance that a row drawn by ``above`` has a larger value than one drawn by ``below``.

    A tie counts one half. Nan where either has no weight at all.
    """
    order = ascending(values)
    starts = first_of_ties(values[order])
    upper = np.add.reduceat(above[order], starts)
    lower = np.add.reduceat(below[order], starts)
    pairs = upper.sum() * lower.sum()
    if pairs == 0:
        return NAN
    return float(np.dot(upper, np.cumsum(lower) - lower / 2) / pairs)


def middles(values: Floats, weights: Floats) -> Floats:
    """Where each row stands among all: the weight below it and half the weight level with it."""
    order = ascending(values)
    starts = first_of_ties(values[order])
    level = np.add.reduceat(weights[order], starts)
    tied = np.diff(starts, append=len(values))
    places = np.empty(len(values))
    places[order] = np.repeat(np.cumsum(level) - level / 2, tied)
    return places


def equal_shares(values: Floats, weights: Floats, shares: int) -> NDArray[np.int64]:
    """In which of so many shares of equal weight each row lies, from 0; equal values in one.

    A row goes to ⌊shares · q⌋, with q the share of weight below its value plus half of that level
    with it.
    """
    place = (shares * middles(values, weights) / weights.sum()).astype(np.int64)
    # A share just below one may round up to one.
    last: NDArray[np.int64] = np.minimum(place, shares - 1)
    return last
