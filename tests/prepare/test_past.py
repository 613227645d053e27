"""What enters the history of an entity, when, as what, and which of it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import DAY, HOUR, NUM_USERS, random_rows, shop, tables

from jointrec import tasks as t
from jointrec.plan import plan
from jointrec.prepare.history import PastOf, past_of

KINDS = (
    "none",
    "impression·clicked",
    "impression·carted",
    "impression·bought",
    "purchase",
)
LAST = 10 * DAY


def past(rows: Mapping[str, Sequence[Mapping[str, Any]]], **tasks: t.Task) -> PastOf:
    project = shop(**tasks)
    return past_of(project, plan(project), tables(**rows), "user")


def slow(rows: Mapping[str, Sequence[Mapping[str, Any]]], user: int) -> list[tuple[int, ...]]:
    """Everything in the past of a user: time, kind, query, item; in order."""
    found = []
    for row in rows["impression"]:
        happened = [name for name in ("clicked", "carted", "bought") if row[name]]
        if row["user"] == user and happened:
            kind = KINDS.index(f"impression·{happened[-1]}")
            found.append((row["time"] + DAY, kind, row["query"], row["item"]))
    found += [
        (row["time"], KINDS.index("purchase"), 0, row["item"])
        for row in rows["purchase"]
        if row["user"] == user
    ]
    return sorted(found)


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), last=st.integers(1, 6))
def test_a_past_is_as_collected_row_by_row(seed: int, last: int) -> None:
    rows, generator = random_rows(seed, 25, LAST), np.random.default_rng(seed)
    found = past(rows)
    assert found.kinds == KINDS
    assert found.objects == ("query", "item")
    codes = generator.integers(0, NUM_USERS + 1, 20)
    moments = generator.integers(0, 12 * 24, 20) * HOUR
    start, stop = found.before(codes, moments, last)
    for row, (code, moment) in enumerate(zip(codes.tolist(), moments.tolist(), strict=True)):
        run = slice(start[row], stop[row])
        columns = (
            found.past.times, found.past.kinds, found.past.objects["query"],
            found.past.objects["item"],
        )  # fmt: skip
        seen = list(zip(*(column[run].tolist() for column in columns), strict=True))
        assert seen == [event for event in slow(rows, code) if code and event[0] < moment][-last:]


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_the_future_changes_it(seed: int) -> None:
    rows, generator = random_rows(seed, 25, LAST), np.random.default_rng(seed)
    moment = int(generator.integers(1, 10 * 24)) * HOUR
    stranger = random_rows(seed + 1, 25, LAST)
    other = {
        name: [
            *(row for row in rows[name] if row["time"] < moment),
            *({**row, "time": moment + row["time"]} for row in stranger[name]),
        ]
        for name in rows
    }
    for name in other:
        generator.shuffle(other[name])
    codes = np.arange(1, NUM_USERS + 1)
    one, two = past(rows), past(other)
    spans = [found.before(codes, np.full(len(codes), moment), 100) for found in (one, two)]
    for user in range(NUM_USERS):
        runs = [slice(start[user], stop[user]) for start, stop in spans]
        for column in ("times", "kinds"):
            np.testing.assert_array_equal(
                getattr(one.past, column)[runs[0]], getattr(two.past, column)[runs[1]]
            )
        for entity in one.objects:
            np.testing.assert_array_equal(
                one.past.objects[entity][runs[0]], two.past.objects[entity][runs[1]]
            )


@pytest.mark.parametrize(("moment", "there"), [(HOUR + DAY, 0), (HOUR + DAY + 1, 1)])
def test_an_outcome_enters_once_it_is_settled(moment: int, there: int) -> None:
    shown = {"user": 1, "query": 2, "item": 3, "time": HOUR, "clicked": 1.0, "bought": 1.0}
    start, stop = past({"impression": [shown]}).before(np.array([1]), np.array([moment]), 5)
    assert (stop - start).tolist() == [there]


def test_what_is_bought_without_a_cart_is_still_bought() -> None:
    shown = {"user": 1, "item": 3, "time": HOUR, "clicked": 0.0, "carted": 0.0, "bought": 1.0}
    found = past({"impression": [shown]})
    assert [found.kinds[kind] for kind in found.past.kinds] == ["impression·bought"]


def test_an_event_without_outcomes_enters_by_every_row_at_its_time() -> None:
    shown = [{"user": 1, "item": item, "time": HOUR} for item in (3, 0)]
    found = past({"impression": shown}, grade=t.Amount("judgement.grade"))
    assert found.kinds == ("none", "impression", "purchase")
    assert found.past.times.tolist() == [HOUR, HOUR]
    assert found.past.objects["item"].tolist() == [0, 3]


def test_who_never_acts_has_no_past() -> None:
    project = shop()
    found = past_of(project, plan(project), tables(**random_rows(0, 5, LAST)), "item")
    assert (found.kinds, len(found.past.times)) == (("none",), 0)
