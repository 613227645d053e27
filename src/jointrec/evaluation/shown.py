"""What would be shown: how much of a catalogue lists of ten hold, and how little known it is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.functional.metrics import catalogue_coverage, novelty

from .baselines import Question

TEN = 10


def best_ten(scores: Float64[np.ndarray, "rows things"]) -> Int64[np.ndarray, "rows ten"]:
    """The places of the ten best of each row, in no order; of all where there are fewer.

    >>> best_ten(np.arange(24.0).reshape(2, 12)).min(axis=1).tolist()
    [2, 2]
    """
    best = np.argpartition(-scores, min(TEN, scores.shape[1]) - 1, axis=1)
    return best[:, :TEN]


def variety(ten: Int64[np.ndarray, "rows ten"], question: Question) -> dict[str, float]:
    """Coverage and novelty of the ten that would be shown of each test row.

    Popularity is that of the training labels.

    :param ten: The codes of things, less 1.
    """
    size = int(question.prepared.popularity[question.task].counts.shape[1]) - 1
    chosen = question.labels[question.train].astype(np.int64) - 1
    counts = np.bincount(chosen, minlength=size).astype(np.float64)
    return {"coverage@10": catalogue_coverage(ten, size), "novelty@10": novelty(ten, counts)}
