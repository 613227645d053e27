"""From clean tables to prepared arrays: learn from training rows, then encode every row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64, Int8, Int64

from jointrec.errors import DataError
from jointrec.features import Text
from jointrec.plan import Grain, Plan
from jointrec.project import Project
from jointrec.sources import Finding
from jointrec.splits import TRAIN, Cuts

from .counters import Counters, base_rates
from .history import past_of
from .labels import Label, Rows, label_of, nest, rows_of
from .popularity import popularity
from .preparation import Preparation, Scale
from .prepared import Asked, FieldsLayout, Layout, Prepared, Things
from .reader import CLOCK, Raw, Reader, encode_things, has_history, pair_name, raw_rows
from .tables import Tables

State = Mapping[str, Any]


@dataclass(frozen=True)
class Answered:
    """The labels of a grain's rows, encoded, and the part of the split that each falls in."""

    labels: Mapping[str, Float64[np.ndarray, "rows"]]
    parts: Mapping[str, Int8[np.ndarray, "rows"]]


def prepare(
    project: Project, plan: Plan, tables: Tables
) -> tuple[Reader, Prepared, tuple[Finding, ...]]:
    """Learns a preparation from the training rows of the tables and encodes all rows.

    :returns: The reader (which holds the preparation), what training reads, and what was found odd
        about the labels.
    :raises DataError: where a task has nothing to learn from.
    """
    hashes = hashes_of(tables)
    asked_rows = {grain.name: rows_of_grain(grain, tables) for grain in plan.grains}
    states: dict[str, State] = {}
    answered: dict[str, Answered] = {}
    findings: list[Finding] = []
    for grain in plan.grains:
        answered[grain.name], learned, found = answers_of_grain(
            project, plan, tables, grain, asked_rows[grain.name], hashes
        )
        states |= learned
        findings += found
    trained = _trained_rows(project, tables, hashes)
    preparation = _learn_columns(project, plan, tables, trained)
    preparation = replace(
        preparation,
        tasks=states,
        rates={
            f"{event}.{column}": rate
            for (event, column), rate in base_rates(
                project, plan, tables, tables.cuts.valid
            ).items()
        },
    )
    reader = build_reader(project, plan, tables, preparation)
    raws = {grain.name: raw_rows(reader, grain, asked_rows[grain.name]) for grain in plan.grains}
    preparation = replace(preparation, scales=_scales(raws, answered))
    preparation = replace(
        preparation, layout=_layout(project, plan, reader, preparation, answered)
    )
    reader = replace(reader, preparation=preparation)
    asked: dict[str, Asked] = {}
    for grain in plan.grains:
        read = reader.scaled(raws.pop(grain.name), context_of(grain, tables))
        labels = answered[grain.name]
        asked[grain.name] = replace(read, labels=labels.labels, parts=labels.parts)
    return reader, prepared_of(reader, asked), tuple(findings)


def build_reader(
    project: Project, plan: Plan, tables: Tables, preparation: Preparation
) -> Reader:
    """The reader of some tables, with what was learned before."""
    rates = {
        (name.partition(".")[0], name.partition(".")[2]): rate
        for name, rate in preparation.rates.items()
    }
    return Reader(
        project,
        plan,
        tables,
        preparation,
        {name: encode_things(project, preparation, tables, name) for name in project.entity},
        Counters.build(project, plan, tables, rates),
        {
            name: past_of(project, plan, tables, name)
            for name in project.entity
            if has_history(project, name)
        },
    )


def prepared_of(reader: Reader, asked: Mapping[str, Asked]) -> Prepared:
    """What training, evaluation and serving read of a reader, with the rows asked."""
    return Prepared(
        layout=reader.preparation.layout,
        things=reader.things,
        past={name: past.past for name, past in reader.pasts.items()},
        popularity={
            task: popularity(
                reader.project, reader.plan, reader.tables, task, reader.tables.until or 0
            )
            for task in reader.plan.catalogue
        },
        asked=asked,
    )


def rows_of_grain(grain: Grain, tables: Tables) -> Rows:
    """The rows at which a grain is asked, over all the data."""
    until = tables.until or 0
    anchor = tables.cuts.test if tables.cuts.test is not None else until
    return rows_of(grain, tables, anchor, until)


def context_of(grain: Grain, tables: Tables) -> pl.DataFrame:
    """The columns of the rows themselves, for the rows of a grain asked over all the data."""
    if grain.asking == "row":
        return tables.events[grain.table]
    return pl.DataFrame()


def stable_hash(keys: pl.Series) -> Int64[np.ndarray, "rows"]:
    """A hash of each key that is the same on every machine and in every version.

    >>> stable_hash(pl.Series(["a", "b"])).tolist() == stable_hash(pl.Series(["a", "b"])).tolist()
    True
    """
    digests = b"".join(
        hashlib.blake2b(str(key).encode(), digest_size=8, key=b"jointrec split").digest()
        for key in keys.to_list()
    )
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def hashes_of(tables: Tables) -> dict[str, Int64[np.ndarray, "things"]]:
    """For each entity the stable hash of each code; 0 for the unknown one."""
    return {
        name: np.concatenate([np.zeros(1, np.int64), stable_hash(frame["@key"])])
        for name, frame in tables.entities.items()
    }


def answers_of_grain(
    project: Project,
    plan: Plan,
    tables: Tables,
    grain: Grain,
    rows: Rows,
    hashes: Mapping[str, Int64[np.ndarray, "things"]],
    *,
    states: Mapping[str, State] | None = None,
) -> tuple[Answered, dict[str, State], list[Finding]]:
    """The labels of a grain's rows, nested along funnels, with the part of each row.

    :param states: What the tasks learned before. Without it they learn from the training rows.
    :raises DataError: where a task that has yet to learn has nothing to learn from.
    """
    first = grain.entities[0]
    keys = hashes[first][rows.codes[first]]
    learned: dict[str, State] = {}
    parts: dict[str, Int8[np.ndarray, "rows"]] = {}
    labels: dict[str, Float64[np.ndarray, "rows"]] = {}
    for name in grain.tasks:
        task = project.tasks[name]
        label = label_of(project, name, grain, rows, tables, tables.until or 0)
        parts[name] = project.split.parts(rows.times, label.known_at, keys, tables.cuts)
        if states is None:
            known = label.values.filter(pl.Series(parts[name] == TRAIN)).drop_nulls()
            if len(known) == 0:
                raise DataError(_nothing_known(project, name, label, tables))
            learned[name] = task.learn(known)
        else:
            learned[name] = states[name]
        labels[name] = task.encode(label.values, learned[name])
    labels, findings = nest(labels, project, grain)
    if states is None:
        for name in grain.tasks:
            _check_learnable(name, labels[name][parts[name] == TRAIN], project)
    return Answered(labels, parts), learned, list(findings)


def _nothing_known(project: Project, name: str, label: Label, tables: Tables) -> str:
    here = f"tasks.{name}"
    if label.values.null_count() == len(label.values):
        declared = project.tasks[name].label
        window = getattr(declared, "within", None)
        if window is not None and tables.first is not None and tables.until is not None:
            days = (tables.until - tables.first) / 86_400_000_000
            return (
                f"{here}.label: the window of {window} is longer than the data allow "
                f"({days:.1f} days), so no label is ever known. Shorten `within`."
            )
        return f"{here}.label: every value is missing, so there is nothing to learn."
    return (
        f"{here}: no label is known before the validation cut, so there is nothing to train on. "
        "Shorten the label's window, or let the split leave more days to training "
        "(split = { kind = \"ByTime\", test_days = …, valid_days = … })."
    )


def _check_learnable(name: str, labels: Float64[np.ndarray, "rows"], project: Project) -> None:
    known = labels[~np.isnan(labels)]
    values = np.unique(known)
    if len(values) == 1:
        raise DataError(
            f"tasks.{name}.label: all {len(known):,} known training labels are {values[0]:g}. "
            f"A {type(project.tasks[name]).__name__} needs at least two different answers to learn "
            "from. Check the column, or leave the task out."
        )


def _trained_rows(
    project: Project, tables: Tables, hashes: Mapping[str, Int64[np.ndarray, "things"]]
) -> dict[str, pl.Series]:
    """For each event, which rows are training rows: all that may be learned from."""
    masks: dict[str, pl.Series] = {}
    for name, frame in tables.events.items():
        times = frame["@time"].to_numpy() if "@time" in frame.columns else None
        first = project.event[name].entities[0]
        keys = hashes[first][frame[f"@{first}"].to_numpy()]
        masks[name] = pl.Series(project.split.parts(times, times, keys, tables.cuts) == TRAIN)
    for name in tables.entities:
        masks[name] = pl.Series(
            project.split.parts(None, None, hashes[name][1:], tables.cuts) == TRAIN
        )
    return masks


def _learn_columns(
    project: Project, plan: Plan, tables: Tables, trained: Mapping[str, pl.Series]
) -> Preparation:
    """Vocabularies and scales of every column, from training rows, and where each sits in the table."""
    features: dict[str, State] = {}
    ids: dict[str, tuple[str, ...]] = {}
    offsets: dict[str, int] = {}
    shared: dict[str, int] = {}
    table_rows = 0
    for name, entity in project.entity.items():
        counts = _seen(project, tables, trained, name)
        frame = tables.entities[name]
        seen = frame.filter(trained[name]) if counts is None else frame.filter(counts > 0)
        if entity.id_floor > 0:
            ids[name] = _frequent(frame["@key"], counts, entity.id_floor)
            offsets[f"{name}.@id"], table_rows = table_rows, table_rows + len(ids[name]) + 1
        for column, feature in entity.features.items():
            features[f"{name}.{column}"] = feature.learn(seen[column])
    for name, event in project.event.items():
        seen = tables.events[name].filter(trained[name])
        for column, feature in event.features.items():
            features[f"{name}.{column}"] = feature.learn(seen[column])
    for name, state in features.items():
        table, _, column = name.partition(".")
        declared = (project.entity.get(table) or project.event[table]).features[column]
        rows = declared.table_rows(state)
        # Words of a query and words of a title are the same words, so texts share their rows.
        share = repr(declared) if isinstance(declared, Text) else name
        if rows and share not in shared:
            shared[share], table_rows = table_rows, table_rows + rows
        if rows:
            offsets[name] = shared[share]
    nothing = Layout(table_rows, {}, {}, {}, {}, (), {}, {}, {}, {}, {})
    cuts = (tables.cuts.valid, tables.cuts.test)
    return Preparation(features, ids, offsets, {}, {}, {}, nothing, cuts, tables.first, tables.until)


def _seen(
    project: Project, tables: Tables, trained: Mapping[str, pl.Series], entity: str
) -> pl.Series | None:
    """How many training rows name each thing; None where no event names the entity at all."""
    named = [name for name, event in project.event.items() if entity in event.entities]
    if not named:
        return None
    counts = np.zeros(len(tables.entities[entity]) + 1, np.int64)
    for name in named:
        codes = tables.events[name].filter(trained[name])[f"@{entity}"].to_numpy()
        counts += np.bincount(codes, minlength=len(counts))
    return pl.Series(counts[1:])


def _frequent(keys: pl.Series, counts: pl.Series | None, floor: int) -> tuple[str, ...]:
    """The keys named often enough, the most frequent first."""
    if counts is None:
        return ()
    frame = pl.DataFrame({"key": keys, "count": counts}).filter(pl.col("count") >= floor)
    return tuple(frame.sort(["count", "key"], descending=[True, False])["key"].to_list())


def _scales(raws: Mapping[str, Raw], answered: Mapping[str, Answered]) -> dict[str, Scale]:
    """The scale of each entity's numbers and of each pair's, over the training rows of all grains."""
    moments: dict[str, list[Any]] = {}
    pairs: dict[str, list[Any]] = {}
    for name, raw in raws.items():
        if raw.rows.times is None:
            continue
        train = np.any([part == TRAIN for part in answered[name].parts.values()], axis=0)
        for entity, moment in raw.moments.items():
            used = np.zeros(len(moment.things), dtype=bool)
            used[raw.at[entity][train]] = True
            moments.setdefault(entity, []).append(moment.numbers[used])
        for pair, numbers in raw.pairs.items():
            pairs.setdefault(pair_name(pair), []).append(numbers[train])
    return {
        name: Scale.learn(np.concatenate(numbers)) for name, numbers in (moments | pairs).items()
    }


def _layout(
    project: Project,
    plan: Plan,
    reader: Reader,
    preparation: Preparation,
    answered: Mapping[str, Answered],
) -> Layout:
    timed_grains = [grain for grain in plan.grains if grain.asking != "once" and _has_times(project, grain)]
    sizes, constants, scales = {}, {}, {}
    for grain in plan.grains:
        for name in grain.tasks:
            task, state = project.tasks[name], preparation.tasks[name]
            labels = answered[grain.name].labels[name]
            train = labels[(answered[grain.name].parts[name] == TRAIN) & ~np.isnan(labels)]
            sizes[name] = task.size(state)
            constants[name] = tuple(float(value) for value in task.constant(train, state))
            scales[name] = max(float(task.constant_loss(train, state)), 1e-6)
    seen = dict.fromkeys(entity for grain in timed_grains for entity in grain.sees)
    return Layout(
        table_rows=preparation.layout.table_rows,
        things={
            name: _fields_layout(
                preparation, name, entity.features, ids=entity.id_floor > 0, entity=True
            )
            for name, entity in project.entity.items()
        },
        moments={entity: moment_names(reader, entity) for entity in seen},
        pairs={
            pair: reader.counters.pair_names(pair)
            for grain in timed_grains
            for pair in grain.pairs
        },
        context={
            grain.table: _fields_layout(
                preparation, grain.table, project.event[grain.table].features, ids=False, entity=False
            )
            for grain in plan.grains
            if grain.asking == "row"
        },
        clock=CLOCK if timed_grains else (),
        kinds={name: past.kinds for name, past in reader.pasts.items()},
        objects={name: past.objects for name, past in reader.pasts.items()},
        sizes=sizes,
        constants=constants,
        scales=scales,
    )


def _has_times(project: Project, grain: Grain) -> bool:
    return grain.table not in project.event or project.event[grain.table].time is not None


def moment_names(reader: Reader, entity: str) -> tuple[str, ...]:
    """The names of an entity's numbers at a moment: counters first, then ages."""
    ages = [
        f"{column} {number}" if count > 1 else column
        for column in reader.things[entity].dated
        for count in [
            reader.project.entity[entity]
            .features[column]
            .num_numbers(reader.preparation.features[f"{entity}.{column}"])
        ]
        for number in range(count)
    ]
    return (*reader.counters.names(entity), *ages)


def _fields_layout(
    preparation: Preparation, table: str, features: Mapping[str, Any], *, ids: bool, entity: bool
) -> FieldsLayout:
    single, many, numbers = (["@id"] if ids else []), [], []
    for column, feature in features.items():
        state = preparation.features[f"{table}.{column}"]
        if feature.table_rows(state):
            (single if feature.single else many).append(column)
        else:
            count = feature.num_numbers(state)
            if not (feature.dated and entity):
                numbers += [column if not n else f"{column} {n}" for n in range(count)]
    return FieldsLayout(tuple(single), tuple(many), tuple(numbers))


def asked_again(reader: Reader, grain: Grain) -> Asked:
    """The rows of a grain over all the reader's tables, labelled with what was learned before."""
    rows = rows_of_grain(grain, reader.tables)
    answered, _, _ = answers_of_grain(
        reader.project, reader.plan, reader.tables, grain, rows, hashes_of(reader.tables),
        states=reader.preparation.tasks,
    )  # fmt: skip
    read = reader.scaled(raw_rows(reader, grain, rows), context_of(grain, reader.tables))
    return replace(read, labels=answered.labels, parts=answered.parts)


def over(reader: Reader, tables: Tables) -> Reader:
    """The same learned reader over other tables: later months, other users."""
    cuts = Cuts(*reader.preparation.cuts)
    return build_reader(reader.project, reader.plan, replace(tables, cuts=cuts), reader.preparation)
