"""Things that are in a table, and in no event."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
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
                named = np.zeros(len(frame) + 1, dtype=np.bool_)
                for event in by:
                    named[view.tables.events[event][f"@{name}"].to_numpy()] = True
                rows = pl.Series(~named[1:])
                yield Odd(name, key, rows, "keys that no event names.", of_keys=True)
