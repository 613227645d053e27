"""What is learned from training rows before any network sees them: vocabularies, scales, places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32

from jointrec.features import Feature, Text
from jointrec.features.words import words_of
from jointrec.plan import Plan, features_of, texts_beside
from jointrec.project import Project
from jointrec.splits import TRAIN

from .answers import Answered, State
from .matching import MOST_WORDS
from .preparation import Preparation, Scale
from .prepared import Layout
from .rarity import Rarity
from .reader import Raw, group_name
from .tables import Tables
from .training_rows import days_named, learned_columns, times_named
from .workspace import IN_MEMORY, Workspace

Used = tuple[Float32[np.ndarray, "_ _"], Bool[np.ndarray, "_"]]
"""Numbers, and which of their rows are learned from."""
PIECE = 1_048_576
"""How many rows of numbers are added up at a time."""


def learn_columns(
    project: Project,
    plan: Plan,
    tables: Tables,
    trained: Mapping[str, pl.Series],
    workspace: Workspace = IN_MEMORY,
) -> Preparation:
    """What every column learns from training rows, and where each sits in the fused table.

    The rates, the scales and the layout of what is given back are still empty.

    :param trained: For each entity and each event, which of its rows are training rows.
    :param workspace: Where what is learned from lives for a while.
    """
    features: dict[str, State] = {}
    ids: dict[str, tuple[str, ...]] = {}
    offsets: dict[str, int] = {}
    shared: dict[str, int] = {}
    texts: dict[str, Rarity] = {}
    beside = {
        name for grain in plan.grains for pair in texts_beside(project, grain) for name in pair
    }
    table_rows = 0

    def learn(column: str, feature: Feature, values: pl.Series) -> None:
        features[column] = feature.learn(values)
        if column in beside:
            texts[column] = Rarity.learn(words_of(values, MOST_WORDS))

    for name, entity in project.entity.items():
        if entity.id_floor > 0:
            counts = times_named(project, tables, trained, name)
            days = days_named(project, tables, trained, name)
            keys = tables.entities[name]["@key"]
            ids[name] = _returning(keys, days, counts, entity.id_floor)
            offsets[f"{name}.@id"], table_rows = table_rows, table_rows + len(ids[name]) + 1
    for name in [*project.entity, *project.event]:
        for column, feature, values in learned_columns(project, tables, trained, name, workspace):
            learn(f"{name}.{column}", feature, values)
    for name, state in features.items():
        table, _, column = name.partition(".")
        declared = features_of(project, table)[column]
        rows = declared.table_rows(state)
        # Words of a query and words of a title are the same words, so texts share their rows.
        share = repr(declared) if isinstance(declared, Text) else name
        if rows and share not in shared:
            shared[share], table_rows = table_rows, table_rows + rows
        if rows:
            offsets[name] = shared[share]
    return Preparation(
        features=features,
        ids=ids,
        offsets=offsets,
        rates={},
        scales={},
        tasks={},
        limits=tables.limits,
        layout=Layout(table_rows, {}, {}, {}, {}, {}, (), {}, {}, {}, {}, {}),
        cuts=(tables.cuts.valid, tables.cuts.test),
        first=tables.first,
        until=tables.until,
        texts=texts,
    )


def _returning(
    keys: pl.Series, days: pl.Series, counts: pl.Series | None, floor: int
) -> tuple[str, ...]:
    """The keys that were seen on enough days, those named most often first."""
    if counts is None:
        return ()
    frame = pl.DataFrame({"key": keys, "count": counts}).filter(days >= floor)
    return tuple(frame.sort(["count", "key"], descending=[True, False])["key"].to_list())


def learn_scales(raws: Mapping[str, Raw], answered: Mapping[str, Answered]) -> dict[str, Scale]:
    """The scale of each entity's and each pair's numbers, from the training rows of all grains."""
    return {name: _scale(parts) for name, parts in used_numbers(raws, answered).items()}


def used_numbers(
    raws: Mapping[str, Raw], answered: Mapping[str, Answered]
) -> dict[str, list[Used]]:
    """The numbers of each entity, pair and two texts in all grains, and which rows train."""
    moments: dict[str, list[Used]] = {}
    pairs: dict[str, list[Used]] = {}
    for name, raw in raws.items():
        train = reduce(np.logical_or, (part == TRAIN for part in answered[name].parts.values()))
        for pair, numbers in raw.matches.items():
            both = numbers[:, -1] == 1  # others have nothing to learn from
            pairs.setdefault(group_name(pair), []).append((numbers, train & both))
        if raw.rows.times is None:
            continue
        for entity, moment in raw.moments.items():
            used = np.zeros(len(moment.things), dtype=bool)
            used[raw.at[entity][train]] = True
            moments.setdefault(entity, []).append((moment.numbers, used))
        for pair, numbers in raw.pairs.items():
            pairs.setdefault(group_name(pair), []).append((numbers, train))
    return moments | pairs


def _scale(parts: Sequence[Used]) -> Scale:
    """The scale of the used rows of some numbers: at once where they are few, or else in pieces."""
    if sum(int(used.sum()) for _, used in parts) <= PIECE:
        return Scale.learn([np.concatenate([numbers[used] for numbers, used in parts])])
    return Scale.learn(_Pieces(parts))


@dataclass(frozen=True)
class _Pieces:
    """The used rows of some numbers, a few million at a time, as often as they are asked for."""

    parts: Sequence[Used]

    def __iter__(self) -> Iterator[Float32[np.ndarray, "rows k"]]:
        for numbers, used in self.parts:
            for first in range(0, len(numbers), PIECE):
                piece = slice(first, first + PIECE)
                yield numbers[piece][used[piece]]
