"""``shop.toml`` and the objects are the same thing, spelled twice.

The file's tables are classes and its keys are their arguments; ``kind`` is the name of a class of a
family. Every class is read from its own type hints, so a new member of a family needs nothing here.
"""

from __future__ import annotations

import sys
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import isabstract
from types import ModuleType, UnionType
from typing import Any, TypeVar

import tomlkit

from . import (
    balancing,
    calibration,
    features,
    funnels,
    fusion,
    history,
    numeric,
    optimizers,
    sharing,
    splits,
    tasks,
)
from .errors import ProjectError, SourceError, together, unknown_name
from .labels import VERBS, Later

Made = TypeVar("Made")

FAMILIES: Mapping[type, ModuleType] = {
    features.Feature: features,
    tasks.Task: tasks,
    history.History: history,
    numeric.Numeric: numeric,
    fusion.Fusion: fusion,
    funnels.Funnel: funnels,
    sharing.Sharing: sharing,
    balancing.Balancing: balancing,
    optimizers.Optimizer: optimizers,
    optimizers.TableUpdate: optimizers,
    calibration.Calibration: calibration,
    splits.Split: splits,
}


MOST_SHOWN = 200
"""How much of a wrong value a message shows."""


def parse(text: str, made: type[Made], *, at: str) -> Made:
    """Builds an object of a declared class from TOML.

    :param at: What to call the text in messages.
    :raises SourceError: where the text is not TOML.
    :raises ProjectError: with every problem of the text at once.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{at}: is not TOML: {error}.") from None
    except RecursionError:
        raise SourceError(f"{at}: is nested too deeply to declare a project.") from None
    except ValueError as error:  # such as a number of more digits than Python takes
        raise SourceError(f"{at}: holds a value that cannot be read: {error}.") from None
    builder = _Builder()
    built = builder.build(made, data, at="")
    if builder.problems:
        raise ProjectError(together([p.lstrip(".") for p in builder.problems], of=at))
    assert isinstance(built, made)
    return built


def dumps(declared: Any) -> str:
    """TOML that :func:`parse` turns into an equal object. What equals its default is left out.

    :raises ProjectError: where a source is a table in memory, which no file can name.
    """
    document = tomlkit.document()
    plain = _plain(declared, at="")
    for name, value in plain.items():
        if name not in _OF_THINGS:
            document.add(name, _inline(value))
    for name in _OF_THINGS:
        if name in plain:
            document.add(name, _things(name, plain[name]))
    return tomlkit.dumps(document)


_OF_THINGS = ("entity", "event", "tasks")
"""What a project has many of, by name: each gets a table of its own in the file."""


_NOTHING = object()


class _Builder:
    """Builds objects from plain data, noting every problem instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def build(self, hint: Any, value: Any, *, at: str) -> Any:
        """The object that a hint asks for, or nothing where the value is no such thing."""
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if hint is Any:
            return self._source(value, at)
        if hint in FAMILIES:
            return self._member(hint, value, at)
        if hint is Later:
            return self._later(value, at)
        if isinstance(hint, type) and is_dataclass(hint):
            return self._object(hint, value, at)
        if origin in (UnionType, typing.Union):
            return self._one_of(args, value, at)
        if origin is typing.Literal:
            return value if value in args else self._unknown("value", value, args, at)
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(args[1], value, at)
        if origin is tuple:
            return self._tuple(args, value, at)
        return self._scalar(hint, value, at)

    def _source(self, value: Any, at: str) -> Any:
        return value if isinstance(value, str) else self._wrong("text that names a file", value, at)

    def _scalar(self, hint: type, value: Any, at: str) -> Any:
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            if abs(value) > sys.float_info.max:
                return self._wrong("a number that a 64-bit float can hold", value, at)
            return float(value)
        if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
            words = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
            return self._wrong(words[hint], value, at)
        return value

    def _mapping(self, hint: Any, value: Any, at: str) -> Any:
        if not isinstance(value, Mapping):
            return self._wrong("a table of named things", value, at)
        built = {k: self.build(hint, item, at=f"{at}.{k}") for k, item in value.items()}
        return {name: item for name, item in built.items() if item is not _NOTHING}

    def _tuple(self, args: tuple[Any, ...], value: Any, at: str) -> Any:
        if not isinstance(value, list):
            return self._wrong("a list", value, at)
        if args[-1] is not Ellipsis and len(value) != len(args):
            return self._wrong(f"a list of {len(args)}", value, at)
        built = tuple(self.build(args[0], item, at=at) for item in value)
        return _NOTHING if _NOTHING in built else built

    def _one_of(self, args: tuple[Any, ...], value: Any, at: str) -> Any:
        shapes: list[tuple[type, Callable[[Any], bool]]] = [
            (str, lambda hint: hint is str),
            (list, lambda hint: typing.get_origin(hint) is tuple),
            (dict, lambda hint: is_dataclass(hint)),
        ]
        wanted = [hint for hint in args if hint is not type(None)]
        for shape, fits in shapes:
            if isinstance(value, shape):
                for hint in wanted:
                    if fits(hint):
                        return self.build(hint, value, at=at)
        return self.build(wanted[0], value, at=at)

    def _later(self, value: Mapping[str, Any], at: str) -> Any:
        verbs = [key for key in value if key in VERBS]
        if len(verbs) != 1:
            self.problems.append(
                f"{at}: a later label has one of {', '.join(VERBS)}, "
                f'such as label = {{ sum = "purchase.value", of = "user", within = "90d" }}. '
                f"Found: {', '.join(value) or 'nothing'}."
            )
            return _NOTHING
        settings = [f.name for f in fields(Later)[2:]]
        for key in value:
            if key not in (*settings, verbs[0]):
                self._unknown("key of a later label", key, settings, at)
        known = {key: item for key, item in value.items() if key in settings}
        return self._object(Later, {"verb": verbs[0], "what": value[verbs[0]], **known}, at)

    def _member(self, family: type, value: Any, at: str) -> Any:
        """Picks a class of a family by its name: the family's ``__all__`` is the registry."""
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            return self._wrong("the name of a kind, or a table with a `kind`", value, at)
        kinds = members(family)
        kind = value.get("kind")
        if not isinstance(kind, str):
            self.problems.append(
                f"{at}: `kind` is missing. It says which {family.__name__.lower()} this is: "
                f"{', '.join(sorted(kinds))}."
            )
            return _NOTHING
        if kind not in kinds:
            return self._unknown(f"kind of {family.__name__.lower()}", kind, kinds, at)
        rest = {key: item for key, item in value.items() if key != "kind"}
        return self._object(kinds[kind], rest, at)

    def _object(self, cls: Any, value: Any, at: str) -> Any:
        if not isinstance(value, Mapping):
            return self._wrong(f"a table with the keys of {cls.__name__}", value, at)
        hints, known = typing.get_type_hints(cls), {f.name: f for f in fields(cls)}
        before = len(self.problems)
        for name in value:
            if name not in known:
                self._unknown(f"key of {cls.__name__}", name, known, at or "the file")
        for name, f in known.items():
            if name not in value and f.default is MISSING and f.default_factory is MISSING:
                self.problems.append(f"{at}: `{name}` is missing.".lstrip(": "))
        arguments = {
            name: self.build(hints[name], item, at=f"{at}.{name}")
            for name, item in value.items()
            if name in known
        }
        if len(self.problems) > before:
            return _NOTHING
        try:
            return cls(**arguments)
        except ProjectError as error:
            self.problems.append(f"{at}: {error}".lstrip(": "))
            return _NOTHING

    def _wrong(self, wanted: str, value: Any, at: str) -> Any:
        found = repr(value)
        shown = found if len(found) <= MOST_SHOWN else f"{found[:MOST_SHOWN]}…"
        self.problems.append(f"{at}: should be {wanted}. Found `{shown}`.")
        return _NOTHING

    def _unknown(self, what: str, name: Any, allowed: Any, at: str) -> Any:
        self.problems.append(unknown_name(what, str(name), map(str, allowed), at=at))
        return _NOTHING


def members(family: type) -> dict[str, type]:
    """The classes of a family that can be used, by name.

    >>> sorted(members(splits.Split))
    ['ByEntity', 'ByTime']
    """
    module = FAMILIES[family]
    listed = {name: getattr(module, name) for name in module.__all__}
    return {
        name: cls
        for name, cls in listed.items()
        if isinstance(cls, type) and issubclass(cls, family) and not isabstract(cls)
    }


def _plain(value: Any, *, at: str) -> Any:
    """An object as the plain data that gives it back; what equals its default is left out."""
    if isinstance(value, Later):
        settings = {f.name: getattr(value, f.name) for f in fields(value)[2:]}
        return {value.verb: value.what} | {k: v for k, v in settings.items() if v is not None}
    if is_dataclass(value) and not isinstance(value, type):
        data = {
            f.name: _plain(getattr(value, f.name), at=f"{at}.{f.name}".lstrip("."))
            for f in fields(value)
            if not _is_default(f, getattr(value, f.name))
        }
        kind = type(value).__name__
        if not any(isinstance(value, family) for family in FAMILIES):
            return data
        return {"kind": kind, **data} if data else kind
    if isinstance(value, Mapping):
        return {k: _plain(item, at=f"{at}.{k}") for k, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item, at=at) for item in value]
    if not isinstance(value, str | int | float | bool):
        raise ProjectError(
            f"{at}: a table in memory cannot be written to a file. "
            "Save it as Parquet and name the file as the source."
        )
    return value


def _is_default(f: Any, value: Any) -> bool:
    if f.default_factory is not MISSING:
        return bool(value == f.default_factory())
    # A table in memory, which has no default, cannot be compared at all.
    return f.default is not MISSING and bool(value == f.default)


def _things(name: str, value: Mapping[str, Any]) -> Any:
    """Tasks one to a line; entities and events as tables whose features stand one to a line."""
    outer: Any = tomlkit.table(is_super_table=name != "tasks")
    for key, item in value.items():
        if name == "tasks":
            outer.add(key, _inline(item))
            continue
        inner = tomlkit.table()
        for own, setting in item.items():
            if own == "features":
                features = tomlkit.table()
                for column, feature in setting.items():
                    features.add(column, _inline(feature))
                inner.add(own, features)
            else:
                inner.add(own, _inline(setting))
        outer.add(key, inner)
    return outer


def _inline(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    table: Any = tomlkit.inline_table()
    for name, item in value.items():
        table.add(name, _inline(item))
    return table
