"""What could be asked of the tables: columns that say what came of a row, and what comes later."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from .columns import Column
from .following import followed, history_lines
from .guesses import EntityGuess, EventGuess
from .kinds import Asked, asked_of
from .look import Seen
from .names import PERSON, PRICE, PROPENSITY, QUANTITY, VALUE, numbered, snake
from .outcomes import NESTED, funnel_of, nested, only_with
from .spelling import commented, name, text

MOST_RETURNS = 0.2
"""Where a larger share of numbers is negative, they are no returns."""
FEWEST_DAYS = 21
"""Data that span fewer days are too short to look ahead in."""
WINDOWS = ((150, "30d"), (75, "14d"), (0, "7d"))
"""How far labels look ahead, by how many days the data span at least."""
FOLLOWED = ((300, "90d"), (150, "60d"), (75, "28d"))
"""How long a thing is followed until something happens; in shorter data too few are."""
HORIZONS = ((150, ("7d", "14d", "28d")), (75, ("7d", "14d")), (0, ("7d",)))
"""For how long sales are forecast."""


WIDE = 10
"""From so many numbered columns on they look like a series of time."""
SHORT = 42
"""Of data that span fewer days, the default split would leave less than half to train on."""


def task_lines(entities: Sequence[EntityGuess], events: Sequence[EventGuess]) -> list[str]:
    """The lines of the table ``tasks``."""
    lines, taken = ["[tasks]"], set[str]()
    guesses: list[EntityGuess | EventGuess] = [*entities, *events]
    for guess in guesses:
        lines += _column_tasks(guess, taken)
    by_column = len(lines) > 1
    lines += _funnel_tasks(events, sure=not by_column)
    lines += _later_tasks(events, taken)
    if not any(line and not line.startswith(("#", "[")) for line in lines):
        lines += [
            "# No label was recognised. Name what you want to know, for example:",
            f'# answer = {{ kind = "Binary", label = "{entities[0].name}.COLUMN" }}',
            *_wide_lines(entities),
        ]
    return lines


def _wide_lines(entities: Sequence[EntityGuess]) -> list[str]:
    """What to do with a table that keeps one number at many times side by side."""
    return [
        f"# {own[0]} … {own[-1]} of {entity.table.called} look like one number at {len(own)} "
        "times. As rows of an event (thing, time, number) it can be counted, summed and forecast."
        for entity in entities
        for own in numbered(
            [c.name for c in entity.table.columns if c.kind in ("number", "flag")], WIDE
        ).values()
    ]


def split_line(events: Sequence[EventGuess]) -> list[str]:
    """The split, where the data or the windows of later labels ask for other days than default.

    Queries that were judged are not those that will be asked, so they are split by query.
    """
    if events and not any(event.time for event in events):
        asks = next(iter(events[0].entities))
        return [
            f"# No row has a time, so each {asks} is in one part: those that test are new.",
            'split = { kind = "ByEntity" }',
        ]
    days = max((_days(event) for event in events if event.unsure is None), default=0.0)
    if 2 < days < SHORT:
        test, valid = max(1, int(days / 5)), max(1, int(days / 10))
        return [
            f"# The data span {days:.0f} days, too few to leave 14 to test on.",
            f'split = {{ kind = "ByTime", test_days = {test}, valid_days = {valid} }}',
        ]
    event = bought(events)
    if event is None or _days(event) < 75:
        return []
    window = int(_window(_days(event))[:-1])
    return [
        f"# Labels look {window} days ahead, so as many days validate and twice as many test.",
        f'split = {{ kind = "ByTime", test_days = {2 * window}, valid_days = {window} }}',
    ]


def _column_tasks(guess: EntityGuess | EventGuess, taken: set[str]) -> list[str]:
    """The tasks that columns answer: the steps of a funnel first, in their order.

    :param taken: The names of tasks; takes those of these.
    """
    table, funnel = guess.table, funnel_of(guess.table, guess.labels)
    named = {label: f"{guess.name}_{label}" if label in taken else label for label in guess.labels}
    taken |= set(named.values())
    chance = propensity_of(table) if guess.labels else None
    weighed = f", propensity = {text(f'{guess.name}.{chance}')}" if chance else ""
    lines: list[str] = []
    if chance:
        lines.append(f"# Each row counts 1 / `{chance}`, the chance with which it was shown.")
    before = ""
    for label in [*funnel, *(label for label in guess.labels if label not in funnel)]:
        asked = asked_of(table.column(label)) or _by_values(table.column(label))
        line = f'{name(named[label])} = {{ kind = "{asked.kind}", '
        line += f"label = {text(f'{guess.name}.{label}')}{asked.settings}"
        why = asked.why
        if before and label in funnel and nested(table, label, before) >= NESTED:
            line += f", after = {text(named[before])}"
            why = f"hardly ever yes without {before}"
        elif before and asked.kind == "Amount" and only_with(table, label, before):
            line += f", after = {text(named[before])}"
        lines.append(f"{line}{weighed} }}  # {why}")
        before = label if label in funnel else before
    return lines


def propensity_of(table: Seen) -> str | None:
    """The column that says with which chance a row came to be shown, if one looks like it."""
    for column in table.columns:
        if column.kind in ("number", "flag") and PROPENSITY.search(snake(column.name)):
            chances = _numbers(column.values)
            if len(chances) and bool(((chances > 0) & (chances <= 1)).all()):
                return column.name
    return None


def _by_values(column: Column) -> Asked:
    """What a column is asked whose name says nothing."""
    if column.kind == "text":
        return Asked("Choice", f"one of {column.distinct} classes")
    return Asked("Amount", "an amount, mostly nothing")


def _funnel_tasks(events: Sequence[EventGuess], *, sure: bool) -> list[str]:
    """What becomes of the first event of a visit that is about something: cart, then purchase."""
    usable = [e for e in events if _happens(e) and len(e.entities) > 1]
    first = [e for e in usable if e.stage in ("shown", "click", "view") and e.kind]
    steps = {e.stage: e for e in reversed(usable) if e.stage in ("cart", "buy")}
    if not first or not steps:
        return []
    asked = max(first, key=lambda event: len(event.rows))
    lines = [f"# What follows within a day of each `{asked.name}`, in the order of a visit."]
    if {"cart", "buy"} <= set(steps) and len(steps["cart"].rows) < len(steps["buy"].rows):
        rare, often = steps.pop("cart").name, steps["buy"].name
        lines.append(f"# `{rare}` is rarer than `{often}`, so it is no step on the way to it.")
    before = ""
    for stage in [stage for stage in ("cart", "buy") if stage in steps]:
        label = f'any = {text(steps[stage].name)}, of = {text(asked.name)}, within = "1d"'
        lines.append(f'{stage} = {{ kind = "Binary", label = {{ {label} }}{before} }}')
        before = f", after = {text(stage)}"
    return lines if sure else commented(lines)


def bought(events: Sequence[EventGuess]) -> EventGuess | None:
    """The event that is a purchase, if one looks like it; of several the one that says the most."""
    found = [event for event in events if event.stage == "buy" and _happens(event)]
    return max(found, key=lambda event: len(event.entities)) if found else None


def _happens(event: EventGuess) -> bool:
    """Whether an event is on the timeline, and may be asked about."""
    return event.unsure is None and event.time is not None and event.ahead is None


def _later_tasks(events: Sequence[EventGuess], taken: set[str]) -> list[str]:
    event, after = bought(events), _asked_next(events)
    if event is None and after is None:
        return ["# No event looks like a purchase, so nothing is asked about what happens later."]
    if event is None:
        return [
            "# No event looks like a purchase, so what comes next is all that is asked of later.",
            *_next_lines(after, taken),
        ]
    days = _days(event)
    window, who, what = _window(days), next(iter(event.entities)), list(event.entities)[-1]
    spent, pieces = amount_of(event)
    own = event.name

    def later(task: str, kind: str, label: str, why: str = "") -> str:
        if task in taken:
            task = f"{own}_{task}"
        return f'{name(task)} = {{ kind = "{kind}", label = {{ {label} }} }}{why}'

    lines = [f"# `{own}` looks like a purchase. The data span {days:.0f} days, so windows are "
             f"{window}."]  # fmt: skip
    if PERSON.search(who) or who != what:
        lines.append(later("churn", "Binary", f'no = "{own}", of = "{who}", within = "{window}"'))
        followed = next((long for least, long in FOLLOWED if days >= least), None)
        if followed:
            until = f'until = "{own}", of = "{who}", within = "{followed}"'
            why = f"  # how many days until the next `{own}`, where churn asks of {window} alone"
            lines.append(later(f"until_{own}", "Survival", until, why))
        if spent:
            summed = f"sum = {text(spent)}"
            lines.append(later("spend", "Amount", f'{summed}, of = "{who}", within = "{window}"'))
    if not PERSON.search(who) or who != what:
        summed = f"sum = {text(pieces)}" if pieces else f'count = "{own}"'
        ahead = next(horizons for least, horizons in HORIZONS if days >= least)
        several = f"[{', '.join(map(text, ahead))}]" if len(ahead) > 1 else text(ahead[0])
        why = "  # a forecast for each, none below a shorter one" if len(ahead) > 1 else ""
        lines.append(later("sales", "Count", f'{summed}, of = "{what}", within = {several}', why))
    if after is not None:
        if after is not event:
            lines.append(f"# `{own}` comes too seldom to learn from its order what comes next.")
        lines += _next_lines(after, taken)
    if days < FEWEST_DAYS:
        return ["# The data span too few days to look ahead.", *commented(lines)]
    return lines


def _asked_next(events: Sequence[EventGuess]) -> EventGuess | None:
    """The event of which it is asked what comes next; None where none joins two things."""
    happen = [event for event in events if _happens(event) and len(event.entities) > 1]
    return followed(happen, next((event for event in happen if event is bought(events)), None))


def _next_lines(event: EventGuess | None, taken: set[str]) -> list[str]:
    if event is None:
        return []
    who, what = next(iter(event.entities)), list(event.entities)[-1]
    task = f"next_{what}" if f"next_{what}" not in taken else f"{event.name}_next_{what}"
    label = f'next = "{event.name}.{what}", of = "{who}"'
    return [f'{name(task)} = {{ kind = "Retrieval", label = {{ {label} }} }}']


def history_of(events: Sequence[EventGuess]) -> list[str]:
    """How the past is read, where what comes next asks for another way than the default."""
    event = bought(events)
    short = event is not None and _days(event) < FEWEST_DAYS
    return [] if short else history_lines(_asked_next(events))


def _window(days: float) -> str:
    return next(window for least, window in WINDOWS if days >= least)


def _days(event: EventGuess) -> float:
    return event.table.days(event.time)


def amount_of(event: EventGuess) -> tuple[str | None, str | None]:
    """What an event says of money and of pieces, as labels sum them; None where nothing.

    Money is a column where one holds it, else the product of quantity and price.
    """
    value, quantity, price = (_amount(event, *role) for role in _ROLES)
    pieces = None if quantity is None else f"{event.name}.{quantity}"
    if value is not None:
        return f"{event.name}.{value}", pieces
    if pieces is not None and price is not None:
        return f"{pieces} * {event.name}.{price}", pieces
    return None, pieces


def returns_of(event: EventGuess) -> tuple[str, float] | None:
    """The column whose negative numbers say that something bought is given back, and their share.

    Pieces say so rather than money, which may be a discount.
    """
    if event.stage != "buy" or not event.time:
        return None
    for role in (_ROLES[1], _ROLES[0]):
        column = _amount(event, *role)
        if column is not None:
            numbers = _numbers(event.rows[column])
            share = int((numbers < 0).sum()) / len(numbers)
            return (column, share) if 0 < share < MOST_RETURNS else None
    return None


_ROLES = (("value", VALUE), ("quantity", QUANTITY), ("price", PRICE))


def _amount(event: EventGuess, role: str, named: re.Pattern[str]) -> str | None:
    """The column of numbers that plays a role: as its schema says, or by its name."""
    rows = event.rows
    numbers = [
        c.name for c in event.table.columns
        if c.kind in ("number", "flag") and rows[c.name].is_not_null().mean() >= 0.5  # type: ignore[operator]
        and not _always_nothing(rows[c.name])
    ]  # fmt: skip
    own = event.roles.get(role)
    if own in numbers:
        return own
    return next((column for column in numbers if named.search(snake(column))), None)


def _numbers(values: pl.Series) -> pl.Series:
    return values.cast(pl.Float64, strict=False).drop_nulls()


def _always_nothing(values: pl.Series) -> bool:
    numbers = _numbers(values)
    return len(numbers) == 0 or bool((numbers == 0).all())
