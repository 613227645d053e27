"""The rows of the sequence workload: lists of eight items shown to users with a past.

Every user gets a list of eight items a day for 60 days, and likes some kinds of items. What was
shown to the user more than a day before is the past: the last 50 of it are read, oldest first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

USERS, ITEMS, KINDS = 600, 5_000, 40
DAYS, SHOWN, LAST = 60, 8, 50
DAY = 86_400_000_000  # µs
FIRST = 1_735_689_600_000_000  # 2025-01-01
SEQUENCE_BATCH, STEP, HEADS, TOP = 2048, 32, 2, (128, 64)
"""The model: past events of 32 numbers, two heads, two shared layers, a tower for each task."""


def write(folder: Path) -> Path:
    """Writes users, items and what was shown as Parquet, and the pasts as plain arrays."""
    import polars as pl

    if (folder / "past.npy").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(0)
    user = np.tile(np.repeat(np.arange(USERS), SHOWN), DAYS)
    day = np.repeat(np.arange(DAYS), USERS * SHOWN)
    item = np.floor(ITEMS ** chance.random(len(user))).astype(np.int64) - 1
    kind, taste = chance.integers(KINDS, size=ITEMS), chance.normal(size=(USERS, KINDS))
    logit = taste[user, kind[item]] - 1.5
    clicked = chance.random(len(user)) < 1 / (1 + np.exp(-logit))
    bought = clicked & (chance.random(len(user)) < 0.2)
    request = day * USERS + user
    times = FIRST + day * DAY + user * 60_000_000 + 36_000_000_000
    pl.DataFrame({"user": np.arange(USERS)}).write_parquet(folder / "users.parquet")
    items = pl.DataFrame({"item": np.arange(ITEMS), "kind": kind})
    items.write_parquet(folder / "items.parquet")
    shown = pl.DataFrame(
        {"user": user, "item": item, "request": request, "clicked": clicked, "bought": bought}
    ).with_columns(shown_at=pl.Series(times).cast(pl.Datetime("us")))
    shown.write_parquet(folder / "shown.parquet")
    labels = np.stack([clicked, bought], axis=1).astype(np.float32)
    np.save(folder / "rows.npy", np.stack([user, item, kind[item]], axis=1))
    np.save(folder / "labels.npy", labels)
    np.save(folder / "kinds.npy", kind)
    np.save(folder / "past.npy", pasts(item.reshape(DAYS, USERS, SHOWN)))
    return folder


def pasts(shown: np.ndarray) -> np.ndarray:
    """For each row the items shown to its user up to two days before, -1 where there were fewer.

    >>> pasts(np.arange(6).reshape(3, 1, 2))[[0, 4], -3:].tolist()
    [[-1, -1, -1], [-1, 0, 1]]
    """
    days, users, size = shown.shape
    found = np.full((days, users, LAST), -1, dtype=np.int32)
    for day in range(days):
        # A label is settled a day later: yesterday's list, shown at the same hour, is not past yet.
        before = shown[: max(day - 1, 0)].transpose(1, 0, 2).reshape(users, -1)[:, -LAST:]
        if before.shape[1]:
            found[day, :, -before.shape[1] :] = before
    return np.repeat(found, size, axis=1).reshape(days * users * size, LAST)
