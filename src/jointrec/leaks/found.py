"""What the scanner found: alarms, each with what to do, and facts that are no alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jointrec.sources import Finding

CODES: Mapping[str, str] = {
    "later_than_moment": "a time of an entity that lies after the moment of asking",
    "after_outcome": "a column that is filled only once the answer is known",
    "tells_answer": "a column that by itself is almost the answer",
    "id_tells_answer": "an id whose beginning, end or order tells the answer",
    "id_tells_time": "an id or a number that only counts up with time",
    "future_aggregate": "a column of an entity that sums up what happened later",
    "falls_apart": "a column that tells much in training and little later, or the reverse",
    "event_before_outcome": "an event that is booked just before the row that it answers",
    "matures_too_short": "outcomes that are settled later than `matures` says",
    "request_on_both_sides": "requests with rows on both sides of a cut",
    "duplicates_on_both_sides": "equal rows on both sides of a cut",
    "row_order": "a table whose order tells the answer",
    "same_moment": "an event that is booked at the moment of the row that it answers: no alarm",
    "easy_answer": "columns that all tell the answer well, so that none stands out: no alarm",
    "overlap": "how many of those asked in test were seen in training: no alarm",
}
"""Every code, and what it means. Of several for one column the first is told."""
FACTS = ("same_moment", "easy_answer", "overlap")
"""The codes that are no alarm."""


@dataclass(frozen=True)
class Leak(Finding):
    """A way in which an answer may reach a feature, or training reach the test.

    It is a finding, so it stands in tables of findings; ``text`` says all of it.

    :param tasks: The tasks whose answer it gives away.
    :param evidence: What was measured.
    :param advice: What to do.
    """

    tasks: tuple[str, ...] = ()
    evidence: str = ""
    advice: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The leak as JSON can hold it."""
        return {
            "code": self.code, "at": self.at, "column": self.column, "tasks": list(self.tasks),
            "count": self.count, "evidence": self.evidence, "advice": self.advice,
        }  # fmt: skip


def leak(
    code: str,
    at: str,
    column: str | None,
    tasks: tuple[str, ...],
    *,
    count: int,
    evidence: str,
    advice: str,
    examples: tuple[str, ...] = (),
) -> Leak:
    """A leak, with its text made from its parts.

    :param at: The table or the setting, as the project names it.
    :param count: How many rows show it.
    """
    text = f"{CODES[code]}. {evidence} {advice}".strip()
    return Leak(code, at, column, count, examples, "kept", text, tasks, evidence, advice)


@dataclass(frozen=True)
class Leaks:
    """What a scan found.

    :param alarms: What should be looked at before the model is believed, the worst first.
    :param facts: What is worth knowing and is no fault.
    :param looked_at: For each grain how many rows the scan looked at, and of how many.
    """

    alarms: tuple[Leak, ...]
    facts: tuple[Leak, ...]
    looked_at: Mapping[str, tuple[int, int]]

    def to_plain(self) -> dict[str, Any]:
        """The scan as JSON can hold it."""
        return {
            "alarms": [found.to_plain() for found in self.alarms],
            "facts": [found.to_plain() for found in self.facts],
            "looked_at": {grain: list(rows) for grain, rows in self.looked_at.items()},
        }


def gathered(found: list[Leak]) -> tuple[Leak, ...]:
    """One alarm for each code and column, whichever task saw it first and best, with all tasks."""
    kept: dict[tuple[str, str | None], Leak] = {}
    tasks: dict[tuple[str, str | None], list[str]] = {}
    order = list(CODES)
    for one in sorted(found, key=lambda one: order.index(one.code)):
        place = (one.at, one.column if one.column is not None else f"({one.code})")
        kept.setdefault(place, one)
        tasks.setdefault(place, []).extend(one.tasks)
    return tuple(
        Leak(**{**vars(one), "tasks": tuple(dict.fromkeys(tasks[place]))})
        for place, one in kept.items()
    )
