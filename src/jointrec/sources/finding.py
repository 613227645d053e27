"""What was found odd in a table: never mended in silence, always counted and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jointrec.errors import printable


@dataclass(frozen=True)
class Finding:
    """One kind of oddity in one place.

    :param code: Its name for machines, such as ``not_a_number``.
    :param at: The table, as the project names it.
    :param column: The column, or None where whole rows are meant.
    :param count: How many values or rows.
    :param examples: A few of them, as text that is safe to print.
    :param action: What was done: ``made null``, ``set aside``, ``kept`` …
    :param text: What it is, as a sentence for people.

    >>> print(Finding("not_a_number", "item", "price", 2, ("n/a", "?"), "made null",
    ...               "values that are not numbers."))
    item.price: values that are not numbers. 2 made null, such as `n/a`, `?`.
    """

    code: str
    at: str
    column: str | None
    count: int
    examples: tuple[str, ...]
    action: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "examples", tuple(map(printable, self.examples)))

    def __str__(self) -> str:
        place = self.at if self.column is None else f"{self.at}.{self.column}"
        shown = ", ".join(f"`{example}`" for example in self.examples)
        such = f", such as {shown}" if shown else ""
        return f"{place}: {self.text} {self.count:,} {self.action}{such}."


def merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings of several parts of a table as one of each code."""
    merged: dict[tuple[Any, ...], Finding] = {}
    for found in findings:
        key = (found.code, found.at, found.column)
        if key in merged:
            before = merged[key]
            examples = (*before.examples, *found.examples)[:3]
            found = Finding(
                found.code, found.at, found.column, before.count + found.count, examples,
                found.action, found.text,
            )  # fmt: skip
        merged[key] = found
    return tuple(merged.values())
