"""A small shop with a timeline, read and prepared as any: the questions that baselines answer.

People buy until they leave for good; next to an item they buy its neighbour. Queries are judged
with items by the words that they share.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.evaluation.baselines import Question
from jointrec.evaluation.evaluate import question_of
from jointrec.labels import DAY, later
from jointrec.plan import plan
from jointrec.prepare import obtain
from jointrec.prepare.prepared import Prepared

USERS, ITEMS, QUERIES, DAYS = 80, 12, 30, 200
WORDS = ("red", "blue", "shirt", "shoe", "hat", "wool", "silk", "warm")


def lines(rng: np.random.Generator) -> pl.DataFrame:
    """Order lines: a user's rate and when they leave are drawn, the items go around a ring."""
    rows = []
    for user in range(USERS):
        day, item = rng.uniform(0, 100), int(rng.integers(ITEMS))
        rate, leaves = rng.gamma(2.0, 0.08), rng.beta(1.0, 6.0)
        while day < DAYS:
            rows.append((f"u{user}", f"i{item}", day, float(rng.integers(1, 4))))
            item = int(item + rng.integers(1, 3)) % ITEMS
            if rng.random() < leaves:
                break
            day += rng.exponential(1 / rate)
    user, item, day, pieces = zip(*rows, strict=True)
    at = ((np.array(day) + 19_723) * DAY).astype(np.int64)
    return pl.DataFrame(
        {"user": user, "item": item, "at": pl.Series(at).cast(pl.Datetime("us")), "pieces": pieces}
    )


def texts(rng: np.random.Generator, count: int, words: int) -> list[list[str]]:
    """Some words for each."""
    return [rng.choice(WORDS, words, replace=False).tolist() for _ in range(count)]


@cache
def shop() -> tuple[jr.Project, Prepared]:
    """The project, and what is prepared of it."""
    rng = np.random.default_rng(0)
    queries, titles = texts(rng, QUERIES, 2), texts(rng, ITEMS, 3)
    shared = [
        (f"q{n}", f"i{m}", len(set(query) & set(title)))
        for n, query in enumerate(queries)
        for m, title in enumerate(titles)
    ]
    query, item, grade = zip(*shared, strict=True)
    judged = pl.DataFrame(
        {"query": query, "item": item, "grade": grade, "good": [one > 0 for one in grade]}
    )
    words = {"words": f.Text()}
    entity = {
        "user": jr.Entity(
            pl.DataFrame({"user": [f"u{n}" for n in range(USERS)]}), key="user", id_floor=0
        ),
        "item": jr.Entity(
            pl.DataFrame({"item": [f"i{n}" for n in range(ITEMS)], "words": map(" ".join, titles)}),
            key="item",
            features=words,
            id_floor=0,
        ),
        "query": jr.Entity(
            pl.DataFrame(
                {"query": [f"q{n}" for n in range(QUERIES)], "words": map(" ".join, queries)}
            ),
            key="query",
            features=words,
            id_floor=0,
        ),
    }
    project = jr.Project(
        entity=entity,
        event={
            "line": jr.Event(lines(rng), entities=("user", "item"), time="at"),
            "judgement": jr.Event(judged, entities=("query", "item")),
        },
        tasks={
            "sold": t.Count(later.sum("line.pieces", of="item", within="7d", every="7d")),
            "month": t.Amount(later.sum("line.pieces", of="item", within="28d", every="7d")),
            "gone": t.Binary(later.no("line", of="user", within="14d", every="7d")),
            "back": t.Binary(later.any("line", of="user", within="14d", every="7d")),
            "next": t.Retrieval(later.next("line.item", of="user")),
            "grade": t.Ordinal("judgement.grade"),
            "good": t.Binary("judgement.good"),
        },
        split=jr.ByTime(test_days=49, valid_days=35),
    )
    planned = plan(project)
    return project, obtain(project, planned, None).prepared


def question(task: str) -> Question:
    """One of the tasks of the shop."""
    project, prepared = shop()
    grain = next(grain for grain in plan(project).grains if task in grain.tasks)
    return question_of(project, prepared, prepared.asked[grain.name], task)


TASKS = ("sold", "month", "gone", "back", "next", "grade", "good")
