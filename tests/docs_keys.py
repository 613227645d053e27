"""What a page must say of the keys of a class: name, type and default, from its own type hints."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import UnionType

from jointrec.config import FAMILIES
from jointrec.labels import Later

SCALARS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def own_fields(cls: type) -> list[Field]:
    """The fields that a class adds to its parent, or gives another default."""
    inherited = {f.name: f for base in cls.__mro__[1:] if is_dataclass(base) for f in fields(base)}
    return [
        f
        for f in fields(cls)
        if f.name not in inherited or _default(inherited[f.name]) != _default(f)
    ]


def rows_of(cls: type) -> dict[str, tuple[str, str]]:
    """For each key of a class how its type and its default are spelled."""
    hints = typing.get_type_hints(cls)
    return {f.name: (spell_type(hints[f.name]), spell_default(f)) for f in own_fields(cls)}


def spell_type(hint: typing.Any) -> str:
    """A type as people who write the file know it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is typing.Any:
        return "text"
    if hint in SCALARS:
        return SCALARS[hint]
    if hint is Later:
        return "later label"
    if hint in FAMILIES:
        return f"a {hint.__name__}"
    if isinstance(hint, type) and is_dataclass(hint):
        return f"table of {hint.__name__}"
    if origin in (UnionType, typing.Union):
        return " or ".join(spell_type(arg) for arg in args if arg is not type(None))
    if origin is typing.Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is not None and issubclass(origin, Mapping):
        return f"by name: {spell_type(args[1])}"
    assert origin is tuple, hint
    return f"list: {spell_type(args[0])}"


def spell_default(field: Field) -> str:
    """A default as the file would spell it; ``needed`` where there is none."""
    found = _default(field)
    if found is MISSING:
        return "needed"
    return _spell(found)


def _default(field: Field) -> typing.Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _spell(value: typing.Any) -> str:
    if value is None or value == {}:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return f"`[{', '.join(_spell(one).strip('`') for one in value)}]`"
    if is_dataclass(value):
        return f"`{type(value).__name__}`"
    return f"`{value}`"
