"""Leaks to plant in clean shops: each says which codes would have found it, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
from shop_parts import DAY, Made

import jointrec as jr
from jointrec import features as f

Planting = Callable[[Made], None]


def filled_after(made: Made) -> None:
    """Filled in by those who handle what happened: only in rows with yes, and not in all."""
    yes, rng = made.labels() > 0, made.rng
    days = rng.integers(1, 9, len(yes)).astype(float)
    made.add(
        "handled_days", np.where(yes & (rng.random(len(yes)) < 0.85), days, np.nan), f.Number()
    )


def copied_as_text(made: Made) -> None:
    """The answer under another name, as text."""
    yes = made.labels() > 0
    made.add("status", [("closed" if one else "open") for one in yes], f.Category())


def said_in_text(made: Made) -> None:
    """The answer in a note in free words."""
    yes, words = made.labels() > 0, ["all well so far", "asked about sizes", "no remark"]
    made.add(
        "remark",
        [("done and refunded " if one else "") + words[n % 3] for n, one in enumerate(yes)],
        f.Text(),
    )


def negated_and_noised(made: Made) -> None:
    """The answer turned round, with noise upon it."""
    yes, rng = made.labels() > 0, made.rng
    made.add("score_b", 1 - yes + rng.normal(0, 0.25, len(yes)), f.Number())


def banded_amount(made: Made) -> None:
    """The amount to be told, cut into bands."""
    column = {"order": "value", "customer": "spent", "visit": "paid"}[made.main]
    amounts = made.frames[made.main][column].to_numpy()
    edges = np.quantile(amounts[amounts > 0], [0.25, 0.5, 0.75])
    bands = np.digitize(amounts, [0.001, *edges])
    made.add(
        "tier", [("none", "bronze", "silver", "gold", "platinum")[b] for b in bands], f.Category()
    )


def bent_amount(made: Made) -> None:
    """The amount to be told, by a curve that keeps its order."""
    column = {"order": "value", "customer": "spent", "visit": "paid"}[made.main]
    amounts = made.frames[made.main][column].to_numpy()
    made.add("points", np.round(100 * np.sqrt(amounts) + 3), f.Number())


def counting_id(made: Made) -> None:
    """Numbers given out in order of time, as a feature."""
    frame = made.frames[made.main]
    time = made.events[made.main]["time"]
    order = np.argsort(np.argsort(frame[time].cast(pl.Int64).to_numpy(), kind="stable"))
    made.add("serial", [f"S-{7_000_000 + 3 * n}" for n in order], f.Category())


def telling_id(made: Made) -> None:
    """Ids whose last digit is even where it happened."""
    yes, rng = made.labels() > 0, made.rng
    numbers = rng.permutation(len(yes)) * 2 + 1_000_000 + ~yes
    made.add("ticket", [f"T{n}" for n in numbers], f.Category())


def prefixed_id(made: Made) -> None:
    """Ids that begin otherwise where it happened."""
    yes, rng = made.labels() > 0, made.rng
    numbers = rng.permutation(len(yes)) + 100_000
    made.add("file", [f"{'RX' if one else 'AB'}{n}" for n, one in zip(numbers, yes, strict=True)],
             f.Category())  # fmt: skip


def hasty(made: Made) -> None:
    """Outcomes that settle in days are said to be settled at once."""
    made.events[made.main]["matures"] = {"order": "1d", "impression": "5m"}[made.main]


def booked_early(made: Made) -> None:
    """What follows a yes is booked some seconds before the row itself."""
    yes, frame, rng = made.labels() > 0, made.frames[made.main], made.rng
    time = made.events[made.main]["time"]
    rows = frame.filter(pl.Series(yes & (rng.random(len(yes)) < 0.8)))
    early = rng.integers(500_000, 20_000_000, len(rows))
    names = list(made.events[made.main]["entities"])
    made.frames["booking"] = rows.select(
        *names,
        pl.Series("at", rows[time].cast(pl.Int64).to_numpy() - early).cast(pl.Datetime("us")),
    )
    made.events["booking"] = {"entities": tuple(names), "time": "at"}


def cut_requests(made: Made) -> None:
    """Rows of one request are split by what they show."""
    made.events[made.main]["entities"] = made.events[made.main]["entities"][::-1]
    made.split = jr.ByEntity()
    made.tasks = {"click": made.tasks["click"]}


def copied_rows(made: Made) -> None:
    """A quarter of the rows once more, under new keys."""
    frame, rng = made.frames[made.main], made.rng
    again = frame.sample(fraction=0.25, seed=1)
    made.frames[made.main] = pl.concat(
        [frame, again.with_columns(pl.Series("customer", [f"n{n}" for n in range(len(again))]))]
    ).sample(fraction=1.0, shuffle=True, seed=int(rng.integers(1000)))


def backfilled(made: Made) -> None:
    """Corrected by hand for the older rows once the answer was known; later rows are guesses."""
    yes, rng = made.labels() > 0, made.rng
    frame, time = made.frames[made.main], made.events[made.main]["time"]
    at = frame[time].cast(pl.Int64).to_numpy()
    cut = at.max() // DAY * DAY - (made.split.test_days + made.split.valid_days - 1) * DAY
    good = rng.random(len(yes)) < np.where(at < cut, 0.88, 0.5)
    made.add("segment", np.where(good, yes, ~yes).astype(float), f.Number())


def total_sales(made: Made) -> None:
    """Sums over the whole period, as the shop's own page shows them on the day of export."""
    event = (
        "purchase" if "purchase" in made.frames else "order" if "order" in made.frames else "visit"
    )
    entity = "item" if event == "purchase" else "user"
    counts = made.frames[event].group_by(entity).len("total")
    table = made.frames[entity].join(counts, on=entity, how="left", maintain_order="left")
    made.frames[entity] = table.with_columns(pl.col("total").fill_null(0).cast(pl.Float64))
    made.entities[entity]["features"]["total"] = f.Number(scale="log")


def ever_bought(made: Made) -> None:
    """Whether somebody ever bought, as on the day of export."""
    event, entity = ("purchase", "item") if "purchase" in made.frames else ("return", "user")
    ever = made.frames[entity][entity].is_in(made.frames[event][entity].implode())
    made.frames[entity] = made.frames[entity].with_columns(
        pl.when(ever).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("ever")
    )
    made.entities[entity]["features"]["ever"] = f.Category()


def click_rate(made: Made) -> None:
    """How often what is shown of a thing is clicked, over all days."""
    entity = {"impression": "item", "order": "user"}[made.main]
    rates = made.frames[made.main].group_by(entity).agg(pl.col(made.answer).mean().alias("rate"))
    made.frames[entity] = made.frames[entity].join(
        rates, on=entity, how="left", maintain_order="left"
    )
    made.entities[entity]["features"]["rate"] = f.Number()


def last_seen(made: Made) -> None:
    """The last time that somebody was there, as on the day of export."""
    time = made.events[made.main]["time"]
    last = made.frames[made.main].group_by("user").agg(pl.col(time).max().alias("last_seen"))
    made.frames["user"] = made.frames["user"].join(
        last, on="user", how="left", maintain_order="left"
    )
    made.entities["user"]["features"]["last_seen"] = f.Time()


def sorted_rows(made: Made) -> None:
    """The table is sorted by the answer."""
    made.frames[made.main] = made.frames[made.main].sort(made.answer, maintain_order=True)


PLANTED: Mapping[str, tuple[Planting, tuple[str, ...], str | None, tuple[str, ...]]] = {
    # name: (how, codes, column, kinds of shops)
    "filled after": (filled_after, ("after_outcome",), "handled_days",
                     ("orders", "customers", "impressions", "judgements")),
    "copied as text": (copied_as_text, ("tells_answer",), "status",
                       ("impressions", "customers", "orders", "judgements")),
    "said in text": (said_in_text, ("tells_answer",), "remark", ("customers", "orders")),
    "negated and noised": (negated_and_noised, ("tells_answer",), "score_b",
                           ("judgements", "orders", "customers", "impressions")),
    "banded amount": (banded_amount, ("tells_answer",), "tier", ("orders", "customers", "visits")),
    "bent amount": (bent_amount, ("tells_answer",), "points", ("visits", "orders", "customers")),
    "counting id": (counting_id, ("id_tells_time",), "serial", ("visits", "orders", "impressions")),
    "telling id": (telling_id, ("id_tells_answer",), "ticket",
                   ("orders", "customers", "impressions", "judgements")),
    "prefixed id": (prefixed_id, ("id_tells_answer", "tells_answer"), "file",
                    ("customers", "orders", "judgements")),
    "hasty": (hasty, ("matures_too_short",), None, ("orders", "impressions")),
    "booked early": (booked_early, ("event_before_outcome",), None, ("impressions", "orders")),
    "cut requests": (cut_requests, ("request_on_both_sides",), "request", ("impressions",)),
    "copied rows": (copied_rows, ("duplicates_on_both_sides",), None, ("customers",)),
    "backfilled": (backfilled, ("falls_apart",), "segment", ("orders", "impressions")),
    "total sales": (total_sales, ("future_aggregate",), "total",
                    ("impressions", "orders", "visits")),
    "ever bought": (ever_bought, ("future_aggregate",), "ever", ("impressions", "orders")),
    "click rate": (click_rate, ("future_aggregate",), "rate", ("impressions", "orders")),
    "last seen": (last_seen, ("later_than_moment",), "last_seen",
                  ("visits", "orders", "impressions")),
    "sorted rows": (sorted_rows, ("row_order",), None, ("customers", "judgements")),
}  # fmt: skip

TWELVE = (
    "filled after", "copied as text", "negated and noised", "banded amount", "counting id",
    "telling id", "hasty", "booked early", "cut requests", "backfilled", "total sales",
    "sorted rows",
)  # fmt: skip
"""One of each kind, for the test that runs every time."""

__all__ = ["PLANTED", "TWELVE", "Planting"]
