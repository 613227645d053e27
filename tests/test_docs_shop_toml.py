"""The page on shop.toml has a line for every key, with the type and the default that it has."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType

import pytest

from jointrec.budget import Budget
from jointrec.config import FAMILIES, members
from jointrec.labels import VERBS, Later
from jointrec.project import Project, Table, parse
from jointrec.schema import Entity, Event

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = (CHECKOUT / "docs/how-to/shop-toml.md").read_text(encoding="utf-8")
SCALARS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
Rows = dict[str, tuple[str, str]]


def written(page: str) -> dict[tuple[str, ...], Rows]:
    """For each heading that names a class the keys with type and default, as the page has them."""
    found: dict[tuple[str, ...], Rows] = {}
    at: tuple[str, ...] = ()
    for line in page.splitlines():
        if heading := re.match(r"(##+) `(\w+)`", line):
            at = (*at[: len(heading[1]) - 2], heading[2])
            found[at] = {}
        elif row := re.fullmatch(r"\| `(\w+)` \| (.+?) \| (.+?) \| (.+) \|", line):
            assert row[4].strip().endswith("."), f"{at}: `{row[1]}` has no meaning in a sentence"
            found[at][row[1]] = (row[2], row[3])
    return found


def declared() -> dict[tuple[str, ...], Rows]:
    """The same, from the classes."""
    found = {
        (cls.__name__,): rows_of(cls, fields(cls))
        for cls in (Project, Entity, Event, Table, Budget)
    }
    later = rows_of(Later, fields(Later)[2:])
    found["Later",] = dict.fromkeys(VERBS, ("text", "none")) | later
    for family in FAMILIES:
        own = fields(family) if is_dataclass(family) else ()
        found[family.__name__,] = rows_of(family, own)
        for name, cls in members(family).items():
            found[family.__name__, name] = rows_of(cls, added(cls))
    return found


def added(cls: type) -> list[Field]:
    """The fields that a class adds to its parents, or gives another default."""
    inherited = {f.name: f for base in cls.__mro__[1:] if is_dataclass(base) for f in fields(base)}
    return [
        f
        for f in fields(cls)
        if f.name not in inherited or default_of(inherited[f.name]) != default_of(f)
    ]


def rows_of(cls: type, own: typing.Iterable[Field]) -> Rows:
    hints = typing.get_type_hints(cls)
    return {f.name: (spell_type(hints[f.name]), spell(default_of(f))) for f in own}


def spell_type(hint: typing.Any) -> str:
    """A type as people who write the file know it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in SCALARS or hint is typing.Any:
        return SCALARS.get(hint, "text")
    if hint is Later:
        return "later label"
    if hint in FAMILIES:
        return f"kind of {hint.__name__}"
    if isinstance(hint, type) and is_dataclass(hint):
        return f"table of {hint.__name__}"
    if origin in (UnionType, typing.Union):
        return " or ".join(spell_type(arg) for arg in args if arg is not type(None))
    if origin is typing.Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"by name: {spell_type(args[1])}"
    assert origin is tuple, hint
    return f"list: {spell_type(args[0])}"


def default_of(field: Field) -> typing.Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def spell(value: typing.Any) -> str:
    """A default as the file would spell it."""
    if value is MISSING:
        return "needed"
    if value is None or value == {}:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return f"`[{', '.join(spell(one).strip('`') for one in value)}]`"
    if is_dataclass(value):
        return f"`{type(value).__name__}`"
    return f"`{value}`"


def test_every_key_has_a_line_and_every_line_a_key():
    page, code = written(PAGE), declared()
    assert set(page) == set(code)
    for at, keys in code.items():
        assert page[at] == keys, ".".join(at)


@dataclass(frozen=True)
class Newer(Budget):
    """A class that has got a key, and another default."""

    rows: int = 7
    minutes: float = 1.0


def test_a_new_key_or_default_would_be_missed():
    keys = rows_of(Newer, fields(Newer))
    assert keys["minutes"] == ("number", "`1.0`")
    assert keys != written(PAGE)["Budget",]
    assert [f.name for f in added(Newer)] == ["rows", "minutes"]


def test_a_key_without_a_meaning_is_refused():
    with pytest.raises(AssertionError, match="no meaning"):
        written("## `Budget`\n| `rows` | whole number | `7` | ? |\n")


def test_the_shortest_file_is_one():
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert list(parse(text).tasks) == ["loyal"]


@pytest.mark.parametrize("text", re.findall(r"`((?:\w+) = (?:\{|\").*?)`[.;:]", PAGE))
def test_examples_of_settings_are_read(text):
    if text.startswith("label"):
        text = f'tasks.t = {{ kind = "Binary", {text} }}'
    project = parse("entity = {}\n" + text + ("" if "tasks" in text else "\ntasks = {}"))
    assert project != Project(entity={}, tasks={})
