"""A shop in which every probability is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl

from jointrec.durable import write_parquet
from jointrec.errors import DataError, ProjectError, together, unknown_name

from .oracle import ANSWERS, Oracle
from .sessions import Course, run
from .tables import ids, make_tables
from .world import World, make_world

FORMATS = ("csv", "parquet")


@dataclass(frozen=True)
class Shop:
    """A simulated shop, for demos and tests: its tables, and the best answer to every question.

    People with tastes, budgets and lifetimes look for things, are shown lists, and click, mark,
    put in the cart, buy and send back what they like. Items differ in quality that nobody sees,
    are in and out of stock, and have promotions; categories have seasons. All of it is drawn from
    chances that are written down, so :meth:`oracle` can say what the best possible answer is.

    The same arguments give the same tables, byte by byte, with the same versions of numpy and
    polars on the same kind of machine. The shop opens on Monday 2025-01-06. All times are UTC and
    written without a zone. What a row says (clicked, bought, returned …) is settled within its day.

    :param users: How many users there are, most of them from before the opening. At least 1.
    :param items: How many items there are, a fifth of them listed while the shop is watched.
        At least 16.
    :param days: For how many days the shop is watched. At least 1.
    :param seed: Which of the shops of this size it is. At least 0.
    :raises ProjectError: where a size is too small.

    >>> shop = Shop(users=50, items=40, days=30)
    >>> list(shop.tables())
    ['users', 'items', 'queries', 'impressions', 'purchases', 'judgements']
    >>> clicks = shop.oracle("click", shop.tables()["impressions"])
    >>> bool((clicks > 0).all() and (clicks < 1).all())
    True
    """

    users: int = 2000
    items: int = 400
    days: int = 120
    seed: int = 7

    tasks: ClassVar[tuple[str, ...]] = tuple(ANSWERS)
    """The tasks that the oracle answers."""

    def __post_init__(self) -> None:
        least = {"users": 1, "items": 16, "days": 1, "seed": 0}
        problems = [
            f"Shop.{name}: should be a whole number of at least {low}. "
            f"Found `{getattr(self, name)!r}`."
            for name, low in least.items()
            if not isinstance(getattr(self, name), int) or getattr(self, name) < low
        ]
        if problems:
            raise ProjectError(together(problems, of="Shop"))

    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables that a shop would have, by name.

        ``users``, ``items`` and ``queries`` are the things. ``impressions`` has a row for every
        item shown, with what came of it (0 or 1); ``revenue`` is 0 where nothing was bought and
        ``returned`` is null there, for it is unknown. ``purchases`` has a row for every line
        bought, at the time of the session; ``judgements`` has grades 0 to 3 of how well an item
        answers a query, and no time. ``items.rating`` is null for items without one.
        """
        return dict(self._tables)

    def write(self, folder: str | Path, kind: str = "parquet") -> Path:
        """Writes every table to a folder, which is made if need be, and gives the folder.

        :param kind: ``parquet`` or ``csv``. In CSV a set of tags is written ``a|b`` and null is
            written as nothing.
        :raises DataError: where the kind is not one of these.
        """
        if kind not in FORMATS:
            raise DataError(unknown_name("kind of file", kind, FORMATS, at="Shop.write"))
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self._tables.items():
            path = folder / f"{name}.{kind}"
            if kind == "parquet":
                write_parquet(table, path)
            else:
                lists = pl.selectors.by_dtype(pl.List(pl.String)).list.join("|")
                table.with_columns(lists).write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
        return folder

    def oracle(self, task: str, rows: pl.DataFrame) -> np.ndarray:
        """The best answer to each row of a task that anyone could give: by the latent truth.

        It knows tastes, quality, schedules, who has left for good at the moment, and who will
        arrive when; it does not know how chance will fall. So it is a bound that data may not let
        one reach.

        ============================ ======================== =====================================
        task                         columns of the rows      answer
        ============================ ======================== =====================================
        click, favourite, cart, buy  impression_id            probability, of all impressions
        returned                     impression_id            probability, given that it is bought
        revenue                      impression_id            expected money
        relevance                    query_id, item_id        probability of each grade 0..3
        intent                       query_id                 probability of each category, in order
                                                              of names, given the words alone
        churn                        user_id, moment          probability of no purchase in 14 days
        spend                        user_id, moment          expected money in 14 days
        orders                       user_id, moment          expected lines bought in 14 days
        next_item                    user_id, moment          probability of each item, in the order
                                                              of the table, of a line bought then
        sales                        item_id, moment          expected pieces sold in 7 days
        ============================ ======================== =====================================

        A window starts at its moment and does not hold its end. A moment is a Datetime, in UTC, or
        whole µs since 1970 UTC. More columns do no harm.

        :returns: Float64, one row per row; one number, or one per class or item.
        :raises DataError: for an unknown task, column or key, and for a moment before the opening,
            or so late that its window ends more than 60 days after the last day.
        """
        return self._oracle.answer(task, rows)

    @cached_property
    def _world(self) -> World:
        return make_world(self.users, self.items, self.days, self.seed)

    @cached_property
    def _course(self) -> Course:
        rng = np.random.default_rng([self.seed, 1])
        leaving = self._world.people.habit.leaving
        return run(self._world, leaving, 0.0, float(self.days), rng)

    @cached_property
    def _tables(self) -> dict[str, pl.DataFrame]:
        return make_tables(self._world, self._course, self.seed)

    @cached_property
    def _oracle(self) -> Oracle:
        keys = {
            "user_id": ids("u", self.users),
            "item_id": ids("i", self.items),
            "query_id": ids("q", len(self._world.needs.queries.words)),
            "impression_id": ids("v", len(self._course.shown.item)),
        }
        codes = {
            key: pl.DataFrame({"key": names}).with_row_index("code") for key, names in keys.items()
        }
        return Oracle(self._world, self._course, codes)
