"""What a task that ranks a catalogue chooses from, batch by batch.

A small catalogue is read whole. Of a large one, training reads what the rows of the batch chose and
a uniform sample beside it. A candidate ``j`` then stands in a batch of ``B`` rows with the chance
``q_j = 1 - (1 - 1/n)^K (1 - p_j)^B`` (``n`` candidates, ``K`` draws, ``p_j`` its share of the
training labels); the network takes ``log q_j`` off its score, which makes the sampled softmax aim
at the full one (Bengio and Senécal 2008, https://doi.org/10.1109/TNN.2007.912312).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from jointrec.labels import DAY
from jointrec.prepare.prepared import Popularity

WHOLE = 20_000
"""A catalogue up to this size is read whole, unless a task says how many candidates it draws."""

DRAWS = 4_096
"""So many are drawn of a larger one, unless a task says how many."""


@dataclass(frozen=True)
class Choice:
    """Candidates as codes, before they become positions.

    :param codes: The codes, ascending.
    :param log_q: log of the chance with which each is here; None where all are.
    """

    codes: Int64[np.ndarray, "candidates"]
    log_q: Float32[np.ndarray, "candidates"] | None


def everything(size: int) -> Choice:
    """The whole catalogue; code 0, the unknown one, is never a candidate."""
    return Choice(np.arange(1, size + 1, dtype=np.int64), None)


def sampled(
    chosen: Int64[np.ndarray, "rows"],
    shares: Float64[np.ndarray, "candidates"],
    seed: Sequence[int],
    draws: int = DRAWS,
) -> Choice:
    """What the rows chose, and a uniform sample.

    :param chosen: The codes of the known labels, 1 to n.
    :param shares: For each candidate its share of the training labels.
    """
    size = len(shares)
    drawn = np.random.default_rng(seed).integers(1, size + 1, draws)
    codes = np.unique(np.concatenate([chosen, drawn]))
    undrawn = draws * np.log1p(-1 / size) if draws else 0.0
    missed = undrawn + len(chosen) * np.log1p(-np.minimum(shares, 1 - 1e-9))
    chance = -np.expm1(missed[codes - 1])
    return Choice(codes, np.log(chance).astype(np.float32))


def among(choice: Choice, labels: Float64[np.ndarray, "known"]) -> Float64[np.ndarray, "known"]:
    """Known labels (codes) as places among the candidates, from 0."""
    if choice.log_q is None:
        return labels - 1
    return np.searchsorted(choice.codes, labels.astype(np.int64)).astype(np.float64)


def shares(labels: Float64[np.ndarray, "rows"], size: int) -> Float64[np.ndarray, "size"]:
    """For each candidate its share of the known labels."""
    counts = np.bincount(labels[~np.isnan(labels)].astype(np.int64), minlength=size + 1)[1:]
    return counts / max(int(counts.sum()), 1)


def counted(
    popularity: Popularity, times: Int64[np.ndarray, "rows"], codes: Int64[np.ndarray, "candidates"]
) -> tuple[Float32[np.ndarray, "days candidates windows"], Int64[np.ndarray, "rows"]]:
    """The counts of the candidates on the days of the rows, and which of the days each row has.

    A moment before the first day that was counted, or after the last, reads that one.
    """
    known = len(popularity.counts)
    days, at = np.unique(
        np.clip(times // DAY - popularity.first_day, 0, known - 1), return_inverse=True
    )
    counts = popularity.counts[days]
    whole = len(codes) == counts.shape[1] - 1  # need not be picked apart
    return counts[:, 1:] if whole else counts[:, codes], at.astype(np.int64, copy=False)
