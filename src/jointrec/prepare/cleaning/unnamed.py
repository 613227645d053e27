"""Things that are in a table, and in no event."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from .base import Detector, Limits, Odd, View


class Unnamed(Detector):
    """Keys that no row of any event names."""

    code = "unnamed"

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Rows of entities that events could name, and never do."""
        for name, frame in view.tables.entities.items():
            key = view.project.entity[name].key
            by = [n for n, event in view.project.event.items() if name in event.entities]
            if by and key:
                codes = pl.concat([view.tables.events[n][f"@{name}"].unique() for n in by])
                named = pl.repeat(False, len(frame) + 1, eager=True).scatter(codes, True)
                yield Odd(name, key, ~named[1:], "keys that no event names.", of_keys=True)
