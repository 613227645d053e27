"""What is to be learned: a column, or what happens later on a timeline.

A label is one of two things. A *column* label is written ``table.column`` and lives on the rows of
that table. A *later* label is made by looking forward from a moment on a timeline, and is written
with the functions of :class:`later`. Null means unknown, never negative: a window that ends after
the last event of the data gives null.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from .errors import ProjectError

Verb = Literal["any", "no", "count", "sum", "next", "until", "steps"]
VERBS: tuple[Verb, ...] = get_args(Verb)

DAY = 86_400_000_000
"""A day in µs."""
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"([0-9]{1,12})\s*([smhdw])")
_LONGEST = 36_500 * DAY
"""A hundred years: more is a mistake, and sums of times must fit into int64."""


def microseconds(duration: str) -> int:
    """The length of a duration such as ``30s``, ``15m``, ``24h``, ``7d`` or ``2w``, in µs.

    :raises ProjectError: where the text is not a whole number followed by one of the units, or is
        longer than a hundred years.

    >>> microseconds("24h") == microseconds("1d") == 86_400_000_000
    True
    """
    match = _DURATION.fullmatch(duration.strip())
    if match is None or int(match[1]) == 0:
        raise ProjectError(
            f"`{duration}` is not a duration. Write a whole number above 0 and a unit: "
            "30s, 15m, 24h, 7d, 2w."
        )
    length = int(match[1]) * _UNITS[match[2]] * 1_000_000
    if length > _LONGEST:
        raise ProjectError(f"`{duration}` is longer than a hundred years (36500d).")
    return length


@dataclass(frozen=True)
class Later:
    """A label made of what happens later. Write it with :class:`later` rather than by hand.

    :param verb: What to make of the events found: ``any``, ``no``, ``count``, ``sum``, ``next``,
        ``until``, ``steps``.
    :param what: The event, or ``event.column`` for ``sum`` and ``steps``, or ``event.entity`` for
        ``next``. A ``sum`` may be one of products: ``line.quantity * line.price``.
    :param of: The table whose rows are asked about: an entity (asked at snapshot moments) or an
        event (asked at each of its rows, of the entities that both events name).
    :param within: How far to look forward. Not for ``next`` and ``steps``. Several such, and the
        same is asked over each of them (see `jointrec.tasks.horizons`).
    :param active: Ask only about entities with any event on their timeline in this long before
        the moment. Without it, about all that were ever seen before the moment.
    :param every: The time between two snapshot moments of an entity. Default: 7 days. Without it
        ``next`` asks at each such event, just before it happens.
    :param unless: An event that says when there could be no answer, such as a day without stock: a
        window that one of its rows reaches into is unknown. Not for ``next``, ``until``, ``steps``.
    :param first: How many of the next events ``steps`` are about.
    """

    verb: Verb
    what: str
    of: str
    within: str | tuple[str, ...] | None = None
    active: str | None = None
    every: str | None = None
    unless: str | None = None
    first: int | None = None

    def __str__(self) -> str:
        settings = [f"of={self.of}"] + [
            f"{name}={' '.join(value) if isinstance(value, tuple) else value}"
            for name in ("within", "active", "every", "unless", "first")
            if (value := getattr(self, name)) is not None
        ]
        return f"{self.verb}({self.what}, {', '.join(settings)})"

    @property
    def horizons(self) -> tuple[str, ...]:
        """How far to look forward, shortest first: none for ``next`` and ``steps``, else one or
        several.

        :raises ProjectError: where one of them is not a duration.
        """
        within = (self.within,) if isinstance(self.within, str) else self.within or ()
        return tuple(sorted(dict.fromkeys(within), key=microseconds))

    @property
    def window(self) -> int | None:
        """The longest of them (µs); None for ``next`` and ``steps``."""
        return microseconds(self.horizons[-1]) if self.horizons else None

    @property
    def event(self) -> str:
        """The event whose rows answer the question."""
        return self.what.partition(".")[0]

    @property
    def column(self) -> str | None:
        """What is summed or read at each step, or the entity that comes next."""
        return self.what.partition(".")[2] or None

    @property
    def factors(self) -> tuple[str, ...]:
        """The columns that are summed: one, or two whose product is; none where nothing is.

        >>> Later("sum", "line.quantity * line.unit price", "user").factors
        ('quantity', 'unit price')
        """
        written = self.what.split(TIMES) if self.verb == "sum" else []
        return tuple(column for _, _, column in (part.partition(".") for part in written) if column)


TIMES = " * "
"""Between the two columns of a product, written as ``event.column``."""


Within: TypeAlias = str | Sequence[str]
"""A duration, or several."""


class later:  # a namespace that reads as a word
    """Labels made of what happens later on a timeline.

    >>> str(later.any("purchase", of="impression", within="24h"))
    'any(purchase, of=impression, within=24h)'
    >>> later.sum("purchase.value", of="user", within="90d").column
    'value'
    """

    @staticmethod
    def any(
        what: str,
        *,
        of: str,
        within: str | Sequence[str],
        active: str | None = None,
        every: str | None = None,
        unless: str | None = None,
    ) -> Later:
        """Whether the event happens at least once within the window: 1 or 0."""
        return Later("any", what, of, _frozen(within), active, every, unless)

    @staticmethod
    def no(
        what: str,
        *,
        of: str,
        within: str | Sequence[str],
        active: str | None = None,
        every: str | None = None,
        unless: str | None = None,
    ) -> Later:
        """Whether the event does not happen within the window: 1 or 0."""
        return Later("no", what, of, _frozen(within), active, every, unless)

    @staticmethod
    def count(
        what: str,
        *,
        of: str,
        within: str | Sequence[str],
        active: str | None = None,
        every: str | None = None,
        unless: str | None = None,
    ) -> Later:
        """How often the event happens within the window."""
        return Later("count", what, of, _frozen(within), active, every, unless)

    @staticmethod
    def sum(
        what: str,
        *,
        of: str,
        within: str | Sequence[str],
        active: str | None = None,
        every: str | None = None,
        unless: str | None = None,
    ) -> Later:
        """The sum of a column over the events within the window. Null cells add nothing.

        So is the sum of the products of two columns of an event, ``line.quantity * line.price``.
        """
        return Later("sum", what, of, _frozen(within), active, every, unless)

    @staticmethod
    def until(
        what: str, *, of: str, within: str, active: str | None = None, every: str | None = None
    ) -> Later:
        """How many days until the next such event, followed for at most the window.

        Below 0 where it had not happened by then: -12.5 says that it took more than 12.5 days. So
        far it was followed: to the end of the window, or of what was known at the time.
        """
        return Later("until", what, of, within, active, every)

    @staticmethod
    def next(what: str, *, of: str, active: str | None = None, every: str | None = None) -> Later:
        """The entity of the next such event, written ``event.entity``."""
        return Later("next", what, of, None, active, every)

    @staticmethod
    def steps(
        what: str, *, of: str, first: int, active: str | None = None, every: str | None = None
    ) -> Later:
        """A yes-or-no column, ``event.column``, of each of the next so many such events.

        A step is unknown where the event has not come by the end of the data, or has not settled.
        """
        return Later("steps", what, of, None, active, every, first=first)


def _frozen(within: Within) -> str | tuple[str, ...]:
    return within if isinstance(within, str) else tuple(within)
