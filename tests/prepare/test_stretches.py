"""Where there could be no answer, there is none: never a no, never a 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jointrec as jr
from jointrec import later
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.labels import DAY
from jointrec.plan import plan
from jointrec.prepare import Tables, load
from jointrec.prepare.labels import label_of, rows_of
from jointrec.prepare.stretches import FOREVER, barred

START = np.datetime64("2024-01-01")
DAYS = 70


def day(number: int) -> str:
    return str(START + number)


def sold(item: str) -> pl.DataFrame:
    return pl.DataFrame({"item": [item] * DAYS, "at": [day(n) for n in range(DAYS)], "pieces": 2})


GONE = pl.DataFrame(
    {
        "item": ["a", "a", "b"],
        "day": [day(20), day(30), day(60)],
        "back": [day(23), day(30), None],
    }
)
"""`a` cannot be sold for three days, later for none; `b` not any more from day 60 on."""


def shop(*, ends: str | None = "back", unless: str | None = "gone") -> jr.Project:
    lines = pl.concat([sold("a"), sold("b"), sold("c")])
    asked = {"of": "item", "within": "7d", "unless": unless}
    return jr.Project(
        entity={"item": jr.Entity(pl.DataFrame({"item": ["a", "b", "c"]}), key="item")},
        event={
            "line": jr.Event(lines, entities=("item",), time="at"),
            "gone": jr.Event(GONE, entities=("item",), time="day", ends=ends, ahead="28d"),
        },
        tasks={
            "sales": t.Count(later.sum("line.pieces", **asked)),
            "none": t.Binary(later.no("line", **asked)),
        },
        split=jr.ByTime(test_days=14, valid_days=14),
    )


def unknown(project: jr.Project, task: str = "sales") -> dict[str, list[int]]:
    """For each item the days on which the label is unknown, although the data hold its window."""
    tables = load(project, Path())
    (grain,) = plan(project).grains
    until = tables.until or 0
    rows = rows_of(project, grain, tables, tables.cuts.test or 0, until)
    label = label_of(project, task, grain, rows, tables, until)
    assert rows.times is not None
    days = (rows.times - START.astype("datetime64[us]").astype(np.int64)) // DAY
    odd = label.values.is_null().to_numpy() & (rows.times + 7 * DAY <= until)
    names = np.array(["?", *tables.entities["item"]["item"]])
    return {
        str(name): days[odd & (rows.codes["item"] == code)].tolist()
        for code, name in enumerate(names)
        if code
    }


@pytest.mark.parametrize("task", ["sales", "none"])
def test_a_window_that_a_stretch_reaches_into_is_unknown(task: str) -> None:
    """Asked every seven days: 21 days before the test are day 35, and so on."""
    found = unknown(shop(), task)
    assert found == {"a": [14, 21, 28], "b": [56], "c": []}
    assert unknown(shop(unless=None), task) == {"a": [], "b": [], "c": []}


def test_without_an_end_a_stretch_is_a_day() -> None:
    assert unknown(shop(ends=None)) == {"a": [14, 28], "b": [56], "c": []}


def test_all_horizons_are_unknown_where_a_stretch_is_in_them() -> None:
    project = shop()
    weeks = later.sum("line.pieces", of="item", within=["7d", "14d"], unless="gone")
    project = replace(project, tasks={"sales": t.Count(weeks)})
    assert unknown(project, "sales_7d")["a"] == [14, 21, 28]
    assert unknown(project, "sales_14d")["a"] == [7, 14, 21, 28, 56]  # and where the data end
    assert jr.parse(weeks_toml()).tasks["sales_14d"].label == project.tasks["sales_14d"].label


def weeks_toml() -> str:
    return """
    entity.item = { source = "items.csv", key = "item" }
    event.line = { source = "lines.csv", entities = ["item"], time = "at" }
    event.gone = { source = "gone.csv", entities = ["item"], time = "day", ends = "back" }
    [tasks.sales]
    kind = "Count"
    label = { sum = "line.pieces", of = "item", within = ["7d", "14d"], unless = "gone" }
    """


stretch = st.tuples(st.integers(1, 3), st.integers(0, 40), st.none() | st.integers(-2, 12))


@settings(max_examples=40)
@given(st.lists(stretch, max_size=8), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 45))))
def test_barred_is_what_the_slow_way_says(
    stretches: list[tuple[int, int, int | None]], asked: list[tuple[int, int]]
) -> None:
    project, window = shop(), 5
    frame = pl.DataFrame(
        {
            "@item": [item for item, _, _ in stretches],
            "@time": [begun for _, begun, _ in stretches],
            "back": [None if lasts is None else begun + lasts for _, begun, lasts in stretches],
        },
        schema={"@item": pl.Int64, "@time": pl.Int64, "back": pl.Int64},
    )
    codes, begin = (np.array([row[n] for row in asked], dtype=np.int64) for n in (0, 1))
    tables = Tables({}, {"gone": frame}, (), {}, {}, None, None, jr.splits.base.Cuts(None, None))
    found = barred(project, "gone", {"item": codes}, begin, begin + window, tables)
    for (item, moment), one in zip(asked, found, strict=True):
        slow = any(
            item == other
            and begun < moment + window
            and moment < (FOREVER if lasts is None else max(begun + lasts, begun + 1))
            for other, begun, lasts in stretches
        )
        assert one == slow


@pytest.mark.parametrize(
    ("label", "told"),
    [
        (later.sum("line.pieces", of="item", within="7d", unless="gon"), "Did you mean `gone`"),
        (later.sum("line.pieces", of="item", within="7d", unless="judged"), "has no `time`"),
        (later.sum("line.pieces", of="item", within="7d", unless="closed"), "says nothing of"),
    ],
)
def test_what_is_wrong_with_unless_is_said(label: jr.labels.Later, told: str) -> None:
    project = shop()
    closed = jr.Event(GONE, entities=("shop",), time="day")
    project = replace(
        project,
        entity={**project.entity, "shop": jr.Entity(GONE, key="item")},
        event={**project.event, "judged": jr.Event(GONE, entities=("item",)), "closed": closed},
        tasks={"sales": t.Count(label)},
    )
    with pytest.raises(ProjectError, match=told):
        plan(project)


def test_what_has_no_window_is_never_barred() -> None:
    wait = jr.labels.Later("until", "line", "item", "7d", unless="gone")
    with pytest.raises(ProjectError, match="no window that could be unknown"):
        plan(replace(shop(), tasks={"wait": t.Survival(wait)}))
