"""What happens in the shop: sessions, lists that are shown, and what people do with them.

Everything that happens in a session carries the time at which the session starts. So at the moment
of a purchase nothing of its own session lies in the past, and the future is independent of the past
given the latent truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from .chances import MAIN_DEVICE, PAGE_SHARES, RELEVANCE, chances_of, position_of, seen, sigmoid
from .clock import DAYS_A_WEEK
from .needs import PLACES, QUERIES_A_NEED
from .people import DEVICES
from .world import World, interest, place_chances


@dataclass(frozen=True, eq=False)
class Sessions:
    """Visits in order of time: one request each."""

    user: Int64[np.ndarray, "sessions"]
    time: Float64[np.ndarray, "sessions"]
    """Shop days since the opening."""
    query: Int64[np.ndarray, "sessions"]
    page: Int64[np.ndarray, "sessions"]
    device: Int64[np.ndarray, "sessions"]


@dataclass(frozen=True, eq=False)
class Shown:
    """Items shown, by session and position."""

    session: Int64[np.ndarray, "impressions"]
    item: Int64[np.ndarray, "impressions"]
    position: Int64[np.ndarray, "impressions"]
    """From 0."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The chances of what follows each impression."""

    click: Float64[np.ndarray, "impressions"]
    favourite: Float64[np.ndarray, "impressions"]
    cart: Float64[np.ndarray, "impressions"]
    buy: Float64[np.ndarray, "impressions"]
    returned: Float64[np.ndarray, "impressions"]
    """Given a purchase; the others are of all impressions."""
    extra: Float64[np.ndarray, "impressions"]
    """The expected number of pieces beyond the first, given a purchase."""
    price: Float64[np.ndarray, "impressions"]
    """Of a piece, in money, discount taken off."""


@dataclass(frozen=True, eq=False)
class Acts:
    """What people did with each item shown."""

    clicked: Bool[np.ndarray, "impressions"]
    favourited: Bool[np.ndarray, "impressions"]
    carted: Bool[np.ndarray, "impressions"]
    quantity: Int64[np.ndarray, "impressions"]
    """0 where it was not bought."""
    returned: Bool[np.ndarray, "impressions"]
    """Only where it was bought."""


@dataclass(frozen=True, eq=False)
class Course:
    """The course of events over some days."""

    sessions: Sessions
    shown: Shown
    acts: Acts


def run(
    world: World,
    leaving: Float64[np.ndarray, "users"],
    since: float,
    until: float,
    rng: np.random.Generator,
) -> Course:
    """Lets a stretch of time pass.

    :param leaving: When each user leaves for good, in shop days.
    :param since: Where the stretch starts, in shop days since the opening, inclusive.
    :param until: Where it ends, exclusive.
    """
    sessions = _visits(world, leaving, since, until, rng)
    shown = _lists(world, sessions, rng)
    return Course(sessions, shown, _acts(outcomes_of(world, sessions, shown), rng))


def outcomes_of(world: World, sessions: Sessions, shown: Shown) -> Outcomes:
    """The chances of what follows each impression."""
    session = shown.session
    users, weeks = sessions.user[session], _week(sessions.time[session])
    need = world.needs.queries.need[sessions.query[session]]
    chances = chances_of(world, users, shown.item, weeks)
    click = seen(shown.position, sessions.page[session], sessions.device[session]) * sigmoid(
        chances.liking + RELEVANCE * world.needs.relevance[need, shown.item]
    )
    cart = click * chances.cart
    return Outcomes(
        click=click,
        favourite=click * chances.favourite,
        cart=cart,
        buy=cart * chances.buy,
        returned=chances.returned,
        extra=chances.extra,
        price=chances.price,
    )


def _week(time: Float64[np.ndarray, "rows"]) -> Int64[np.ndarray, "rows"]:
    return time.astype(np.int64) // DAYS_A_WEEK


def _visits(
    world: World,
    leaving: Float64[np.ndarray, "users"],
    since: float,
    until: float,
    rng: np.random.Generator,
) -> Sessions:
    """A Poisson process per user, constant within a shop day, from arrival to leaving."""
    days = np.arange(int(np.floor(since)), int(np.ceil(until)))
    first = np.maximum(world.people.person.arrival[:, None], np.maximum(days, since))
    last = np.minimum(leaving[:, None], np.minimum(days + 1, until))
    length = np.maximum(last - first, 0.0)
    expected = world.people.habit.rate[:, None] * world.calendar.busy[days] * length
    num = rng.poisson(expected).ravel()
    cell = np.repeat(np.arange(num.size), num)
    time = first.ravel()[cell] + rng.random(len(cell)) * length.ravel()[cell]
    order = np.argsort(time, kind="stable")
    time, user = time[order], cell[order] // len(days)
    page = (rng.random(len(user)) > PAGE_SHARES[0]).astype(np.int64)
    main = world.people.person.device[user]
    other = (main + rng.integers(1, len(DEVICES), len(user))) % len(DEVICES)
    device = np.where(rng.random(len(user)) < MAIN_DEVICE, main, other)
    return Sessions(user, time, _asked(world, user, time, rng), page, device)


def _asked(
    world: World,
    user: Int64[np.ndarray, "sessions"],
    time: Float64[np.ndarray, "sessions"],
    rng: np.random.Generator,
) -> Int64[np.ndarray, "sessions"]:
    """What each session asks for: a need by the user's interest, then words in their language."""
    need = _pick(interest(world, user, time.astype(np.int64)), rng)
    queries = world.needs.queries
    spoken = np.array([[3.0, 0.3, 1.0], [0.3, 3.0, 1.0]])[:, queries.language]
    weights = (queries.share * spoken).reshape(2, len(world.needs), QUERIES_A_NEED)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    query = _pick(weights[world.people.habit.chinese[user], need], rng)
    return np.asarray(need * QUERIES_A_NEED + query)


def _lists(world: World, sessions: Sessions, rng: np.random.Generator) -> Shown:
    """Each place of the need's pool shows one of its items that are on sale, if any is."""
    weeks = _week(sessions.time)
    need = world.needs.queries.need[sessions.query]
    start = int(weeks.min(initial=0))
    shares = place_chances(world, start, int(weeks.max(initial=0)) + 1)[weeks - start, need]
    choice = _pick(shares, rng)
    item = np.take_along_axis(world.needs.pool[need], choice[..., None], axis=-1)[..., 0]
    place = np.broadcast_to(np.arange(PLACES), item.shape)
    position = position_of(place, np.broadcast_to(sessions.page[:, None], item.shape))
    order = np.argsort(position, axis=1, kind="stable")
    session = np.broadcast_to(np.arange(len(item))[:, None], item.shape)
    filled = np.take_along_axis(shares.sum(axis=-1) > 0, order, axis=1)
    return Shown(
        session[filled],
        np.take_along_axis(item, order, axis=1)[filled],
        np.take_along_axis(position, order, axis=1)[filled],
    )


def _acts(chances: Outcomes, rng: np.random.Generator) -> Acts:
    """Draws down the funnel: one number decides click, cart and buy, as each implies the former."""
    rows = len(chances.click)
    luck, fancy = rng.random(rows), rng.random(rows)
    clicked = luck < chances.click
    bought = luck < chances.buy
    return Acts(
        clicked=clicked,
        favourited=clicked & (fancy * chances.click < chances.favourite),
        carted=luck < chances.cart,
        quantity=np.where(bought, 1 + rng.poisson(chances.extra), 0),
        returned=bought & (rng.random(rows) < chances.returned),
    )


def _pick(
    chances: Float64[np.ndarray, "*rows choices"], rng: np.random.Generator
) -> Int64[np.ndarray, "*rows"]:
    """One choice per row, by its chance; the first where no choice has any."""
    passed = np.cumsum(chances, axis=-1)
    total = passed[..., -1]
    luck = np.minimum(rng.random(total.shape) * total, np.nextafter(total, 0.0))
    choice = (passed <= luck[..., None]).sum(axis=-1)
    return np.where(total > 0, choice, 0)
