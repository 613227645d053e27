"""Options that are longer than a line, and what people type as name=value after one."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from .errors import JointRecError, unknown_name

Root = Annotated[
    Path | None,
    typer.Option(help="The folder that relative sources are found in. Default: the current one."),
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="entity=key, as often as needed: --key user=u7 --key item=i42."),
]
At = Annotated[
    str | None,
    typer.Option(help="The moment of the question, as 2024-05-31. Default: just after the data."),
]
Rounds = Annotated[
    int, typer.Option(help="How often users are drawn again for the intervals.", min=1)
]
KEEP = "Where what is prepared is kept for the next run. Default: the user's cache folder."
Keep = Annotated[Path | None, typer.Option("--cache", envvar="JOINTREC_CACHE", help=KEEP)]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Prepare anew, and keep nothing for the next run.")
]
Processes = Annotated[
    int | None,
    typer.Option(
        help="How many large networks are trained at a time. Default: one for each core.", min=1
    ),
]


def kept_in(cache: Path | None, no_cache: bool) -> Path | None:
    """Where what is prepared is kept: in the user's cache folder, unless told otherwise."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return None if no_cache else cache or home / "jointrec"


def pairs(option: str, given: list[str] | None) -> dict[str, list[str]]:
    """What was given to each name, in order.

    >>> pairs("--key", ["user=u1", "user=u2", "item=i1"])
    {'user': ['u1', 'u2'], 'item': ['i1']}

    :raises JointRecError: where one has no name or no value.
    """
    found: dict[str, list[str]] = {}
    for pair in given or []:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise JointRecError(f"{option} {pair}: write name=value, such as {option} user=u7.")
        found.setdefault(name, []).append(value)
    return found


def keys_of(entities: Collection[str], given: list[str] | None) -> dict[str, list[str]]:
    """The keys that were given for each entity.

    >>> keys_of({"user", "item"}, ["user=u1"])
    {'user': ['u1']}

    :raises JointRecError: where there is no such entity.
    """
    found = pairs("--key", given)
    for name in found:
        if name not in entities:
            raise JointRecError(unknown_name("entity", name, entities, at="--key"))
    return found


def only(name: str, given: list[str]) -> str:
    """The one value that was given to a name.

    :raises JointRecError: where there are several.
    """
    if len(given) > 1:
        raise JointRecError(f"{name}: give it once. Received: {', '.join(given)}.")
    return given[0]


def number(name: str, text: str) -> float:
    """The weight of a task.

    :raises JointRecError: where it is no number.
    """
    try:
        return float(text)
    except ValueError:
        raise JointRecError(f"--rank-by {name}={text}: `{text}` is not a number.") from None
