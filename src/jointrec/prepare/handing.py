"""What is prepared as groups of named columns, and back: nothing is lost, not one bit.

The names say what a column is: ``label.click``, ``number.impression 1h``, ``at.user``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jointrec.features import Bags
from jointrec.plan import Grain, Plan
from jointrec.project import Project

from .encoding import rows_of_things, words_in
from .history import PastOf
from .preparation import Preparation
from .prepared import Asked, Fields, FieldsLayout, Layout, Moments, Past, Prepared, Things
from .reader import Reader, group_name
from .shards import Field, Group, Values, read_frame, read_group, write_frame, write_group
from .tables import Tables
from .timeline import Index
from .versions import Versions
from .workspace import Workspace

About = Mapping[str, Any]
"""What is said in JSON of some groups."""


def write_encoded(folder: Path, reader: Reader, prepared: Prepared) -> dict[str, Any]:
    """Writes all arrays of a shop, and gives what :func:`read_encoded` must know."""
    layout = prepared.layout
    return {
        "things": {
            name: {
                "keys": write_frame(
                    folder, f"things/{name}.keys", things.keys.alias("key").to_frame()
                ),
                "rows": write_group(folder, f"things/{name}", _things(things, layout.things[name])),
            }
            for name, things in prepared.things.items()
        },
        "past": {
            name: {
                "kinds": past.kinds,
                "objects": past.objects,
                "rows": write_group(folder, f"past/{name}", _past(past)),
            }
            for name, past in reader.pasts.items()
        },
        "asked": {
            grain: {
                "rows": write_group(folder, f"asked/{number}", _asked(asked, layout)),
                "moments": {
                    entity: write_group(
                        folder, f"asked/{number}.{entity}", _moments(moments, layout, entity)
                    )
                    for entity, moments in asked.moments.items()
                },
            }
            for number, (grain, asked) in enumerate(prepared.asked.items())
        },
    }


def read_things(
    folder: Path,
    about: About,
    project: Project,
    preparation: Preparation,
    tables: Tables,
    workspace: Workspace,
) -> dict[str, Things]:
    """All rows of all entities. Words are read again from the tables, which is quick."""
    found = {}
    for name, told in about["things"].items():
        arrays = read_group(folder, told["rows"], workspace)
        found[name] = Things(
            read_frame(folder, told["keys"])["key"],
            _fields_of(arrays, ""),
            {key: _plain(arrays, f"dated.{key}") for key in _after(arrays, "dated.")},
            Versions.of(tables, name),
            words_in(project, preparation, name, rows_of_things(tables, name)),
        )
    return found


def read_pasts(folder: Path, about: About, workspace: Workspace) -> dict[str, PastOf]:
    """The past of every entity that acts."""
    found = {}
    for name, told in about["past"].items():
        arrays = read_group(folder, told["rows"], workspace)
        things, times = _plain(arrays, "things"), _plain(arrays, "times")
        objects = {other: _plain(arrays, f"objects.{other}") for other in told["objects"]}
        index = Index.sorted(things, times, np.arange(len(times)))
        found[name] = PastOf(
            Past(_plain(arrays, "kinds"), objects, times),
            index.timeline({}, workspace),
            tuple(told["kinds"]),
            tuple(told["objects"]),
        )
    return found


def read_asked(
    folder: Path, about: About, plan: Plan, layout: Layout, workspace: Workspace
) -> dict[str, Asked]:
    """The rows of every grain."""
    return {
        grain.name: _asked_of(folder, about["asked"][grain.name], grain, layout, workspace)
        for grain in plan.grains
    }


def _things(things: Things, layout: FieldsLayout) -> Group:
    dated = {
        f"dated.{name}": Field(times, (f"dated.{name}",)) for name, times in things.dated.items()
    }
    return {**_fields(things.fields, layout, ""), **dated}


def _past(past: PastOf) -> Group:
    line = past.timeline
    things = np.repeat(line.keys, np.diff(line.offsets))
    objects = {f"objects.{name}": codes for name, codes in past.past.objects.items()}
    plain = {"things": things, "times": past.past.times, "kinds": past.past.kinds, **objects}
    return {name: Field(values, (name,)) for name, values in plain.items()}


def _moments(moments: Moments, layout: Layout, entity: str) -> Group:
    plain = {"things": moments.things, "start": moments.start, "stop": moments.stop}
    if moments.times is not None:
        plain["times"] = moments.times
    group = {name: Field(values, (name,)) for name, values in plain.items()}
    names = layout.moments[entity] if moments.numbers.shape[1] else ()
    return {**group, "numbers": _wide(moments.numbers, "number", names)}


def _asked(asked: Asked, layout: Layout) -> Group:
    plain: dict[str, np.ndarray] = {"clusters": asked.clusters, "source": asked.source}
    if asked.times is not None:
        plain["times"] = asked.times
    if asked.lists is not None:
        plain["lists"] = asked.lists
    plain |= {f"at.{entity}": where for entity, where in asked.at.items()}
    plain |= {f"label.{task}": values for task, values in asked.labels.items()}
    plain |= {f"part.{task}": values for task, values in asked.parts.items()}
    plain |= {f"weight.{task}": values for task, values in asked.weights.items()}
    group = {name: Field(values, (name,)) for name, values in plain.items()}
    clock = layout.clock if asked.clock.shape[1] else ()
    group["clock"] = _wide(asked.clock, "clock", clock)
    for pair, numbers in asked.pairs.items():
        name = f"pair.{group_name(pair)}"
        group[name] = _wide(numbers, "number", layout.pairs[pair])
    for pair, numbers in asked.matches.items():
        group[f"match.{group_name(pair)}"] = _wide(numbers, "match", layout.matches[pair])
    context = layout.context.get(asked.grain.table) if asked.grain.asking == "row" else None
    return {**group, **_fields(asked.context, context or FieldsLayout(), "context.")}


def _asked_of(
    folder: Path, about: About, grain: Grain, layout: Layout, workspace: Workspace
) -> Asked:
    arrays = read_group(folder, about["rows"], workspace)
    return Asked(
        grain=grain,
        at={entity: _plain(arrays, f"at.{entity}") for entity in grain.sees},
        moments={
            entity: _moments_of(read_group(folder, about["moments"][entity], workspace))
            for entity in grain.sees
        },
        times=_plain(arrays, "times") if "times" in arrays else None,
        context=_fields_of(arrays, "context."),
        clock=_plain(arrays, "clock"),
        pairs={
            pair: _plain(arrays, f"pair.{group_name(pair)}")
            for pair in grain.pairs
            if f"pair.{group_name(pair)}" in arrays
        },
        labels={task: _plain(arrays, f"label.{task}") for task in grain.tasks},
        parts={task: _plain(arrays, f"part.{task}") for task in grain.tasks},
        clusters=_plain(arrays, "clusters"),
        source=_plain(arrays, "source"),
        weights={
            task: _plain(arrays, f"weight.{task}")
            for task in grain.tasks
            if f"weight.{task}" in arrays
        },
        matches={
            pair: _plain(arrays, f"match.{group_name(pair)}")
            for pair in layout.matches
            if f"match.{group_name(pair)}" in arrays
        },
        lists=_plain(arrays, "lists") if "lists" in arrays else None,
    )


def _moments_of(arrays: Mapping[str, Values]) -> Moments:
    return Moments(
        _plain(arrays, "things"),
        _plain(arrays, "times") if "times" in arrays else None,
        _plain(arrays, "numbers"),
        _plain(arrays, "start"),
        _plain(arrays, "stop"),
    )


def _fields(fields: Fields, layout: FieldsLayout, before: str) -> dict[str, Field]:
    """Encoded columns, each called as in the project."""
    bags = {
        f"{before}bag.{name}": Field(bag, (f"{before}bag.{name}",))
        for name, bag in zip(layout.bags, fields.bags, strict=True)
    }
    return {
        f"{before}ids": _wide(fields.ids, f"{before}id", layout.ids),
        **bags,
        f"{before}numbers": _wide(fields.numbers, f"{before}number", layout.numbers),
    }


def _fields_of(arrays: Mapping[str, Values], before: str) -> Fields:
    bags = [arrays[f"{before}bag.{name}"] for name in _after(arrays, f"{before}bag.")]
    return Fields(
        _plain(arrays, f"{before}ids"),
        tuple(bag for bag in bags if isinstance(bag, Bags)),
        _plain(arrays, f"{before}numbers"),
    )


def _wide(values: np.ndarray, before: str, names: tuple[str, ...]) -> Field:
    assert values.shape[1] == len(names), f"{before}: each column has a name"
    return Field(values, tuple(f"{before}.{name}" for name in names))


def _plain(arrays: Mapping[str, Values], name: str) -> np.ndarray:
    values = arrays[name]
    assert isinstance(values, np.ndarray)
    return values


def _after(arrays: Mapping[str, Values], before: str) -> list[str]:
    """What stands after a beginning that some names have, in their order."""
    return [name.removeprefix(before) for name in arrays if name.startswith(before)]
