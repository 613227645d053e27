"""The oracle of the future agrees with futures that are played many times from the same state."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from jointrec.simulate import Shop
from jointrec.simulate.clock import OPENS_US, shop_days
from jointrec.simulate.people import leave
from jointrec.simulate.sessions import outcomes_of, run

USERS, ITEMS = 40, 48
MOMENT = datetime(2025, 1, 29, 16, 20)
PLAYED = 400


def with_rate(world, rate):
    """The same world, but with users who come more or less often."""
    people = world.people
    return replace(world, people=replace(people, habit=replace(people.habit, rate=rate)))


def busy_shop():
    """A shop whose users come so often that a few hundred futures tell much."""
    shop = Shop(users=USERS, items=ITEMS, days=60, seed=9)
    shop.__dict__["_world"] = with_rate(shop._world, 8 * shop._world.people.habit.rate)
    return shop


SHOP = busy_shop()


def at(days=0):
    return (MOMENT + timedelta(days=days) - datetime(1970, 1, 1)) // timedelta(microseconds=1)


@pytest.fixture(scope="module")
def futures():
    """Per played future: lines bought and money by user in 14 days, pieces by item in 7 days."""
    world, rng = SHOP._world, np.random.default_rng(123)
    now, week, fortnight = shop_days(np.array([at(), at(7), at(14)]))
    person, habit = world.people.person, world.people.habit
    lines, money, pieces = (np.zeros((PLAYED, num)) for num in (USERS, USERS, ITEMS))
    for play in range(PLAYED):
        again = leave(person.arrival, habit.hazard, now, rng)
        leaving = np.where(habit.leaving <= now, habit.leaving, again)
        course = run(world, leaving, now, fortnight, rng)
        user = course.sessions.user[course.shown.session]
        time = course.sessions.time[course.shown.session]
        quantity = course.acts.quantity
        price = outcomes_of(world, course.sessions, course.shown).price
        lines[play] = np.bincount(user, quantity > 0, USERS)
        money[play] = np.bincount(user, quantity * price, USERS)
        soon = time < week
        pieces[play] = np.bincount(course.shown.item[soon], quantity[soon], ITEMS)
    return {"lines": lines, "money": money, "pieces": pieces}


def asked(task, key, num):
    rows = pl.DataFrame({key: [f"{key[0]}{number + 1}" for number in range(num)]})
    return SHOP.oracle(task, rows.with_columns(moment=pl.lit(at())))


def assert_close(played, told, often):
    """What is seen often enough lies within 4.5 standard errors each, the sum of all within 4."""
    often = often * PLAYED > 30
    assert often.sum() > 20
    error = played.std(axis=0, ddof=1) / np.sqrt(PLAYED)
    assert (np.abs(played.mean(axis=0) - told)[often] < 4.5 * error[often]).all()
    total = played.sum(axis=1)
    assert abs(total.mean() - told.sum()) < 4 * total.std(ddof=1) / np.sqrt(PLAYED)


def test_churn_is_how_often_nothing_is_bought(futures):
    told = asked("churn", "user_id", USERS)
    assert_close((futures["lines"] == 0).astype(float), told, np.minimum(told, 1 - told))


def test_orders_are_what_is_bought_on_average(futures):
    told = asked("orders", "user_id", USERS)
    assert_close(futures["lines"], told, told)


def test_spend_is_what_is_paid_on_average(futures):
    often = asked("orders", "user_id", USERS)
    assert_close(futures["money"], asked("spend", "user_id", USERS), often)


def test_sales_are_what_is_sold_on_average(futures):
    told = asked("sales", "item_id", ITEMS)
    assert_close(futures["pieces"], told, told)


def test_an_error_of_a_tenth_would_be_seen(futures):
    """The futures are many enough to catch a small mistake."""
    told = asked("orders", "user_id", USERS)
    for wrong in (0.9 * told, 1.1 * told):
        with pytest.raises(AssertionError):
            assert_close(futures["lines"], wrong, told)


def test_who_has_left_buys_nothing_and_who_comes_within_the_window_may(futures):
    world, now = SHOP._world, shop_days(np.array([at()]))[0]
    arrival = world.people.person.arrival
    gone = world.people.habit.leaving <= now
    late = ~gone & (arrival >= now + 14)
    coming = ~gone & (arrival > now) & (arrival < now + 14)
    churn, orders = asked("churn", "user_id", USERS), asked("orders", "user_id", USERS)
    assert gone.any() and coming.any()
    for nobody in (gone, late):
        assert (churn[nobody] == 1).all() and (orders[nobody] == 0).all()
        assert (futures["lines"][:, nobody] == 0).all()
    rest = ~gone & ~late
    assert (churn[rest] < 1).all() and (orders[rest] > 0).all()


def test_next_item_is_the_share_of_each_item_in_what_a_user_buys():
    """Plays one day over and over with a user who comes very often and never leaves."""
    rng, user, day = np.random.default_rng(5), 3, 30
    crowd = with_rate(SHOP._world, np.where(np.arange(USERS) == user, 20_000.0, 0.0))
    counts = np.zeros(ITEMS)
    for _ in range(5):
        course = run(crowd, np.full(USERS, np.inf), day, day + 1.0, rng)
        counts += np.bincount(course.shown.item, course.acts.quantity > 0, ITEMS)
    moment = OPENS_US + day * 86_400_000_000 + 3_600_000_000
    rows = pl.DataFrame({"user_id": [f"u{user + 1}", "u1"], "moment": [moment, moment]})
    told = SHOP.oracle("next_item", rows)
    assert told.shape == (2, ITEMS)
    assert np.abs(told.sum(axis=1) - 1).max() < 1e-12
    assert counts.sum() > 1_000
    error = np.sqrt(told[0] * (1 - told[0]) * counts.sum())
    assert (np.abs(counts - told[0] * counts.sum()) < 4.5 * error + 1e-9).all()


def test_next_item_of_the_tables_is_calibrated():
    """Of all lines bought in another shop, the items told are those bought, by share told."""
    shop = Shop(users=600, items=96, days=60, seed=21)
    bought = shop.tables()["purchases"].select("user_id", "item_id", moment="paid_at")
    told = shop.oracle("next_item", bought)
    place = bought["item_id"].str.slice(1).cast(pl.Int64).to_numpy() - 1
    labels = np.zeros(told.shape)
    labels[np.arange(len(place)), place] = 1
    for part in np.array_split(np.argsort(told.ravel()), 10):
        chances = told.ravel()[part]
        error = np.sqrt((chances * (1 - chances)).sum())
        assert abs(labels.ravel()[part].sum() - chances.sum()) < 4 * error + 1e-9
    assert (told[np.arange(len(place)), place] > 0).all()
