"""Those who act faster than people do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from jointrec.plan import key_column

from .base import LEAST, Detector, Limits, Odd, View

HOUR = 3_600_000_000
SAMPLE = 50_000
"""From how many rows on only some actors are looked at to learn what is usual."""


class Bot(Detector):
    """The rows of an actor from the moment on at which it had more in an hour than people have.

    The first entity of an event acts. Earlier rows of the same actor are not meant: at their time
    nobody could have known.
    """

    code = "bot"
    times, floor = 20, 100

    def learn(self, view: View) -> dict[str, float]:
        """For each event with a time, how many rows of one actor in an hour are too many."""
        found: dict[str, float] = {}
        for name, frame in view.timed().items():
            actor = f"@{view.project.event[name].entities[0]}"
            rows = frame.select(actor, pl.col("@time") // HOUR).filter(view.seen[name])
            step = max(1, len(rows) // SAMPLE)
            rows = rows.filter((pl.col(actor) > 0) & (pl.col(actor) % step == 0))
            if len(rows) >= LEAST:
                counts = rows.group_by(actor, "@time").len()["len"]
                found[name] = float(max(self.floor, self.times * np.quantile(counts, 0.99)))
        return found

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """The rows of such actors from then on."""
        for name, limit in limits.items():
            entity = view.project.event[name].entities[0]
            rows = _too_fast(view.tables.events[name], f"@{entity}", limit)
            if rows is not None:
                text = f"rows of a {entity} with more than {limit:g} within an hour."
                yield Odd(name, key_column(view.project, name, entity), rows, text)


def _too_fast(frame: pl.DataFrame, actor: str, limit: float) -> pl.Series | None:
    busy = np.flatnonzero(np.bincount(frame[actor].to_numpy()) > limit)
    busy = busy[busy > 0]
    if len(busy) == 0:
        return None
    hour = (pl.col("@time") // HOUR).alias("@hour")
    among = pl.col(actor).is_in(pl.Series(busy, dtype=frame[actor].dtype).implode())
    crowded = (
        frame.lazy().select(actor, "@time").filter(among).sort("@time")
        .with_columns(hour)
        .with_columns(pl.int_range(pl.len()).over(actor, "@hour").alias("@before"))
        .filter(pl.col("@before") >= limit)
        .group_by(actor).agg(pl.col("@time").min().alias("@since"))
    )  # fmt: skip
    flagged = (
        frame.lazy().select(actor, "@time")
        .join(crowded, on=actor, how="left", maintain_order="left")
        .select((pl.col("@time") >= pl.col("@since")).fill_null(False))
    )  # fmt: skip
    rows = flagged.collect().to_series()
    return rows if rows.any() else None
