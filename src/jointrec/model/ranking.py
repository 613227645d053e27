"""The best of a catalogue for somebody, by what counts to you. Exact: every candidate is scored."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from jointrec.errors import DataError, unknown_name

from .answering import Answers, check_k, pieces, together
from .asking import Key, Known
from .best import best_of
from .learned import Learned
from .moments import Moment
from .questions import by_keys, everything


def best_for(
    learned: Learned,
    keys: Mapping[str, Key],
    *,
    k: int,
    rank_by: Mapping[str, float],
    at: Moment | None,
    context: Mapping[str, Any],
    candidates: Sequence[str] | None,
    exclude: Sequence[str],
) -> pl.DataFrame:
    """One row for each of the best ``k`` candidates: rank, key, score, and what each task says.

    :raises DataError: where the tasks rank nothing, or not the same thing.
    """
    check_k(k)
    _check_lists(candidates, exclude)
    entity = ranked_entity(learned, rank_by, keys)
    _check_context(learned, rank_by, context)
    chosen = _chosen(learned, entity, candidates, {str(key) for key in exclude})
    scores = _scores(learned, rank_by, entity, chosen, keys, at, context)
    total = sum((rank_by[task] * scores[task] for task in rank_by), np.zeros(len(chosen)))
    (best,) = best_of(total[None], k)
    return pl.DataFrame(
        {
            "rank": np.arange(1, len(best) + 1),
            entity: _names(chosen).gather(best),
            "score": total[best],
            **{task: scores[task][best] for task in rank_by},
        }
    )


Chosen = Known | list[str]
"""What is ranked: rows of a table, or keys that may be in none."""


def _chosen(
    learned: Learned, entity: str, candidates: Sequence[str] | None, barred: Collection[str]
) -> Chosen:
    if candidates is not None:
        return [key for key in map(str, candidates) if key not in barred]
    every = everything(learned.reader, entity)
    if not barred:
        return every
    kept = ~every.keys.is_in(list(barred))
    return Known(every.codes[kept.to_numpy()], every.keys.filter(kept))


def _names(chosen: Chosen) -> pl.Series:
    return chosen.keys if isinstance(chosen, Known) else pl.Series(chosen, dtype=pl.String)


def default_ranking(learned: Learned, keys: Mapping[str, Key]) -> dict[str, float]:
    """The task that ranks for these keys: of those that use most of what is given, and guess least.

    Among equals it is the first of the project.

    :raises DataError: where no task ranks anything for them.
    """
    _check_entities(learned, keys)
    fits: dict[str, tuple[int, int]] = {}
    for task in learned.project.tasks:
        grain = learned.plan.grain_of(task)
        used = len(set(keys) & set(grain.sees))
        if task in learned.plan.catalogue:
            if used == len(grain.sees):
                fits[task] = (used, 0)
        elif grain.asking == "row" and learned.project.tasks[task].has_worth and used:
            missing = len(set(grain.sees) - set(keys))
            if missing and _ranks(learned, task, keys):
                fits[task] = (used, 1 - missing)
    if not fits:
        raise DataError(
            f"recommend: no task ranks anything for {', '.join(keys) or 'nobody'}. "
            'Say what to rank by: rank_by={"click": 1}.'
        )
    return {max(fits, key=lambda task: fits[task]): 1.0}


def ranked_entity(learned: Learned, rank_by: Mapping[str, float], keys: Mapping[str, Key]) -> str:
    """The entity that some tasks rank for somebody.

    :raises DataError: where they rank nothing, or not the same thing, where a weight is no number,
        or where a key is given that none of them looks at.
    """
    _check_entities(learned, keys)
    for task, weight in rank_by.items():
        learned.check_task(task)
        if not math.isfinite(weight):
            raise DataError(
                f"rank_by: the weight of `{task}` should be a number. Found `{weight}`."
            )
        if not learned.project.tasks[task].has_worth:
            raise DataError(
                f"recommend: `{task}` answers with classes, which cannot be ranked by. "
                "Rank by a chance, an amount or a count."
            )
    looked_at = {e for task in rank_by for e in learned.plan.grain_of(task).sees}
    for entity in keys:
        if entity not in looked_at:
            raise DataError(
                f"recommend: {', '.join(rank_by)} cannot see the {entity} that was given. They see "
                f"{', '.join(sorted(looked_at))}. Leave it out, or rank by another task."
            )
    entities = {_ranks(learned, task, keys) for task in rank_by}
    found = next(iter(entities))
    if found is None or len(entities) != 1:
        raise DataError(
            f"recommend: {', '.join(rank_by)} do not rank the same thing for "
            f"{', '.join(keys) or 'nobody'}. Name tasks that see one more entity than is given."
        )
    return found


def _ranks(learned: Learned, task: str, keys: Mapping[str, Key]) -> str | None:
    """What a task ranks: its catalogue, or the last entity that it sees and nobody gave."""
    if task in learned.plan.catalogue:
        return learned.plan.catalogue[task]
    seen = learned.plan.grain_of(task).sees
    return next((entity for entity in reversed(seen) if entity not in keys), None)


def _check_entities(learned: Learned, keys: Mapping[str, Key]) -> None:
    known = learned.project.entity
    for entity in keys:
        if entity not in known:
            raise DataError(unknown_name("entity", entity, known, at="recommend"))


def _check_lists(candidates: Sequence[str] | None, exclude: Sequence[str]) -> None:
    for name, given in (("candidates", candidates), ("exclude", exclude)):
        if isinstance(given, str):
            raise DataError(f'{name}: should be a list of keys. Write {name}=["{given}"].')


def _check_context(
    learned: Learned, rank_by: Mapping[str, float], context: Mapping[str, Any]
) -> None:
    """Refuses what no task that is ranked by could look at."""
    known = {name for task in rank_by for name in _context_features(learned, task)}
    for name in context:
        if name not in known:
            raise DataError(unknown_name("feature", name, known, at="recommend: context"))


def _context_features(learned: Learned, task: str) -> Mapping[str, Any]:
    """What the event itself says of a row, where the task is asked of one."""
    grain = learned.plan.grain_of(task)
    return learned.project.event[grain.table].features if grain.asking == "row" else {}


def _scores(
    learned: Learned, tasks: Collection[str], entity: str, chosen: Chosen,
    keys: Mapping[str, Key], at: Moment | None, context: Mapping[str, Any],
) -> dict[str, Answers]:  # fmt: skip
    """What each task says of each candidate. Tasks of one grain are asked together."""
    scores: dict[str, Answers] = {}
    for grain in learned.plan.grains:
        own = [t for t in tasks if t in grain.tasks and t not in learned.plan.catalogue]
        if not own:
            continue
        given = {name: key for name, key in keys.items() if name in grain.entities}
        features = _context_features(learned, own[0])
        told = {name: value for name, value in context.items() if name in features}
        questions = by_keys(learned.reader, grain, {**given, entity: chosen}, at, told)
        for task, said in together(learned, own, questions).items():
            scores[task] = learned.project.tasks[task].worth(said)
    for task in tasks:
        if task in learned.plan.catalogue:
            scores[task] = _chances(learned, task, entity, chosen, keys, at)
    return scores


def _chances(
    learned: Learned, task: str, entity: str, chosen: Chosen, keys: Mapping[str, Key],
    at: Moment | None,
) -> Answers:  # fmt: skip
    """The chance of each candidate in a catalogue, which is 0 for strangers."""
    grain = learned.plan.grain_of(task)
    given = {name: key for name, key in keys.items() if name in grain.entities}
    unknown = {name: "" for name in grain.sees if name not in given}
    questions = by_keys(learned.reader, grain, {**given, **unknown}, at, {})
    (scores,) = next(pieces(learned, task, questions))
    odds = np.exp(scores - scores.max())
    chances = odds / odds.sum()
    if isinstance(chosen, Known):
        own: Answers = chances[chosen.codes - 1]
        return own
    place = learned.reader.tables.codes(entity)
    return np.array([chances[place[key] - 1] if key in place else 0.0 for key in chosen])
