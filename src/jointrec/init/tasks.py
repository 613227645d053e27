"""What could be asked of the tables: columns that say what came of a row, and what comes later."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from .guesses import EntityGuess, EventGuess
from .names import PERSON, PRICE, QUANTITY, VALUE, numbered, snake
from .outcomes import funnel_of, nested, only_with
from .spelling import commented, name, text

NESTED = 0.97
"""Two labels are a funnel where this share of the rarer one's yes is a yes of the other too."""
MOST_RETURNS = 0.2
"""Where a larger share of numbers is negative, they are no returns."""
FEWEST_DAYS = 21
"""Data that span fewer days are too short to look ahead in."""


WIDE = 10
"""From so many numbered columns on they look like a series of time."""
SHORT = 42
"""Of data that span fewer days, the default split would leave less than half to train on."""


def task_lines(entities: Sequence[EntityGuess], events: Sequence[EventGuess]) -> list[str]:
    """The lines of the table ``tasks``."""
    lines = ["[tasks]"]
    lines += [_own_task(entity, label) for entity in entities for label in entity.labels]
    for event in events:
        lines += _column_tasks(event)
    by_column = len(lines) > 1
    lines += _funnel_tasks(events, sure=not by_column)
    lines += _later_tasks(events)
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


def _own_task(entity: EntityGuess, label: str) -> str:
    """The line of a task about a column of a thing's own."""
    column = entity.table.column(label)
    flag = column.kind == "flag"
    kind, why = ("Binary", "yes or no") if flag else ("Choice", f"one of {column.distinct} classes")
    asked = text(f"{entity.name}.{label}")
    return f'{name(label)} = {{ kind = "{kind}", label = {asked} }}  # {why}'


def split_line(events: Sequence[EventGuess]) -> list[str]:
    """The split, where the data or the windows of later labels ask for other days than default."""
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


def _column_tasks(event: EventGuess) -> list[str]:
    lines: list[str] = []
    before: str | None = None
    for label in funnel_of(event):
        line = f'{name(label)} = {{ kind = "Binary", label = {text(f"{event.name}.{label}")}'
        if before is not None and nested(event, label, before) >= NESTED:
            line += f", after = {text(before)} }}  # hardly ever yes without {before}"
        else:
            line += " }  # yes or no"
        lines.append(line)
        before = label
    for label in event.labels:
        if label not in funnel_of(event):
            line = f'{name(label)} = {{ kind = "Amount", label = {text(f"{event.name}.{label}")}'
            after = (
                f", after = {text(before)}" if before and only_with(event, label, before) else ""
            )
            lines.append(f"{line}{after} }}  # an amount, mostly nothing")
    return lines


def _funnel_tasks(events: Sequence[EventGuess], *, sure: bool) -> list[str]:
    """What becomes of the first event of a visit that is about something: cart, then purchase."""
    usable = [e for e in events if e.unsure is None and e.time and len(e.entities) > 1]
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
    found = [e for e in events if e.stage == "buy" and e.time and e.unsure is None]
    return max(found, key=lambda event: len(event.entities)) if found else None


def _later_tasks(events: Sequence[EventGuess]) -> list[str]:
    event = bought(events)
    if event is None:
        return ["# No event looks like a purchase, so nothing is asked about what happens later."]
    days = _days(event)
    window, who, what = _window(days), next(iter(event.entities)), list(event.entities)[-1]
    spent, pieces = amount_of(event)
    own = event.name
    lines = [f"# `{own}` looks like a purchase. The data span {days:.0f} days, so windows are "
             f"{window}."]  # fmt: skip
    if PERSON.search(who) or who != what:
        lines.append(_later("churn", "Binary", f'no = "{own}", of = "{who}", within = "{window}"'))
        if spent:
            summed = f"sum = {text(spent)}"
            lines.append(_later("spend", "Amount", f'{summed}, of = "{who}", within = "{window}"'))
    if who != what:
        summed = f"sum = {text(pieces)}" if pieces else f'count = "{own}"'
        following = f'next = "{own}.{what}", of = "{who}"'
        lines += [
            _later("sales", "Count", f'{summed}, of = "{what}", within = "7d"'),
            _later(f"next_{what}", "Retrieval", following),
        ]
    if days < FEWEST_DAYS:
        return ["# The data span too few days to look ahead.", *commented(lines)]
    return lines


def _later(task: str, kind: str, label: str) -> str:
    """The line of a task whose label looks forward."""
    return f'{task} = {{ kind = "{kind}", label = {{ {label} }} }}'


def _window(days: float) -> str:
    return "30d" if days >= 150 else "14d" if days >= 75 else "7d"


def _days(event: EventGuess) -> float:
    return event.table.spans.get(event.time or "", 0.0)


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
