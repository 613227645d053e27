"""Errors a person can act on: what is wrong, where, what is allowed, what is nearest, what to do.

Every error that this package raises on purpose is a :class:`JointRecError`; the command line prints
its text and nothing else. A message names the place first (``tasks.click.label: …``), so that
several can be told at once and each still be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar


class JointRecError(Exception):
    """Base of every error raised on purpose by this package."""

    exit_code: ClassVar[int] = 2
    """What a command that it ends gives back."""


class ProjectError(JointRecError, ValueError):
    """The declared project cannot be what was meant."""


class SourceError(JointRecError, OSError):
    """A table cannot be read: missing, empty, unreadable, or not the table that was declared."""


class DataError(JointRecError, ValueError):
    """The tables can be read, but what they hold cannot answer the question."""


class BundleError(JointRecError, ValueError):
    """A saved model is damaged, incomplete, or of a version that this package does not read."""


class MissingExtra(JointRecError, ImportError):
    """An optional package is needed for what was asked."""


class DataWarning(UserWarning):
    """What was given is answered, but some of it was not read as it may have been meant."""


_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that command a terminal or turn the direction of text, and halves of characters."""


def printable(text: str) -> str:
    r"""Text from a file, safe to print: what would command a terminal is spelled out instead.

    >>> print(printable("red\x1b[31m and \u202eback"))
    red\x1b[31m and \u202eback
    """
    return _COMMANDS.sub(lambda found: ascii(found[0])[1:-1], text)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """The sentence that proposes the allowed name closest to ``name``, or nothing.

    >>> nearest("MMEO", ["MMoE", "PLE"])
    ' Did you mean `MMoE`?'
    >>> nearest("xyz", ["MMoE", "PLE"])
    ''
    """
    spelled = {candidate.lower(): candidate for candidate in allowed}
    close = get_close_matches(name.lower(), spelled, n=1)
    return f" Did you mean `{spelled[close[0]]}`?" if close else ""


MOST_KNOWN = 100
"""How many known names a message lists."""


def unknown_name(what: str, name: str, allowed: Iterable[str], *, at: str) -> str:
    """The one sentence used for every name that is not known.

    >>> unknown_name("column", "clikced", ["clicked", "price"], at="click.label")
    'click.label: there is no column `clikced`. Did you mean `clicked`? Known: clicked, price.'
    """
    allowed = sorted(allowed)
    more = f" and {len(allowed) - MOST_KNOWN:,} more" if len(allowed) > MOST_KNOWN else ""
    listed = ", ".join(allowed[:MOST_KNOWN])
    known = f"Known: {listed}{more}." if allowed else "None are known here."
    return f"{at}: there is no {what} `{name}`.{nearest(name, allowed)} {known}"


def together(problems: Sequence[str], *, of: str) -> str:
    """One message that tells all problems at once, so that nobody mends them one run at a time.

    >>> print(together(["a: is missing.", "b: is missing."], of="shop.toml"))
    shop.toml: 2 problems.
      1. a: is missing.
      2. b: is missing.

    Problems that are several themselves stand below their own number.

    >>> print(together([together(["b.", "c."], of="a"), "d."], of="shop.toml"))
    shop.toml: 2 problems.
      1. a: 2 problems.
         1. b.
         2. c.
      2. d.
    """
    if len(problems) == 1:
        return problems[0]
    inner = [problem.replace("\n", "\n   ") for problem in problems]
    lines = [f"  {number}. {problem}" for number, problem in enumerate(inner, 1)]
    return "\n".join([f"{of}: {len(problems)} problems.", *lines])


def missing_extra(package: str, extra: str, *, needed_for: str) -> MissingExtra:
    """The error for an optional package that is not installed, with the line that installs it.

    >>> print(missing_extra("lightgbm", "baselines", needed_for="the baseline"))
    the baseline needs the package `lightgbm`. Install it with: pip install 'jointrec[baselines]'
    """
    return MissingExtra(
        f"{needed_for} needs the package `{package}`. "
        f"Install it with: pip install 'jointrec[{extra}]'"
    )
