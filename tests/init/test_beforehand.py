"""Numbers of what was shown are read unless they may be known afterwards only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from jointrec.init import propose
from jointrec.project import parse

ROWS = 2_000


def log(labels: bool = True) -> pl.DataFrame:
    """What was shown to whom, with some numbers known before and some afterwards."""
    rng = np.random.default_rng(0)
    taste = rng.normal(size=ROWS)
    clicked = (rng.random(ROWS) < 1 / (1 + np.exp(1 - taste))).astype(int)
    late = np.where(clicked == 1, rng.random(ROWS), np.nan)
    frame = pl.DataFrame(
        {
            "uid": rng.choice([f"u{n}" for n in range(300)], ROWS),
            "ad_id": rng.choice([f"a{n}" for n in range(50)], ROWS),
            "shown_at": pl.Series(1_700_000_000 + 600 * np.arange(ROWS)).cast(pl.Int64) * 1_000_000,
            "click": clicked,
            "taste": taste.round(4),
            "slot_height": rng.normal(90, 20, ROWS).round(2),
            "some_unknown": np.where(rng.random(ROWS) < 0.3, np.nan, rng.normal(size=ROWS)),
            "points": (clicked + rng.normal(0, 0.2, ROWS)).round(4),
            "landing_depth": late,
            "often_filled": np.where((clicked == 0) & (rng.random(ROWS) < 0.5), np.nan, taste),
            "watched_minutes": rng.exponential(9, ROWS).round(2),
            "order_value": rng.exponential(20, ROWS).round(2),
        }
    ).with_columns(pl.col("shown_at").cast(pl.Datetime("us")))
    return frame if labels else frame.drop("click", "watched_minutes")


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_numbers_that_tell_no_label_are_read(tmp_path: Path, ending: str) -> None:
    shown = log()
    if ending == "csv":
        shown.fill_nan(None).write_csv(tmp_path / "log.csv")
    else:
        shown.write_parquet(tmp_path / "log.parquet")
    told = propose(tmp_path)
    (event,) = parse(told).event.values()
    assert set(event.features) == {"taste", "slot_height", "some_unknown"}
    assert "take it out if it is only known afterwards" in told
    commented = [line for line in told.splitlines() if "uncomment if it is known" in line]
    for name in ("points", "often_filled", "watched_minutes", "order_value", "landing_depth"):
        assert any(f"features.{name} " in line for line in commented), name


def test_numbers_of_what_was_done_are_not(tmp_path: Path) -> None:
    log(labels=False).write_parquet(tmp_path / "log.parquet")
    told = propose(tmp_path)
    assert all(not event.features for event in parse(told).event.values())
