"""Who is new is shown what is popular among their like; what is new is ranked by what it is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.labels import later

DAY = 86_400_000_000
START = 1_700_006_400_000_000
USERS, ITEMS, DAYS = 1500, 24, 60
NORTH = [f"i{n}" for n in range(12)]
"""What the north buys, the first most; the south buys the others."""


def tables() -> dict[str, pl.DataFrame]:
    """Half of the users live in the north; each buys what is popular there, and is soon gone."""
    rng = np.random.default_rng(0)
    country = rng.integers(0, 2, USERS)
    popular = 1 / np.arange(1, 13)
    popular /= popular.sum()
    bought = [
        {
            "user": f"u{user}",
            "item": f"i{int(12 * country[user] + rng.choice(12, p=popular))}",
            "at": START + int(rng.integers(0, DAYS * DAY)),
        }
        for user in range(USERS)
        for _ in range(3)
    ]
    shown = []
    for user in range(USERS):
        for _ in range(3):
            at = START + int(rng.integers(0, DAYS * DAY))
            for item in rng.choice(ITEMS, 5, replace=False):
                like = (item < 12) == (country[user] == 0)
                row = {"user": f"u{user}", "item": f"i{item}", "at": at}
                shown.append(
                    {**row, "clicked": int(like and rng.random() < 3 * popular[item % 12])}
                )
    return {
        "users": pl.DataFrame(
            {
                "user": [*(f"u{n}" for n in range(USERS)), "newcomer"],
                "country": [*("north" if c == 0 else "south" for c in country), "north"],
            }
        ),
        "items": pl.DataFrame(
            {
                "item": [f"i{n}" for n in range(ITEMS)],
                "brand": ["fir" if n < 12 else "palm" for n in range(ITEMS)],
            }
        ),
        "bought": pl.DataFrame(bought).with_columns(pl.col("at").cast(pl.Datetime("us"))),
        "shown": pl.DataFrame(shown).with_columns(pl.col("at").cast(pl.Datetime("us"))),
    }


@pytest.fixture(scope="module")
def model() -> jr.Model:
    found = tables()
    project = jr.Project(
        entity={
            "user": jr.Entity(found["users"], key="user", features={"country": f.Category()}),
            "item": jr.Entity(found["items"], key="item", features={"brand": f.Category()}),
        },
        event={
            "bought": jr.Event(found["bought"], entities=("user", "item"), time="at"),
            "shown": jr.Event(found["shown"], entities=("user", "item"), time="at"),
        },
        tasks={
            "click": t.Binary("shown.clicked"),
            "next": t.Retrieval(later.next("bought.item", of="user")),
        },
        sharing=jr.sharing.SharedBottom(widths=(32, 16)),
        optimizer=jr.optimizers.AdamW(lr=0.01),
        budget=jr.Budget(epochs=6, rows=512, patience=3),
    )
    return jr.fit(project, compare=jr.Compare(alone=False, baselines=(), rounds=10))


@pytest.mark.parametrize("task", ["next", "click"])
@pytest.mark.parametrize(
    ("who", "south"),
    [("newcomer", False), ({"country": "north"}, False), ({"country": "south"}, True)],
)
def test_a_newcomer_sees_what_is_popular_among_their_like(model, task, who, south) -> None:
    """In the table without any event, or in no table at all."""
    best = model.recommend(user=who, k=5, rank_by={task: 1.0})["item"].to_list()
    liked = {f"i{n}" for n in range(12, 24)} if south else set(NORTH)
    assert len(set(best) & liked) >= 4
    # The two that sell most there are among them.
    first = {"i12", "i13"} if south else {"i0", "i1"}
    assert set(best) & first


def test_nobody_at_all_sees_what_is_popular(model) -> None:
    best = model.recommend(user="somebody", k=4, rank_by={"next": 1.0})["item"].to_list()
    assert len(set(best) & {"i0", "i1", "i2", "i12", "i13", "i14"}) >= 3


def test_a_new_thing_is_ranked_by_what_it_is(model) -> None:
    """Something in no table, told by its brand, is liked where its brand is."""
    new = [{"brand": "fir"}, {"brand": "palm"}]
    for country, better in (("north", 0), ("south", 1)):
        said = model.predict("click", user={"country": country}, item=new)["answer"].to_list()
        assert said[better] > 1.5 * said[1 - better]


def test_the_report_tells_newcomers_apart(model) -> None:
    for task in ("click", "next"):
        slices = model.report.tasks[task].slices
        assert set(slices) == {"user", "item"}
        assert sum(one.rows for one in slices["user"].values()) == model.report.tasks[task].rows
