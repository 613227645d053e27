"""The tables of the shop, as a shop would have them: ids are strings, times UTC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Int64

from .chances import PAGES
from .clock import DAY_US, DAYS_A_WEEK, OPENS_US, calendar
from .needs import grade_chances
from .people import AGES, COUNTRIES, DEVICES
from .sessions import Course, outcomes_of
from .words import BRANDS, CATEGORIES, LANGUAGES, STYLES, title
from .world import World

JUDGED_IN_POOL, JUDGED_ANYWHERE = 9, 3
"""How many items are judged for each query: of those that may be shown for it, and of all."""

TIME = pl.Datetime("us")
"""Without a zone; UTC is meant."""


def make_tables(world: World, course: Course, seed: int) -> dict[str, pl.DataFrame]:
    """All tables, in the order in which a person would read them."""
    impressions = _impressions(world, course)
    return {
        "users": _users(world),
        "items": _items(world),
        "queries": _queries(world),
        "impressions": impressions.drop("quantity"),
        "purchases": _purchases(impressions),
        "judgements": _judgements(world, np.random.default_rng([seed, 2])),
    }


def ids(letter: str, num: int) -> pl.Series:
    """Ids as a shop writes them: a letter and a number from 1, without leading zeros.

    >>> ids("u", 3).to_list()
    ['u1', 'u2', 'u3']
    """
    return pl.select(pl.format("{}{}", pl.lit(letter), pl.int_range(1, num + 1))).to_series()


def _ids_of(letter: str, places: Int64[np.ndarray, "rows"]) -> pl.Series:
    return ids(letter, int(places.max(initial=-1)) + 1).gather(places)


def _named(codes: Int64[np.ndarray, "rows"], names: Sequence[str]) -> pl.Series:
    return pl.Series(list(names), dtype=pl.String).gather(codes)


def _users(world: World) -> pl.DataFrame:
    person = world.people.person
    return pl.DataFrame(
        {
            "user_id": ids("u", len(world.people)),
            "country": _named(person.country, COUNTRIES),
            "device": _named(person.device, DEVICES),
            "age_band": _named(person.age, AGES),
            "first_seen": pl.Series(calendar(person.arrival)).cast(TIME),
        }
    )


def _items(world: World) -> pl.DataFrame:
    goods, label = world.goods, world.goods.label
    styles = [np.flatnonzero(row).tolist() for row in label.styles]
    codes = label.type.tolist(), label.brand.tolist(), label.colour.tolist()
    return pl.DataFrame(
        {
            "item_id": ids("i", len(goods)),
            "category": _named(label.category, [name for name, _ in CATEGORIES]),
            "brand": _named(label.brand, [name for name, _ in BRANDS]),
            "price": goods.price,
            "rating": pl.Series(goods.rating).fill_nan(None),
            "tags": pl.Series(
                [[STYLES[style][0] for style in row] for row in styles], dtype=pl.List(pl.String)
            ),
            "title": [title(*parts) for parts in zip(*codes, styles, strict=True)],
            "listed_at": pl.Series(OPENS_US + goods.listed * DAY_US).cast(TIME),
        }
    )


def _queries(world: World) -> pl.DataFrame:
    queries = world.needs.queries
    return pl.DataFrame(
        {
            "query_id": ids("q", len(queries.words)),
            "words": list(queries.words),
            "language": _named(queries.language, LANGUAGES),
            "category": _named(
                world.needs.category[queries.need], [name for name, _ in CATEGORIES]
            ),
        }
    )


def _impressions(world: World, course: Course) -> pl.DataFrame:
    """One row per item shown; `quantity` is for the purchases and is not part of the table."""
    sessions, shown, acts = course.sessions, course.shown, course.acts
    session = shown.session
    bought = acts.quantity > 0
    week = sessions.time.astype(np.int64)[session] // DAYS_A_WEEK
    price = outcomes_of(world, sessions, shown).price
    return pl.DataFrame(
        {
            "impression_id": ids("v", len(session)),
            "request_id": _ids_of("r", session),
            "user_id": _ids_of("u", sessions.user[session]),
            "query_id": _ids_of("q", sessions.query[session]),
            "item_id": _ids_of("i", shown.item),
            "position": shown.position + 1,
            "page": _named(sessions.page[session], PAGES),
            "device": _named(sessions.device[session], DEVICES),
            "discount": world.calendar.discount[week, shown.item],
            "shown_at": pl.Series(calendar(sessions.time)[session]).cast(TIME),
            "clicked": acts.clicked.astype(np.int8),
            "favourited": acts.favourited.astype(np.int8),
            "carted": acts.carted.astype(np.int8),
            "bought": bought.astype(np.int8),
            "revenue": np.round(acts.quantity * price, 2),
            "returned": pl.Series(acts.returned.astype(np.int8)).set(pl.Series(~bought), None),
            "quantity": acts.quantity,
        }
    )


def _purchases(impressions: pl.DataFrame) -> pl.DataFrame:
    bought = impressions.filter(pl.col("bought") == 1)
    return bought.select(
        ids("o", len(bought)).alias("order_id"),
        "user_id",
        "item_id",
        pl.col("shown_at").alias("paid_at"),
        "quantity",
        pl.col("revenue").alias("value"),
    )


def _judgements(world: World, rng: np.random.Generator) -> pl.DataFrame:
    """Several judges may grade the same pair, and may differ."""
    needs, num_queries = world.needs, len(world.needs.queries.words)
    pools = needs.pool.reshape(len(needs), -1)
    size = (pools >= 0).sum(axis=1)
    pools = np.take_along_axis(pools, np.argsort(pools < 0, axis=1, kind="stable"), axis=1)
    query = np.repeat(np.arange(num_queries), JUDGED_IN_POOL + JUDGED_ANYWHERE)
    need = needs.queries.need[query]
    near = pools[need, (rng.random(len(query)) * size[need]).astype(np.int64)]
    far = rng.integers(0, len(world.goods), len(query))
    within = np.arange(len(query)) % (JUDGED_IN_POOL + JUDGED_ANYWHERE) < JUDGED_IN_POOL
    item = np.where(within, near, far)
    chances = grade_chances(needs.relevance[need, item])
    grade = (rng.random((len(query), 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return pl.DataFrame(
        {
            "judgement_id": ids("j", len(query)),
            "query_id": _ids_of("q", query),
            "item_id": _ids_of("i", item),
            "grade": grade,
        }
    )
