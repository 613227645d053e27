"""Which tables hold plans: promotions, holidays, days without stock, known before they come."""

from __future__ import annotations

from collections.abc import Sequence

from jointrec.labels import DAY

from .guesses import EventGuess
from .names import PERSON, PLAN, snake

MOST_DAYS = 28
"""No plan is taken to be known longer before, however far its rows go."""


def mark_plans(events: Sequence[EventGuess]) -> None:
    """Says of events how long ahead they are known, where their times go on after all others end.

    A plan is of things, not of those who act, and is called one or is no event of a shop. What is
    planned is no label, so nothing is asked about it.
    """
    acts = [event for event in events if not _may_be_planned(event)]
    ends = [span[1] for event in acts if (span := event.table.spans.get(event.time or ""))]
    for event in events if ends else ():
        span = event.table.spans.get(event.time or "")
        days = (span[1] - max(ends)) // DAY if span else 0
        if event not in acts and days >= 1:
            event.ahead = f"{min(days, MOST_DAYS)}d"
            event.labels = []


def _may_be_planned(event: EventGuess) -> bool:
    if event.kind is not None or any(PERSON.search(entity) for entity in event.entities):
        return False
    return event.stage is None or PLAN.search(snake(event.table.name)) is not None
