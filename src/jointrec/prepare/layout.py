"""The shape of what is prepared: all that a network must know to be built."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

from jointrec.durable import collected
from jointrec.plan import Grain, Plan, features_of, texts_beside, timed
from jointrec.project import Project
from jointrec.splits import TRAIN

from .answers import Answered
from .matching import names_of
from .preparation import Preparation
from .prepared import FieldsLayout, Layout
from .reader import CLOCK, Reader
from .workspace import IN_MEMORY, Workspace


def layout_of(
    project: Project,
    plan: Plan,
    reader: Reader,
    preparation: Preparation,
    answered: Mapping[str, Answered],
    edges: Mapping[str, tuple[tuple[float, ...], ...]],
    workspace: Workspace = IN_MEMORY,
) -> Layout:
    """The shape of what a reader reads, and where the heads of the tasks start.

    :param answered: The answers to each grain: best constant answers are those of training rows.
    :param edges: As `jointrec.prepare.edges.learn_edges` gives them.
    :param workspace: Where what is counted lives for a while, or is found.
    """
    timed_grains = [grain for grain in plan.grains if _has_times(project, grain)]
    sizes, constants, scales = {}, {}, {}
    for grain in plan.grains:
        for name in grain.tasks:
            task, state = project.tasks[name], preparation.tasks[name]
            train = _trained(answered[grain.name], name, workspace)
            sizes[name] = task.size(state)
            constants[name] = tuple(float(value) for value in task.constant(train, state))
            scales[name] = max(float(task.constant_loss(train, state)), 1e-6)
    seen = dict.fromkeys(entity for grain in timed_grains for entity in grain.sees)
    return Layout(
        table_rows=preparation.layout.table_rows,
        things={
            name: _fields_layout(project, preparation, name, ids=entity.id_floor > 0)
            for name, entity in project.entity.items()
        },
        moments={entity: moment_names(reader, entity) for entity in seen},
        pairs={
            pair: reader.counters.pair_names(pair) for grain in timed_grains for pair in grain.pairs
        },
        edges=edges,
        context={
            grain.table: _fields_layout(project, preparation, grain.table)
            for grain in plan.grains
            if grain.asking == "row"
        },
        clock=CLOCK if timed_grains else (),
        kinds={name: past.kinds for name, past in reader.pasts.items()},
        objects={name: past.objects for name, past in reader.pasts.items()},
        sizes=sizes,
        constants=constants,
        scales=scales,
        matches={
            pair: names_of(*pair)
            for grain in plan.grains
            for pair in texts_beside(project, grain)
            if set(pair) <= set(preparation.texts)
        },
        nothing=_nothing(project, plan, reader, preparation, workspace),
    )


def _trained(answered: Answered, name: str, workspace: Workspace) -> Float64[np.ndarray, "some"]:
    """The known labels of the rows that train."""
    labels, parts = answered.labels[name], answered.parts[name]
    with workspace.scratch() as room:
        known = (
            labels[piece][(parts[piece] == TRAIN) & ~np.isnan(labels[piece])]
            for piece in room.pieces(len(labels))
        )
        return collected(known, room.empty(labels.shape, labels.dtype))


def _nothing(
    project: Project, plan: Plan, reader: Reader, preparation: Preparation, workspace: Workspace
) -> dict[str, tuple[float | None, ...]]:
    """The numbers of things without a past, of those that say something without it."""
    found: dict[str, tuple[float | None, ...]] = {}
    for entity in dict.fromkeys(g.table for g in plan.grains if g.asking == "every"):
        raw = reader.counters.nothing(entity, workspace)
        if raw and project.entity[entity].features:
            wide = np.zeros((1, len(moment_names(reader, entity))), np.float32)
            wide[0, : len(raw)] = [number or 0.0 for number in raw]
            (scaled,) = preparation.scales[entity].apply(wide).tolist()
            pairs = zip(raw, scaled, strict=False)
            found[entity] = tuple(None if n is None else one for n, one in pairs)
    return found


def _has_times(project: Project, grain: Grain) -> bool:
    return grain.asking == "every" or timed(project, grain.table)


def moment_names(reader: Reader, entity: str) -> tuple[str, ...]:
    """The names of an entity's numbers at a moment: counters first, then ages."""
    features = reader.project.entity[entity].features
    ages: list[str] = []
    for column in reader.things[entity].dated:
        count = features[column].num_numbers(reader.preparation.features[f"{entity}.{column}"])
        ages += _number_names(column, count)
    return (*reader.counters.names(entity), *ages)


def _fields_layout(
    project: Project, preparation: Preparation, table: str, *, ids: bool = False
) -> FieldsLayout:
    """The fields of a table in the order in which they are encoded."""
    single: list[str] = ["@id"] if ids else []
    many: list[str] = []
    numbers: list[str] = []
    for column, feature in features_of(project, table).items():
        state = preparation.features[f"{table}.{column}"]
        if feature.table_rows(state):
            (single if feature.single else many).append(column)
        elif table in project.event or not feature.dated:
            numbers += _number_names(column, feature.num_numbers(state))
    return FieldsLayout(tuple(single), tuple(many), tuple(numbers))


def _number_names(column: str, count: int) -> list[str]:
    """What the numbers of a column are called."""
    return [f"{column} {number}" if number else column for number in range(count)]
