"""Rows and labels of every grain against plain Python that walks over all events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import DAY, HOUR, NUM_USERS, random_rows, shop, tables

from jointrec import later
from jointrec import tasks as t
from jointrec.labels import Later, microseconds
from jointrec.plan import plan
from jointrec.prepare.joining import joined
from jointrec.prepare.labels import Label, Rows, label_of, nest, rows_of, snapshots
from jointrec.splits import Cuts

Shown = Mapping[str, Sequence[Mapping[str, Any]]]
LAST = 60 * DAY
seeds = st.integers(0, 10_000)


def asked(
    task: t.Task, rows: Shown, anchor: int | None = None, returns: str | None = None
) -> tuple[Rows, Label, int]:
    project, data = shop(it=task), tables(**rows)
    purchase = replace(project.event["purchase"], returns=returns)
    project = replace(project, event={**project.event, "purchase": purchase})
    grain = plan(project).grain_of("it")
    until = data.until or 0
    found = rows_of(project, grain, data, until if anchor is None else anchor, until)
    return found, label_of(project, "it", grain, found, data, until), until


class TestSnapshots:
    @given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 20), st.integers(-99, 99))
    def test_they_are_all_that_lie_in_the_data_and_align(
        self, first: int, length: int, every: int, anchor: int
    ) -> None:
        until = first + length
        expected = [m for m in range(first, until + 1) if (m - anchor) % every == 0]
        assert snapshots(first, until, every, anchor).tolist() == expected


class TestRows:
    def test_an_event_is_asked_row_by_row(self) -> None:
        rows = random_rows(1, 9, LAST)
        found, _, _ = asked(t.Binary("impression.clicked"), rows)
        for entity in ("user", "query", "item"):
            assert found.codes[entity].tolist() == [row[entity] for row in rows["impression"]]
        assert found.times is not None
        assert found.times.tolist() == [row["time"] for row in rows["impression"]]
        assert found.source.tolist() == list(range(9))

    def test_an_event_without_a_time_has_no_moments(self) -> None:
        rows = {"judgement": [{"query": 1, "item": 2, "grade": 3.0}, {"query": 2, "item": 0}]}
        found, label, _ = asked(t.Amount("judgement.grade"), rows)
        assert (found.times, label.known_at) == (None, None)
        assert found.codes["item"].tolist() == [2, 0]
        assert label.values.to_list() == [3.0, None]

    def test_an_entity_is_asked_once_where_its_label_is_a_column(self) -> None:
        found, label, _ = asked(t.Choice("user.plan"), {})
        assert found.codes["user"].tolist() == [1, 2, 3, 4]
        assert found.times is None
        assert found.source.tolist() == [0, 1, 2, 3]
        assert label.values.to_list() == ["free", "paid", None, "free"]

    @given(seeds, st.sampled_from([None, "3d", "30d"]), st.integers(0, 60))
    def test_snapshots_ask_about_those_who_were_seen(
        self, seed: int, active: str | None, anchor: int
    ) -> None:
        rows = random_rows(seed, 12, LAST)
        label = later.any("purchase", of="user", within="7d", active=active, every="5d")
        found, _, until = asked(t.Binary(label), rows, anchor * DAY)
        seen = [
            (row["user"], row["time"]) for table in rows.values() for row in table if row["user"]
        ]
        back = microseconds(active) if active else LAST
        first = min(row["time"] for table in rows.values() for row in table)
        expected = [
            (moment, user)
            for moment in snapshots(first, until, 5 * DAY, anchor * DAY).tolist()
            for user in range(1, NUM_USERS + 1)
            if any(who == user and moment - back <= when < moment for who, when in seen)
        ]
        assert found.times is not None
        assert (
            list(zip(found.times.tolist(), found.codes["user"].tolist(), strict=True)) == expected
        )
        assert (found.source + 1).tolist() == [user for _, user in expected]

    def test_nobody_is_asked_where_nothing_happened(self) -> None:
        found, label, _ = asked(t.Binary(later.any("purchase", of="user", within="7d")), {})
        assert found.times is not None
        assert (len(found.times), len(label.values)) == (0, 0)


def slow(label: Later, rows: Shown, codes: Mapping[str, int], moment: int, until: int) -> Any:
    """What a later label says of one row, event by event. None where unknown."""
    common = [name for name in codes if name in ("user", "item")]
    if any(codes[name] == 0 for name in common):
        return None
    events = [
        row
        for row in sorted(rows[label.event], key=lambda row: row["time"])
        if all(row[name] == codes[name] for name in common)
        and (row["time"] > moment if label.of == label.event else row["time"] >= moment)
    ]
    if label.verb != "sum":
        events = [row for row in events if not (row.get("back") and row["value"])]
    if label.verb == "next":
        code = events[0][label.column] if events else 0
        return float(code) if code else None
    assert label.within is not None
    end = moment + microseconds(label.within)
    if end > until:
        return None
    events = [row for row in events if row["time"] < end]
    return {
        "any": float(len(events) > 0),
        "no": float(len(events) == 0),
        "count": float(len(events)),
        "sum": math.fsum(math.prod(factors(label, row)) for row in events),
    }[label.verb]


def factors(label: Later, row: Mapping[str, Any]) -> list[float]:
    """The numbers whose product is summed of a row."""
    return [row[column] or 0.0 for column in label.factors]


LATER = {
    "any of impression": t.Binary(later.any("purchase", of="impression", within="24h")),
    "no of impression": t.Binary(later.no("purchase", of="impression", within="9d")),
    "sum of impression": t.Amount(later.sum("purchase.value", of="impression", within="20d")),
    "any of itself": t.Binary(later.any("purchase", of="purchase", within="30d")),
    "sum of itself": t.Amount(later.sum("purchase.value", of="purchase", within="30d")),
    "no of user": t.Binary(later.no("purchase", of="user", within="7d", active="20d")),
    "sum of user": t.Amount(later.sum("purchase.value", of="user", within="30d", every="3d")),
    "sum of products": t.Amount(
        later.sum("purchase.value * purchase.value", of="user", within="9d")
    ),
    "count of item": t.Count(later.count("purchase", of="item", within="7d")),
    "next of user": t.Retrieval(later.next("purchase.item", of="user", every="2d")),
}


@pytest.mark.parametrize("name", LATER)
@settings(max_examples=30)
@given(seed=seeds, returns=st.sampled_from([None, "value"]))
def test_later_labels_are_as_counted_one_by_one(name: str, seed: int, returns: str | None) -> None:
    rows = random_rows(seed, 15, LAST)
    # One moment for several rows, so that what is at the moment itself is tried.
    rows["purchase"] += [{**row, "value": 2.0} for row in rows["impression"][:5]]
    if returns:
        given_back = [{**row, "back": True} for row in rows["purchase"][::2]]
        rows["purchase"] += [
            {**r, "value": -r["value"] if r["value"] else None} for r in given_back
        ]
    found, label, until = asked(LATER[name], rows, returns=returns)
    declared = LATER[name].label
    assert isinstance(declared, Later)
    assert found.times is not None
    assert label.known_at is not None
    for row, value in enumerate(label.values.to_list()):
        codes = {entity: int(column[row]) for entity, column in found.codes.items()}
        moment = int(found.times[row])
        expected = slow(declared, rows, codes, moment, until)
        assert (value is None) == (expected is None)
        if value is not None:
            assert value == pytest.approx(expected, rel=1e-9, abs=0)
            if declared.within:
                assert label.known_at[row] == moment + microseconds(declared.within)
            else:
                assert moment <= label.known_at[row] < until


def labelled(task: t.Task, rows: Shown, cut: int) -> tuple[Rows, Label, Cuts, int]:
    """The rows of a task and their labels, where days from a cut on validate and nine later test.

    Beside them the cuts, and the end of the data.
    """
    project, data = shop(it=task), tables(**rows)
    until = data.until or 0
    data = replace(data, cuts=Cuts(cut * DAY, (cut + 9) * DAY))
    grain = plan(project).grain_of("it")
    found = rows_of(project, grain, data, until, until)
    return found, label_of(project, "it", grain, found, data, until), data.cuts, until


@given(seed=seeds, cut=st.integers(0, 60))
@settings(max_examples=30)
def test_until_is_followed_to_the_end_of_its_own_part(seed: int, cut: int) -> None:
    """Event by event: days to the first, or below 0 the days without one, to the cut at most."""
    rows, window = random_rows(seed, 15, LAST), 20 * DAY
    task = t.Survival(later.until("purchase", of="user", within="20d", every="5d"))
    found, label, cuts, until = labelled(task, rows, cut)
    for code, moment, value, settled in zip(
        found.codes["user"], found.times, label.values.to_list(), label.known_at, strict=True
    ):
        part_ends = [end for end in (cuts.valid, cuts.test, until) if moment < end] or [until]
        end = min(part_ends[0], moment + window)
        times = [r["time"] for r in rows["purchase"] if r["user"] == code]
        first = min((time for time in times if moment <= time < end), default=None)
        if first is not None:
            assert value == pytest.approx((first - moment) / DAY)
            assert settled == first
        elif end > moment:
            assert value == pytest.approx(-(end - moment) / DAY)
            assert settled == end
        else:
            assert value is None


@pytest.mark.parametrize("of", ["user", "impression", "purchase"])
@settings(max_examples=20)
@given(seed=seeds, cut=st.integers(0, 60))
def test_steps_are_those_at_and_after_the_moment_that_settled_in_time(
    of: str, seed: int, cut: int
) -> None:
    """Event by event: the next three things shown, as far as each was settled by the cut."""
    rows = random_rows(seed, 30, LAST)
    # Some at the very moment of a row, so that what is at the moment itself is tried.
    rows["purchase"] += rows["impression"][:5]
    every = {"every": "5d"} if of == "user" else {}
    task = t.Sequence(later.steps("impression.clicked", of=of, first=3, **every))
    found, label, cuts, until = labelled(task, rows, cut)
    assert found.times is not None
    assert label.known_at is not None
    for row, steps in enumerate(label.values.to_list()):
        moment = int(found.times[row])
        end = next((e for e in (cuts.valid, cuts.test, until) if moment < e), until)
        common = [name for name in found.codes if of != "purchase" or name != "query"]
        codes = {name: int(found.codes[name][row]) for name in common}
        events = [
            event
            for event in sorted(rows["impression"], key=lambda event: event["time"])
            if all(event[name] == code and code for name, code in codes.items())
            and (event["time"] > moment if of == "impression" else event["time"] >= moment)
        ][:3]
        told = [e["clicked"] if e["time"] + DAY <= end else None for e in events]
        told += [None] * (3 - len(told))
        assert steps == (None if told == [None] * 3 else told)
        settled = [
            event["time"] + DAY
            for event, cell in zip(events, told, strict=False)
            if cell is not None
        ]
        assert label.known_at[row] == max(settled, default=end)


@given(seed=seeds)
def test_next_is_asked_just_before_each_event(seed: int) -> None:
    rows = random_rows(seed, 9, LAST)
    rows["purchase"] += [{**row, "value": -1.0} for row in rows["purchase"][:3]]
    task = t.Retrieval(later.next("purchase.item", of="user"))
    found, label, _ = asked(task, rows, returns="value")
    expected = [row for row in rows["purchase"] if row["user"] and row["value"] != -1.0]
    assert found.times is not None
    assert found.times.tolist() == [row["time"] for row in expected]
    assert found.codes["user"].tolist() == [row["user"] for row in expected]
    assert label.values.to_list() == [row["item"] or None for row in expected]
    assert label.known_at is not None
    assert label.known_at.tolist() == found.times.tolist()


def test_what_is_bought_and_given_back_is_nothing_at_all() -> None:
    """0.1 + 0.2 − 0.3 is not 0 in float64, and an amount above 0 would have been spent."""
    rows = {
        "impression": [{"user": 1, "item": 1, "time": n * HOUR} for n in (1, 2 * 24 * 9)],
        "purchase": [
            {"user": 1, "item": 1, "time": (n + 2) * HOUR, "value": value}
            for n, value in enumerate([0.1, 0.2, -0.3])
        ],
    }
    label = later.sum("purchase.value", of="impression", within="9d")
    _, found, _ = asked(t.Amount(label), rows)
    assert found.values.to_list() == [0.0, None]


def test_a_column_of_an_event_is_settled_when_it_has_matured() -> None:
    rows = {"impression": [{"user": 1, "item": 1, "time": 5 * HOUR, "clicked": 1.0}]}
    _, label, _ = asked(t.Binary("impression.clicked"), rows)
    assert label.known_at is not None
    assert label.known_at.tolist() == [5 * HOUR + DAY]
    assert label.values.to_list() == [1.0]


def test_many_shared_entities_still_make_one_key() -> None:
    """Four entities of a million each: their codes multiplied would not fit into an int64."""
    generator = np.random.default_rng(0)
    events = [generator.integers(1, 2**21, 200) for _ in range(4)]
    rows = [column[::2].copy() for column in events]
    rows[3][:10] += 1
    rows[0][10:20] = 0
    frame = pl.DataFrame({f"@{name}": column for name, column in zip("abcd", events, strict=True)})
    keys, asked_keys = joined(frame, dict(zip("abcd", rows, strict=True)), "abcd")
    assert len(np.unique(keys)) == 200
    np.testing.assert_array_equal(asked_keys[20:], keys[::2][20:])
    assert not np.isin(asked_keys[:20], keys).any()


class TestNest:
    @staticmethod
    def nested(**labels: list[float]) -> tuple[dict[str, list[float]], dict[str, int]]:
        project = shop()
        grain = plan(project).grain_of("click")
        arrays = {name: np.array(values, dtype=float) for name, values in labels.items()}
        found, findings = nest(arrays, project, grain)
        assert {finding.code for finding in findings} <= {"funnel_order"}
        return (
            {name: values.tolist() for name, values in found.items()},
            {finding.at: finding.count for finding in findings},
        )

    def test_who_bought_has_clicked(self) -> None:
        labels, found = self.nested(buy=[1, 0, 0], cart=[0, 1, 0], click=[0, 0, 0])
        assert labels == {"buy": [1, 0, 0], "cart": [1, 1, 0], "click": [1, 1, 0]}
        assert found == {"tasks.cart": 1, "tasks.click": 2}

    def test_nested_labels_stay_as_they_are(self) -> None:
        labels, found = self.nested(buy=[0, 1], cart=[0, 1], click=[1, 1])
        assert labels == {"buy": [0, 1], "cart": [0, 1], "click": [1, 1]}
        assert found == {}

    def test_the_unknown_stays_unknown(self) -> None:
        labels, found = self.nested(buy=[1, math.nan], cart=[math.nan, 0], click=[0, math.nan])
        np.testing.assert_equal(
            labels, {"buy": [1, math.nan], "cart": [math.nan, 0], "click": [1, math.nan]}
        )
        assert found == {"tasks.click": 1}

    def test_an_amount_says_that_it_happened(self) -> None:
        project = shop(
            click=t.Binary("impression.clicked"),
            revenue=t.Amount("impression.value", after="click"),
        )
        grain = plan(project).grain_of("click")
        labels, _ = nest(
            {"click": np.zeros(3), "revenue": np.array([0.0, 2.5, math.nan])}, project, grain
        )
        assert labels["click"].tolist() == [0, 1, 0]

    def test_what_was_given_is_not_changed(self) -> None:
        project = shop()
        given_labels = {
            name: np.array([value])
            for name, value in {"buy": 1.0, "cart": 0.0, "click": 0.0}.items()
        }
        nest(given_labels, project, plan(project).grain_of("click"))
        assert given_labels["click"].tolist() == [0.0]
