"""Whether a column is another one where the model is judged than where it learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

LEAST = 50
"""From how many known values on each side on drift is measured."""
BINS = 10
NAMES = 20
"""So many names are compared one by one, the others together."""
PSI_LIMIT, VARIATION_LIMIT = 0.2, 0.1
"""From which size on a drift is told, if it is not by chance."""


@dataclass(frozen=True)
class Drift:
    """How far test rows are from training rows in one column.

    :param measure: ``PSI`` for numbers (0 and up), ``TV`` (total variation) for names (0 to 1).
    :param size: How far.
    :param flagged: Whether it is large, and larger than chance gives.
    """

    measure: str
    size: float
    flagged: bool


def drift_of(train: pl.Series, test: pl.Series) -> Drift | None:
    """The drift between the training values and the test values of a column; None for too few.

    Numbers are put into ten bins of as many training values each, names into the twenty most
    frequent ones and the others; values that are missing are a bin of their own. Drift is flagged
    where PSI is 0.2 or more, or the total variation 0.1 or more, and a chi-square test would find
    as much by chance in fewer than one of 10,000 columns. Rows of one user are alike, which such a
    test does not know: that is why the size counts as well.

    >>> drift_of(pl.Series(["a", "b"] * 100), pl.Series(["a"] * 200)).flagged
    True
    >>> drift_of(pl.Series(range(400)), pl.Series(range(400))).flagged
    False
    """
    if min(train.count(), test.count()) < LEAST:
        return None
    numeric = train.dtype.is_numeric()
    before, after = _binned(train, test) if numeric else _named(train, test)
    p, q = before / before.sum(), after / after.sum()
    beyond = not _by_chance(before, after)
    if numeric:
        size = _psi(before, after)
        return Drift("PSI", size, beyond and size >= PSI_LIMIT)
    size = float(np.abs(p - q).sum() / 2)
    return Drift("TV", size, beyond and size >= VARIATION_LIMIT)


def _binned(
    train: pl.Series, test: pl.Series
) -> tuple[Int64[np.ndarray, "bins"], Int64[np.ndarray, "bins"]]:
    known = train.drop_nulls().cast(pl.Float64).to_numpy()
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = []
    for values in (train, test):
        numbers = values.drop_nulls().cast(pl.Float64).to_numpy()
        # A value that very many have is a bin of its own: on an edge counts as below it.
        places = np.searchsorted(edges, numbers, side="left")
        inside = np.bincount(places, minlength=len(edges) + 1)
        counts.append(np.append(inside, values.null_count()))
    return counts[0], counts[1]


def _named(
    train: pl.Series, test: pl.Series
) -> tuple[Int64[np.ndarray, "bins"], Int64[np.ndarray, "bins"]]:
    most = train.drop_nulls().value_counts(sort=True, name="@n")[train.name][:NAMES]
    places = {name: place for place, name in enumerate(most.sort().to_list())}
    counts = []
    for values in (train, test):
        found = np.zeros(len(places) + 2, np.int64)
        for name, count in values.value_counts(name="@n").iter_rows():
            found[-1 if name is None else places.get(name, -2)] += count
        counts.append(found)
    return counts[0], counts[1]


def _psi(before: Int64[np.ndarray, "bins"], after: Int64[np.ndarray, "bins"]) -> float:
    """The population stability index, with half a row added to each bin."""
    p = (before + 0.5) / (before + 0.5).sum()
    q = (after + 0.5) / (after + 0.5).sum()
    return float(((q - p) * np.log(q / p)).sum())


def _by_chance(before: Int64[np.ndarray, "bins"], after: Int64[np.ndarray, "bins"]) -> bool:
    """Whether two samples of one population differ as much in at least 1 of 10,000 cases."""
    both = before + after
    used = both > 0
    counts: Float64[np.ndarray, "2 bins"] = np.stack([before[used], after[used]]).astype(float)
    expected = np.outer(counts.sum(axis=1), both[used] / both.sum())
    distance = float(((counts - expected) ** 2 / expected).sum())
    freedom = int(used.sum()) - 1
    if freedom == 0:
        return True
    # Wilson and Hilferty: the cube root of chi-square over its freedom is nearly normal.
    spread = 2 / (9 * freedom)
    return bool((distance / freedom) ** (1 / 3) < 1 - spread + 3.72 * spread**0.5)
