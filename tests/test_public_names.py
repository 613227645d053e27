"""Every public name and every key of the file says what it is for."""

from __future__ import annotations

import dataclasses
import inspect
import re
from abc import ABC
from collections.abc import Iterator
from types import ModuleType

import pytest

import jointrec as jr
from jointrec import (
    balancing,
    calibration,
    features,
    funnels,
    fusion,
    history,
    optimizers,
    sharing,
    splits,
    tasks,
)

FAMILIES = (
    balancing,
    calibration,
    features,
    funnels,
    fusion,
    history,
    optimizers,
    sharing,
    splits,
    tasks,
)


def documented(text: str | None) -> set[str]:
    """The names that a docstring has a `:param …:` for."""
    found = re.findall(r"^\s*:param ([^:]+):\s*\S", text or "", flags=re.MULTILINE)
    return {name.strip(" *`") for names in found for name in names.split(",")}


def keys_of(kind: type) -> list[str]:
    """What a class is declared with: its keys in the file, its arguments in Python."""
    return [field.name for field in dataclasses.fields(kind) if field.init]


def silent_keys(kind: type) -> list[str]:
    """The keys that neither the class nor one that it stands on says anything about."""
    told = set().union(*(documented(base.__dict__.get("__doc__")) for base in kind.__mro__))
    return [f"{kind.__name__}.{key}" for key in keys_of(kind) if key not in told]


def silent_arguments(function) -> list[str]:
    """The arguments of a function that its docstring says nothing about."""
    told = documented(function.__doc__)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    return [f"{function.__qualname__}.{name}" for name in names if name not in told]


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    for name in module.__all__:
        yield f"{module.__name__}.{name}", getattr(module, name)


def declared() -> list[type]:
    """Every class that the file is made of: named by the package, or a member of a family."""
    found = [
        thing
        for module in (jr, *FAMILIES)
        for _, thing in public(module)
        if isinstance(thing, type)
        and dataclasses.is_dataclass(thing)
        and (module is jr or issubclass(thing, ABC))  # a family may name its plain data too
    ]
    return list(dict.fromkeys(found))


def test_the_file_is_made_of_these():
    kinds = declared()
    assert {jr.Project, jr.Entity, jr.Event, jr.Table, jr.Budget, jr.ByTime} <= set(kinds)
    assert {tasks.Binary, features.Text, sharing.PLE, optimizers.RowwiseAdagrad} <= set(kinds)
    assert "id_floor" in keys_of(jr.Entity)
    assert {"label", "after", "sees"} <= set(keys_of(tasks.Retrieval))


@pytest.mark.parametrize("kind", declared(), ids=lambda kind: kind.__name__)
def test_every_key_of_the_file_is_documented(kind):
    assert silent_keys(kind) == []


def test_every_public_name_is_documented():
    silent = [
        name
        for module in (jr, *FAMILIES)
        for name, thing in public(module)
        if (isinstance(thing, type) or callable(thing) or inspect.ismodule(thing))
        and not inspect.getdoc(thing)
    ]
    assert silent == []


VERBS = (
    jr.find_leaks,
    jr.fit,
    jr.load,
    jr.Model.evaluate,
    jr.Model.predict,
    jr.Model.recommend,
    jr.Model.save,
)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__qualname__)
def test_every_argument_of_a_verb_is_documented(verb):
    assert silent_arguments(verb) == []


def test_every_name_is_there_and_listed_in_order():
    assert sorted(jr.__all__) == list(jr.__all__)
    assert set(jr.__all__) <= set(dir(jr))
    for module in FAMILIES:
        assert all(hasattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="has no attribute `fitt`"):
        _ = jr.fitt


# What is planted is found


@dataclasses.dataclass(frozen=True)
class Spoken:
    """It says all.

    :param first, second: What they are.
    """

    first: int
    second: int = 0


@dataclasses.dataclass(frozen=True)
class Planted(Spoken):
    """It does not say all.

    :param fourth:
    """

    third: int = 0
    fourth: int = 0
    hidden: int = dataclasses.field(default=0, init=False)


def test_a_planted_silent_key_is_found():
    assert silent_keys(Spoken) == []
    assert silent_keys(Planted) == ["Planted.third", "Planted.fourth"]


def test_a_planted_silent_argument_is_found():
    def spoken(path, *, root=None, **keys):
        """Go.

        :param path: Where.
        :param keys: For whom.
        """

    assert silent_arguments(spoken) == [f"{spoken.__qualname__}.root"]
