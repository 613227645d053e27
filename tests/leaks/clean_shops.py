"""Shops without a leak, of many kinds, made from a seed: what is strong in them is honest."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
from shop_parts import DAY, START, WORDS, Made, chance, keys, tuned, when

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t


def impressions(seed: int) -> Made:
    """Users are shown items in requests; they click, sometimes buy; they come again or not."""
    rng = np.random.default_rng(seed)
    users, items = int(rng.integers(150, 1200)), int(rng.integers(30, 250))
    requests, days = int(rng.integers(400, 2500)), int(rng.integers(50, 90))
    rate = float(rng.choice([0.03, 0.1, 0.3]))
    quality, activity = rng.normal(0, 1, items), rng.gamma(0.6, 1, users) + 0.02
    price = np.exp(rng.normal(3, 0.8, items)).round(2)
    time = when(rng, requests, days)
    length = rng.integers(2, 9, requests)
    user = np.repeat(rng.choice(users, requests, p=activity / activity.sum()), length)
    request = np.repeat(np.arange(requests), length)
    weight = rng.zipf(1.7, items).clip(1, 50)
    item = np.concatenate(
        [rng.choice(items, n, replace=False, p=weight / weight.sum()) for n in length]
    )
    position = np.concatenate([np.arange(n) for n in length])
    at = time.cast(pl.Int64).to_numpy()[request]
    drift = (at - at.min()) / np.ptp(at)
    strength = float(rng.choice([0.6, 1.2, 2.8]))  # the last: a single honest column with AUC .9
    intent = rng.normal(0, 1, requests)[request]
    logits = quality[item] * 0.8 - 0.25 * position + strength * intent - 0.6 * drift
    clicked = rng.random(len(item)) < tuned(logits, rate)
    bought = clicked & (rng.random(len(item)) < 0.3 * chance(intent))
    order = np.argsort(at, kind="stable")
    shown = pl.DataFrame(
        {
            "impression_id": keys("x", rng.permutation(len(item))),
            "user": keys("u", user),
            "item": keys("i", item),
            "time": pl.Series(at).cast(pl.Datetime("us")),
            "request": keys("r", request * 7919 % 99991),
            "position": position,
            "intent": intent + rng.normal(0, 0.2, len(item)),
            "device": rng.choice(["phone", "desk", "tablet"], len(item), p=[0.6, 0.3, 0.1]),
            "campaign": keys("c", rng.zipf(1.4, len(item)).clip(1, 3000) * 31 % 3001),
            "clicked": clicked,
            "bought": bought,
        }
    )[order]
    # Who buys, buys some minutes or hours later, within the day that `matures` says.
    wait = (rng.gamma(1.2, 0.08, int(bought.sum())).clip(0.001, 0.95) * DAY).astype(np.int64)
    purchase = pl.DataFrame(
        {
            "user": keys("u", user[bought]),
            "item": keys("i", item[bought]),
            "time": pl.Series(at[bought] + wait).cast(pl.Datetime("us")),
            "quantity": rng.geometric(0.7, int(bought.sum())),
            "value": price[item[bought]],
        }
    )
    seen = np.full(users, START)
    seen -= rng.integers(0, 300 * DAY, users)
    sold = rng.poisson(np.exp(1.5 + 0.8 * quality))  # before the first day of the data: honest
    frames = {
        "user": pl.DataFrame(
            {
                "user": keys("u", np.arange(users)),
                "country": [
                    (None, "de", "fr", "us")[n]
                    for n in rng.choice(4, users, p=[0.1, 0.4, 0.2, 0.3])
                ],
                "age": np.where(rng.random(users) < 0.3, np.nan, rng.integers(18, 80, users)),
                "since": pl.Series(seen).cast(pl.Datetime("us")),
            }
        ),
        "item": pl.DataFrame(
            {
                "item": keys("i", np.arange(items)),
                "category": rng.choice(list("abcdefgh"), items),
                "price": price,
                "sold_before": sold,
                "title": [" ".join(rng.choice(WORDS, 4)) for _ in range(items)],
            }
        ),
        "impression": shown,
        "purchase": purchase,
    }
    return Made(
        frames,
        {
            "user": {
                "key": "user",
                "features": {"country": f.Category(), "age": f.Number(), "since": f.Time()},
            },
            "item": {
                "key": "item",
                "features": {
                    "category": f.Category(), "price": f.Number(), "sold_before": f.Number(),
                    "title": f.Text(),
                },
            },
        },
        {
            "impression": {
                "entities": ("user", "item"), "time": "time", "list": "request",
                "key": "impression_id",
                "features": {
                    "position": f.Number(), "intent": f.Number(), "device": f.Category(),
                    "campaign": f.Category(),
                },
            },
            "purchase": {"entities": ("user", "item"), "time": "time"},
        },
        {
            "click": t.Binary("impression.clicked"),
            "buy": t.Binary("impression.bought", after="click"),
            "churn": t.Binary(later.no("impression", of="user", within="7d", every="5d")),
            "sales": t.Count(later.sum("purchase.quantity", of="item", within="5d", every="2d")),
        },
        "impression",
        "clicked",
        rng,
    )  # fmt: skip


def customers(seed: int) -> Made:
    """A flat table of customers: who leaves, how much they spent, which plan they take."""
    rng = np.random.default_rng(seed)
    rows = int(rng.choice([300, 900, 3000, 9000]))
    rate = float(rng.choice([0.06, 0.2, 0.5, 0.85]))
    months, calls = rng.gamma(2, 10, rows).round(), rng.poisson(1.3, rows)
    usage = rng.normal(0, 1, rows)
    strength = float(rng.choice([0.5, 1.0, 3.2]))
    risk = strength * usage - 0.03 * months + 0.5 * calls
    left = rng.random(rows) < tuned(risk, rate)
    spent = np.exp(rng.normal(2 + 0.3 * usage, 0.9)).round(2)
    if rng.random() < 0.5:
        spent = np.where(rng.random(rows) < 0.6, 0.0, spent)
    frame = pl.DataFrame(
        {
            "customer": keys("k", rng.permutation(rows) * 3 + 11),
            "months": months,
            "calls": calls,
            "usage": usage.round(3),
            "city": rng.choice([f"city {n}" for n in range(60)], rows),
            "zip": [f"{n:05d}" for n in rng.zipf(1.3, rows).clip(1, 40_000) * 17 % 90_001],
            "paid_by": rng.choice(["card", "bank", "voucher"], rows),
            "income": np.where(rng.random(rows) < 0.4, np.nan, rng.normal(30, 9, rows).round(1)),
            "note": [" ".join(rng.choice(WORDS, 3)) for _ in range(rows)],
            "left": left,
            "spent": spent,
        }
    )
    features = {
        "months": f.Number(), "calls": f.Number(), "usage": f.Number(), "city": f.Category(),
        "zip": f.Category(), "paid_by": f.Category(), "income": f.Number(), "note": f.Text(),
    }  # fmt: skip
    return Made(
        {"customer": frame},
        {"customer": {"key": "customer", "features": features}},
        {},
        {"leave": t.Binary("customer.left"), "spend": t.Amount("customer.spent")},
        "customer",
        "left",
        rng,
    )


def orders(seed: int) -> Made:
    """Orders that come back or not; what comes back comes within two weeks."""
    rng = np.random.default_rng(seed)
    users, rows, days = int(rng.integers(100, 900)), int(rng.integers(1200, 8000)), 120
    rate = float(rng.choice([0.05, 0.15, 0.4]))
    fussy = rng.normal(0, 1, users)
    user = rng.choice(users, rows, p=(w := rng.gamma(0.8, 1, users) + 0.01) / w.sum())
    time = when(rng, rows, days)
    at = time.cast(pl.Int64).to_numpy()
    amount = np.exp(rng.normal(3.5, 0.9, rows)).round(2)
    strength = float(rng.choice([0.4, 1.0]))
    fit = rng.normal(0, 1, rows)
    logits = 1.2 * fussy[user] + strength * np.log(amount) + rng.choice([0.5, 2.2]) * fit
    returned = rng.random(rows) < tuned(logits, rate)
    # An honest past counter: how often they returned before, known at the time of the order.
    settled = at + 14 * DAY
    before = np.zeros(rows)
    for n in range(users):
        mine = np.flatnonzero(user == n)
        done = np.searchsorted(settled[mine], at[mine])
        before[mine] = np.concatenate([[0], np.cumsum(returned[mine])])[done]
    wait = (rng.beta(2, 3, int(returned.sum())) * 13.5 * DAY).astype(np.int64)
    number = rng.permutation(rows) + 10_000
    frames = {
        "user": pl.DataFrame(
            {
                "user": keys("u", np.arange(users)),
                "fussiness": (fussy + rng.normal(0, 0.5, users)).round(2),
                "channel": rng.choice(["mail", "ad", "friend"], users),
                "joined": pl.Series(START - rng.integers(1, 900, users) * DAY).cast(
                    pl.Datetime("us")
                ),
            }
        ),
        "order": pl.DataFrame(
            {
                "order": keys("o", number),
                "user": keys("u", user),
                "at": time,
                "amount": amount,
                "fit": fit.round(2),
                "returns_before": before,
                "payment": rng.choice(["card", "invoice"], rows),
                "coupon": [("SAVE" if some else None) for some in rng.random(rows) < 0.15],
                "returned": returned.astype(int),
                "value": (amount * rng.choice([1, 1, 2, 3], rows)).round(2),
            }
        ),
        "return": pl.DataFrame(
            {
                "user": keys("u", user[returned]),
                "at": pl.Series(at[returned] + wait).cast(pl.Datetime("us")),
            }
        ),
    }
    return Made(
        frames,
        {
            "user": {
                "key": "user",
                "features": {"fussiness": f.Number(), "channel": f.Category(), "joined": f.Time()},
            }
        },
        {
            "order": {
                "entities": ("user",), "time": "at", "key": "order", "matures": "14d",
                "features": {
                    "amount": f.Number(), "fit": f.Number(), "returns_before": f.Number(),
                    "payment": f.Category(), "coupon": f.Category(),
                },
            },
            "return": {"entities": ("user",), "time": "at"},
        },
        {
            "back": t.Binary("order.returned"),
            "value": t.Amount("order.value"),
            "again": t.Binary(later.any("order", of="user", within="10d", every="5d")),
        },
        "order",
        "returned",
        rng,
        split=jr.ByTime(test_days=20, valid_days=30),
    )  # fmt: skip


def judgements(seed: int) -> Made:
    """People judge whether an item fits a query; there is no time."""
    rng = np.random.default_rng(seed)
    queries, items, rows = 400, 150, int(rng.integers(2500, 9000))
    theme, kind = rng.integers(0, 8, queries), rng.integers(0, 8, items)
    query, item = rng.integers(0, queries, rows), rng.integers(0, items, rows)
    item = np.where(rng.random(rows) < 0.3, rng.permutation(items)[kind[item] % items], item)
    same = theme[query] == kind[item]
    score = 1.5 * same + 0.4 * rng.normal(0, 1, items)[item]
    good = rng.random(rows) < tuned(score * 2, float(rng.choice([0.1, 0.4])))
    frames = {
        "query": pl.DataFrame(
            {
                "query": keys("q", np.arange(queries)),
                "words": [f"{WORDS[k]} {w} {n % 97}" for n, (k, w) in enumerate(
                    zip(theme, rng.choice(WORDS, queries), strict=True))],
            }
        ),
        "item": pl.DataFrame(
            {
                "item": keys("i", np.arange(items)),
                "title": [f"{WORDS[k]} {w}" for k, w in zip(
                    kind, rng.choice(WORDS, items), strict=True)],
                "price": np.exp(rng.normal(3, 1, items)).round(2),
            }
        ),
        "judgement": pl.DataFrame(
            {
                "query": keys("q", query),
                "item": keys("i", item),
                "bm25": (2.2 * same + rng.gamma(2, 0.6, rows)).round(3),
                "good": good,
            }
        ),
    }  # fmt: skip
    return Made(
        frames,
        {
            "query": {"key": "query", "features": {"words": f.Text()}},
            "item": {"key": "item", "features": {"title": f.Text(), "price": f.Number()}},
        },
        {"judgement": {"entities": ("query", "item"), "features": {"bm25": f.Number()}}},
        {"fits": t.Binary("judgement.good")},
        "judgement",
        "good",
        rng,
    )


def visits(seed: int) -> Made:
    """Visits only: who comes again, how often; a few come very often, most once."""
    rng = np.random.default_rng(seed)
    users, rows, days = int(rng.integers(300, 2000)), int(rng.integers(3000, 12_000)), 75
    rate = rng.pareto(1.1, users) + 0.05
    user = rng.choice(users, rows, p=rate / rate.sum())
    time = when(rng, rows, days)
    frames = {
        "user": pl.DataFrame(
            {
                "user": keys("u", rng.permutation(users)),
                "past_year": rng.poisson(8 * rate / rate.mean()),  # visits of the year before
                "newsletter": rng.random(users) < chance(np.log(rate) - 1),
                "country": rng.choice(["de", "fr", "us"], users),
            }
        ).with_columns(pl.col("newsletter").cast(pl.String)),
    }
    frames["visit"] = pl.DataFrame(
        {
            "user": frames["user"]["user"].gather(pl.Series(user)),
            "at": time,
            "minutes": rng.gamma(2, 3, rows).round(1),
            "paid": np.where(rng.random(rows) < 0.1, np.exp(rng.normal(3, 1, rows)), 0).round(2),
        }
    )
    return Made(
        frames,
        {
            "user": {
                "key": "user",
                "features": {
                    "past_year": f.Number(scale="log"), "newsletter": f.Category(),
                    "country": f.Category(),
                },
            }
        },
        {"visit": {"entities": ("user",), "time": "at", "features": {"minutes": f.Number()}}},
        {
            "paid": t.Amount("visit.paid"),
            "churn": t.Binary(later.no("visit", of="user", within="7d", every="4d", active="28d")),
            "visits": t.Count(later.count("visit", of="user", within="7d", every="4d")),
        },
        "visit",
        "paid",
        rng,
        split=jr.ByTime(test_days=8, valid_days=12),
    )  # fmt: skip


KINDS: Mapping[str, Callable[[int], Made]] = {
    "impressions": impressions,
    "customers": customers,
    "orders": orders,
    "judgements": judgements,
    "visits": visits,
}


def clean_shop(number: int) -> tuple[str, Made]:
    """The shop of a number: its kind goes round, its seed is its own."""
    kind = list(KINDS)[number % len(KINDS)]
    made = KINDS[kind](1_000 + number)
    return f"{kind} {number}", made
