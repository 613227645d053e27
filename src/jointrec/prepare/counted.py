"""What is counted, and for whom: an event, its windows and rates, and the key of a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int64

from .versions import Versions


@dataclass(frozen=True)
class Keys:
    """What is counted together: the events of one entity, or of two, or of one and a value.

    :param entities: The entities whose codes make the key.
    :param values: For each, what stands for a code: its value, 0 where that is missing; None where
        the code stands for itself.
    :param size: One more than the largest code or value of the last entity.
    :param versions: Those of the entity whose value counts, if it changes with time: its values are
        then by row.
    """

    entities: tuple[str, ...]
    values: tuple[Int64[np.ndarray, "_"] | None, ...]
    size: int
    versions: Versions | None = None

    def of(
        self, codes: Iterable[Int64[np.ndarray, "rows"]], times: Int64[np.ndarray, "rows"]
    ) -> Int64[np.ndarray, "rows"]:
        """The key of each row, given the codes of the entities; −1 where any part is unknown.

        :param times: As of when the values are read: strictly before.
        """
        parts = [
            code
            if values is None
            else values[code if self.versions is None else self.versions.at(code, times)]
            for code, values in zip(codes, self.values, strict=True)
        ]
        known = np.all([part > 0 for part in parts], axis=0)
        key = parts[0] if len(parts) == 1 else parts[0] * self.size + parts[1]
        return np.where(known, key, -1)


@dataclass(frozen=True)
class Counted:
    """What is counted of an event.

    :param event: The event.
    :param windows: The windows in which rows are counted, by name, the shortest first and the last
        without an end: ever.
    :param rate_windows: Those over which outcomes become rates.
    :param rates: For each yes-or-no column, how often it is yes among training rows.
    :param matures: How long after a row its outcomes are settled (µs).
    :param days: Whether it is told on how many different days (UTC) there were rows, and since
        when.
    :param ahead: The windows after a moment in which rows are counted that are known ahead, by
        name; none where rows are not.
    :param sums: What is summed over the windows, by name: a column, or the product of two.
    """

    event: str
    windows: Mapping[str, int | None]
    rate_windows: Mapping[str, int | None]
    rates: Mapping[str, float]
    matures: int
    days: bool = False
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ahead: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What :meth:`Counter.numbers` gives."""
        counts = [f"{self.event} {window}" for window in self.windows]
        days = [f"days with {self.event} {window}" for window in self.windows] if self.days else []
        since = [f"since {self.event}", *([f"since first {self.event}"] if self.days else [])]
        sums = [f"{what} sum {window}" for what in self.sums for window in self.windows]
        rates = [f"{column} rate {window}" for column in self.rates for window in self.rate_windows]
        return (
            *counts,
            *since,
            *days,
            *(f"{self.event}.{of_column}" for of_column in (*sums, *rates)),
            *(f"{self.event} next {window}" for window in self.ahead),
        )
