"""How often candidates were chosen before a day began, against plain Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import DAY, HOUR, NUM_ITEMS, random_rows, shop, tables

from jointrec import later
from jointrec import tasks as t
from jointrec.plan import plan
from jointrec.prepare import Popularity
from jointrec.prepare.popularity import DAYS, popularity


def popular(rows: dict[str, list[dict[str, object]]], until: int) -> Popularity:
    project = shop(it=t.Retrieval(later.next("purchase.item", of="user")))
    purchase = replace(project.event["purchase"], returns="value")
    project = replace(project, event={**project.event, "purchase": purchase})
    return popularity(project, plan(project), tables(**rows), "it", until)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), num_rows=st.integers(1, 40))
def test_every_day_counts_what_was_chosen_before_it_began(seed: int, num_rows: int) -> None:
    rows = random_rows(seed, num_rows, 50 * DAY)
    rows["purchase"] += [{**row, "value": -1.0} for row in rows["purchase"][:3]]  # given back
    until = 50 * DAY + 1
    found = popular(rows, until)
    bought = [row for row in rows["purchase"] if row["value"] != -1.0]
    chosen = [(row["item"], row["time"]) for row in bought if row["item"]]
    first = min((time // DAY for _, time in chosen), default=50)
    assert found.first_day == first
    assert found.counts.shape == (51 - first, NUM_ITEMS + 1, len(DAYS))
    for day in range(first, 51):
        for code in range(NUM_ITEMS + 1):
            for number, window in enumerate(DAYS):
                count = sum(
                    item == code and (day - window) * DAY <= time < day * DAY
                    for item, time in chosen
                )
                expected = pytest.approx(np.log1p(count), rel=1e-6)
                assert found.counts[day - first, code, number] == expected


def test_a_catalogue_of_which_nothing_was_chosen_has_one_day_of_zeros() -> None:
    found = popular({"purchase": []}, 3 * DAY + HOUR)
    assert found.first_day == 3
    assert found.counts.tolist() == np.zeros((1, NUM_ITEMS + 1, 3)).tolist()
