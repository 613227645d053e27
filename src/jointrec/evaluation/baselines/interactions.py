"""Who had what: the past of whoever is asked, as a sparse matrix of people and candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.errors import missing_extra
from jointrec.functional.metrics import pessimistic_rank
from jointrec.labels import DAY, Later
from jointrec.prepare import Past

from .base import Question
from .choosing import MOST_ROWS

CELLS = 10_000_000
"""So many scores are made at once."""
FEW = 1_000_000_000
"""So many scores take some twenty seconds to make and to rank."""
LEVEL = 1e-9
"""What popularity adds at most: it orders those that are level, and no others."""
OWN = (0.0, 1.0, -1e6)
"""What having had a candidate adds to its score: nothing, or it comes first, or it comes last.
Books are bought once and bread again; validation rows know which of them a shop sells."""


def actor(question: Question) -> str | None:
    """The entity that is asked and whose past holds candidates; None where there is none."""
    label = question.project.tasks[question.task].label
    if not question.project.tasks[question.task].ranks_catalogue or not isinstance(label, Later):
        return None
    for entity in question.asked.grain.sees:
        if entity in question.prepared.past:
            past = question.prepared.past[entity]
            if label.column in past.objects and question.asked.times is not None:
                return entity
    return None


def num_candidates(question: Question) -> int:
    """How many candidates there are. Their codes begin at 1."""
    return int(question.prepared.popularity[question.task].counts.shape[1]) - 1


def few_scores(question: Question, settings: int) -> bool:
    """Whether all candidates are ranked in seconds, for test rows and to choose a setting."""
    rows = len(question.test) + settings * min(len(question.valid), MOST_ROWS)
    return rows * num_candidates(question) <= FEW


def had(question: Question, rows: Int64[np.ndarray, "rows"]) -> Any:
    """For each row which candidates were had before its moment, as far back as history goes.

    :returns: A sparse matrix of 0 and 1, ``[rows, candidates]``.
    """
    entity = _actor(question)
    moments, at = question.asked.moments[entity], question.asked.at[entity][rows]
    sizes = (moments.stop - moments.start)[at]
    owner = np.repeat(np.arange(len(rows)), sizes)
    first = np.cumsum(sizes) - sizes
    events = np.arange(sizes.sum()) + np.repeat(moments.start[at] - first, sizes)
    codes = _candidates(question, question.prepared.past[entity], events)
    return _sparse(question, owner, codes, len(rows))


def learned(question: Question) -> Any:
    """Which candidates each of those who are asked in training rows had, or came to have.

    They are what lies before a training row, and the labels of these rows: nothing that was not
    known when training rows end.

    :returns: A sparse matrix of 0 and 1, ``[people, candidates]``.
    """
    entity = _actor(question)
    moments, past = question.asked.moments[entity], question.prepared.past[entity]
    people = question.prepared.things[entity].codes_of(moments.things)
    at = question.asked.at[entity][question.train]
    seen = np.unique(at[moments.stop[at] > moments.start[at]])
    seen = seen[np.argsort(moments.start[seen], kind="stable")]
    # Runs of different people never overlap, so the last that starts before an event is of its own.
    steps = np.zeros(len(past.times) + 1, dtype=np.int64)
    np.add.at(steps, moments.start[seen], 1)
    np.add.at(steps, moments.stop[seen], -1)
    events = np.flatnonzero(steps.cumsum() > 0)
    place = np.searchsorted(moments.start[seen], events, side="right") - 1
    owners = people[seen][place]
    codes = np.concatenate(
        [_candidates(question, past, events), question.labels[question.train].astype(np.int64)]
    )
    everyone, owner = np.unique(np.concatenate([owners, people[at]]), return_inverse=True)
    return _sparse(question, owner, codes, len(everyone))


def ranks_by(
    question: Question,
    rows: Int64[np.ndarray, "rows"],
    scores: Callable[[Any], Float64[np.ndarray, "some candidates"]],
    own: float,
) -> Float64[np.ndarray, "rows"]:
    """The rank of the right candidate of each row by scores of what was had before.

    Level ones stand in order of how often each was chosen in the seven days before the day.

    :param scores: Scores of all candidates for a piece of :func:`had`.
    :param own: What having had a candidate adds to its score (see :data:`OWN`).
    """
    found = [np.zeros(0)]
    for piece in _pieces(question, rows):
        before = had(question, piece)
        said = np.asarray(scores(before), dtype=np.float64) + own * before.toarray()
        said += LEVEL * _popular(question, piece)
        found.append(pessimistic_rank(said, question.labels[piece].astype(np.int64) - 1))
    return np.concatenate(found)


def need_scipy(way: str) -> None:
    """:raises MissingExtra: where SciPy is not installed."""
    if find_spec("scipy") is None:
        raise missing_extra("scipy", "baselines", needed_for=f"the {way} baseline")


def _pieces(
    question: Question, rows: Int64[np.ndarray, "rows"]
) -> Iterator[Int64[np.ndarray, "some"]]:
    size = max(CELLS // max(num_candidates(question), 1), 1)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _popular(
    question: Question, rows: Int64[np.ndarray, "rows"]
) -> Float64[np.ndarray, "rows candidates"]:
    """From 0 to 1, how often each candidate was chosen lately."""
    popularity, times = question.prepared.popularity[question.task], question.asked.times
    assert times is not None, "what comes next is asked at a moment"
    days = np.clip(times[rows] // DAY - popularity.first_day, 0, len(popularity.counts) - 1)
    counts = popularity.counts[days, 1:, 1].astype(np.float64)
    found: Float64[np.ndarray, "rows candidates"] = counts / max(counts.max(initial=0), 1)
    return found


def _actor(question: Question) -> str:
    entity = actor(question)
    assert entity is not None, "it applies only where somebody has a past"
    return entity


def _candidates(
    question: Question, past: Past, events: Int64[np.ndarray, "events"]
) -> Int64[np.ndarray, "events"]:
    label = question.project.tasks[question.task].label
    assert isinstance(label, Later)
    assert label.column is not None
    return question.prepared.things[label.column].codes_of(past.objects[label.column][events])


def _sparse(
    question: Question,
    owner: Int64[np.ndarray, "events"],
    codes: Int64[np.ndarray, "events"],
    num_owners: int,
) -> Any:
    from scipy.sparse import csr_array

    width = num_candidates(question)
    owner, codes = owner[codes > 0], codes[codes > 0]
    ones = np.ones(len(codes))
    found = csr_array((ones, (owner, codes - 1)), shape=(num_owners, width))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found
