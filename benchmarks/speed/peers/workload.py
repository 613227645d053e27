"""The rows that every system learns from: one flat table, written once for each size of the ids.

Twenty columns of ids, ten of numbers, three yes-or-no labels and an amount, each unknown in three
rows of ten. Ids are skewed: ``id = ⌊V^u⌋ - 1`` with u uniform, so the chance of the k-th id falls
as 1/k. What is to be learned are effects of single ids, products of the effects of two ids, and
products of an id and a number; no system is told which. Rows are in order of time, 10,000 a day;
the last ones are held out.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

IDS, NUMBERS = 20, 10
CATEGORIES = tuple(f"c{n}" for n in range(IDS))
NUMERICS = tuple(f"x{n}" for n in range(NUMBERS))
BINARY = ("click", "cart", "buy")
AMOUNT = "revenue"
TASKS = (*BINARY, AMOUNT)
ROWS_A_DAY = 10_000
DAY = 86_400_000_000  # µs
FIRST = 1_735_689_600_000_000  # 2025-01-01
RATES = (-1.2, -2.6, -3.4)
"""The logits of the labels where nothing else is known."""
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7))
"""The columns whose ids multiply each other's effects."""
UNKNOWN = 0.3


@dataclass(frozen=True)
class Workload:
    """A table to be made.

    :param ids: How many ids each column can hold.
    :param rows: How many rows there are.
    :param held: How many of them, the last, are held out.
    :param seed: Where all chance comes from: the same seed gives the same table.
    """

    ids: int = 1_000
    rows: int = 1_000_000
    held: int = 100_000
    seed: int = 0

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.ids}-ids-{self.rows}-rows-{self.held}-held-seed-{self.seed}"


@dataclass(frozen=True)
class Table:
    """What was drawn.

    :param ids: int32, a row and a column for each.
    :param numbers: float32.
    :param labels: float32, nan where unknown, in the order of :data:`TASKS`.
    :param times: µs since 1970, ascending.
    """

    ids: np.ndarray
    numbers: np.ndarray
    labels: np.ndarray
    times: np.ndarray


def draw(workload: Workload) -> Table:
    """Draws a table.

    >>> table = draw(Workload(ids=50, rows=1_000, held=100))
    >>> table.ids.shape, table.labels.shape, int(table.ids.max()) < 50
    ((1000, 20), (1000, 4), True)
    """
    chance = np.random.default_rng([workload.seed, workload.ids])
    rows = workload.rows
    ids = np.empty((rows, IDS), dtype=np.int32)
    own = np.zeros((rows, len(TASKS)), dtype=np.float32)
    latent: dict[int, np.ndarray] = {}
    numbers = chance.standard_normal((rows, NUMBERS), dtype=np.float32)
    for column in range(IDS):
        drawn = np.floor(workload.ids ** chance.random(rows)) - 1
        # The frequent ids are not the small ones: nobody gains from ids that lie side by side.
        ids[:, column] = chance.permutation(workload.ids).astype(np.int32)[drawn.astype(np.int64)]
        effects = chance.standard_normal((workload.ids, 2), dtype=np.float32)[ids[:, column]]
        weights = chance.normal(0.0, 0.25, size=len(TASKS)).astype(np.float32)
        own += effects[:, :1] * weights
        if column in {side for pair in PAIRS for side in pair}:
            latent[column] = effects[:, 1]
        if column < 4:  # how much a number counts depends on an id
            own += (effects[:, 1] * numbers[:, column])[:, None] * weights
    for one, other in PAIRS:
        own += (latent[one] * latent[other])[:, None] * np.float32(0.35)
    own += numbers @ chance.normal(0.0, 0.15, size=(NUMBERS, len(TASKS))).astype(np.float32)
    labels = _labels(own, chance)
    labels[chance.random(labels.shape) < UNKNOWN] = np.nan
    times = FIRST + np.arange(rows, dtype=np.int64) * (DAY // ROWS_A_DAY)
    return Table(ids, numbers, labels, times)


def _labels(own: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Yes or no by a logit for each; an amount, log-normal, for about one row in eight."""
    labels = np.zeros(own.shape, dtype=np.float32)
    for place, rate in enumerate(RATES):
        labels[:, place] = chance.random(len(own)) < 1 / (1 + np.exp(-(own[:, place] + rate)))
    paid = chance.random(len(own)) < 1 / (1 + np.exp(-(own[:, 3] - 2.2)))
    size = np.exp(2.5 + 0.5 * own[:, 3] + 0.5 * chance.standard_normal(len(own)))
    labels[:, 3] = np.where(paid, size, 0.0)
    return labels


def written(workload: Workload, cache: Path) -> Path:
    """The folder of a table, made where it is not there: Parquet, and plain arrays of the same."""
    folder = cache / "data" / workload.name
    if (folder / "about.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    table = draw(workload)
    np.save(folder / "ids.npy", table.ids)
    np.save(folder / "numbers.npy", table.numbers)
    np.save(folder / "labels.npy", table.labels)
    codes, sizes = numbered(table.ids, rows=workload.rows - workload.held)
    np.save(folder / "codes.npy", codes)
    (folder / "codes.json").write_text(json.dumps(sizes))
    write_parquet(table, folder / "rows.parquet")
    (folder / "about.json").write_text(json.dumps(asdict(workload)))  # last: now it is whole
    return folder


def numbered(ids: np.ndarray, rows: int) -> tuple[np.ndarray, list[int]]:
    """Each column numbered from 1 by what its first rows hold, 0 for all else; and its size.

    >>> codes, sizes = numbered(np.array([[7], [4], [7], [5]]), rows=3)
    >>> codes.ravel().tolist(), sizes
    ([2, 1, 2, 0], [3])
    """
    codes, sizes = np.zeros_like(ids), []
    for column in range(ids.shape[1]):
        met = np.unique(ids[:rows, column])
        place = np.searchsorted(met, ids[:, column]).clip(max=len(met) - 1)
        codes[:, column] = np.where(met[place] == ids[:, column], place + 1, 0)
        sizes.append(len(met) + 1)
    return codes, sizes


def write_parquet(table: Table, path: Path) -> None:
    """Writes a table as a shop would have it: ids are numbers, labels null where unknown."""
    import polars as pl

    columns: dict[str, object] = {"shown_at": pl.Series(table.times).cast(pl.Datetime("us"))}
    columns |= {name: table.ids[:, n] for n, name in enumerate(CATEGORIES)}
    columns |= {name: table.numbers[:, n] for n, name in enumerate(NUMERICS)}
    columns |= {name: table.labels[:, n] for n, name in enumerate(TASKS)}
    pl.DataFrame(columns).with_columns(pl.col(TASKS).fill_nan(None)).write_parquet(path)
