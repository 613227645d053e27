"""Makes the tables of `shop.toml` from ordered sequences that know no times.

    python examples/amazon_beauty/tables.py SEQUENCES ATTRIBUTES FOLDER

SEQUENCES is a Parquet file with `user_id`, `pos` (0, 1, …) and `item_id`; ATTRIBUTES one with
`item_id` and the list `attributes`.

Where a protocol leaves the last item of each user for the test and the one before for validation,
let every sequence end on the same day: the last item of everybody is had on `LAST`, the one before
on the day before, and so on. Cut by time with one day each, that is the very same split, and
nothing that is counted up to a moment (what was popular lately, who had both of two items) holds a
test item of somebody else.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import polars as pl

LAST = date(2014, 12, 31)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser()
    for name in ("sequences", "attributes", "folder"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    steps = pl.read_parquet(given.sequences)
    days = pl.col("pos").max().over("user_id") - pl.col("pos")
    had = steps.select(
        "user_id",
        "item_id",
        time=pl.lit(LAST).cast(pl.Datetime("us")) - pl.duration(days=days),
    ).sort("user_id", "time")
    had.write_parquet(given.folder / "had.parquet")
    steps.select("user_id").unique().sort("user_id").write_parquet(given.folder / "users.parquet")
    items = pl.read_parquet(given.attributes).sort("item_id")
    items.write_parquet(given.folder / "items.parquet")


if __name__ == "__main__":
    main()
