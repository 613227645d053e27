"""The plan in numbers, and what is wrong with the data, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import simulated_shop

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.errors import DataError, ProjectError, SourceError
from jointrec.prepare.check import check, findings_frame, source_problems

DAYS = 60
START = datetime(2024, 3, 1)
USERS = pl.DataFrame({"user": ["a", "b", "c"], "loyal": [1, 0, 1], "gone": [None, None, 1]})
VISITS = pl.DataFrame(
    {
        "user": ["a", "b", "c"] * (DAYS // 3),
        "at": pl.datetime_range(
            START, START.replace(day=1, month=4, hour=0), "1d", eager=True, closed="left"
        ).append(pl.datetime_range(datetime(2024, 4, 1), datetime(2024, 4, 29), "1d", eager=True)),
        "bought": [0, 1, 0, 0] * (DAYS // 4),
        "never": [0] * DAYS,
        "unknown": [None] * DAYS,
        "paid": [1.0, -2.0, 3.0] * (DAYS // 3),
    },
    schema_overrides={"unknown": pl.Float64},
)


def project(**changes: Any) -> jr.Project:
    whole = jr.Project(
        entity={"user": jr.Entity(USERS, key="user")},
        event={"visit": jr.Event(VISITS, ("user",), time="at")},
        tasks={"buy": t.Binary("visit.bought")},
    )
    return replace(whole, **changes)


def told(shop: jr.Project, root: Path | None = None) -> str:
    with pytest.raises((DataError, SourceError, ProjectError)) as caught:
        check(shop, root)
    return str(caught.value)


def test_the_plan_in_numbers():
    checked = check(project())
    (grain,) = checked.grains
    assert (grain.grain.name, grain.rows) == ("visit", DAYS)
    assert grain.first == START.replace(tzinfo=UTC)
    assert grain.last == datetime(2024, 4, 29, tzinfo=UTC)
    assert checked.cuts == (datetime(2024, 4, 9, tzinfo=UTC), datetime(2024, 4, 16, tzinfo=UTC))
    buy = grain.tasks["buy"]
    assert (buy.kind, buy.label) == ("Binary", "visit.bought")
    assert buy.known == (39, 7, 14)
    assert buy.positives == sum([0, 1, 0, 0][n % 4] for n in range(39))
    assert (checked.rows_in, checked.quarantined) == ({"user": 3, "visit": DAYS}, {})


def test_positives_mean_nothing_for_names():
    (grain,) = check(project(tasks={"who": t.Choice("visit.user")})).grains
    assert grain.tasks["who"].positives is None


WRONG: Mapping[str, tuple[dict[str, t.Task], str]] = {
    "one class only": (
        {"x": t.Binary("visit.never")},
        "tasks.x.label: all 39 known training labels are 0. Binary needs at least two different "
        "answers to learn from. Check the column, or leave the task out.",
    ),
    "no value at all": (
        {"x": t.Binary("visit.unknown")},
        "tasks.x.label: every value of `visit.unknown` is missing, so there is nothing to learn. "
        "Check the column, or leave the task out.",
    ),
    "a window longer than the data": (
        {"x": t.Binary(later.any("visit", of="user", within="90d"))},
        'tasks.x.label: within = "90d" is longer than the data allow. They span 59.0 days, so no '
        "label is ever known. Shorten `within`.",
    ),
    "a window that leaves none to train on": (
        {"x": t.Binary(later.any("visit", of="user", within="50d", every="1d"))},
        "tasks.x: no label is known in time to train on: before the validation cut, where time "
        "cuts. Shorten the label's window, or let `split` leave more to training.",
    ),
    "no rows left": (
        {"x": t.Binary(later.any("visit", of="user", within="7d", active="1s", every="1d"))},
        "tasks.x: no rows are left to ask (user every 1d, active 1s). Check `where`, `active` and "
        "that the keys of the tables match.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_learned(name: str):
    tasks, message = WRONG[name]
    assert told(project(tasks=tasks)) == message


def test_everything_that_cannot_be_learned_is_told_at_once():
    names = ["one class only", "no value at all", "a window longer than the data", "no rows left"]
    tasks = {f"x{n}": WRONG[name][0]["x"] for n, name in enumerate(names)}
    lines = told(project(tasks=tasks)).splitlines()
    assert lines[0] == "The data: 4 problems."
    for n, name in enumerate(names):
        message = WRONG[name][1].replace("tasks.x", f"tasks.x{n}")
        assert any(line.endswith(message) for line in lines)


def test_data_too_short_to_be_cut():
    assert told(project(split=jr.ByTime(test_days=50, valid_days=20))) == (
        "split: 50 days of test and 20 of validation leave none to train on. The data run from "
        "2024-03-01 00:00 to 2024-04-29 00:00 (UTC): 60 calendar days. Lower them: test_days = 12, "
        "valid_days = 6."
    )


def test_labels_that_a_task_cannot_learn_are_findings():
    checked = check(project(tasks={"paid": t.Amount("visit.paid")}))
    (finding,) = checked.findings
    assert str(finding) == (
        "tasks.paid: labels that Amount cannot learn or never saw in training. "
        "20 made unknown, such as `-2.0`."
    )
    frame = findings_frame(checked.findings)
    assert frame.row(0, named=True) == {
        "code": "unusable_label", "at": "tasks.paid", "column": None, "count": 20,
        "action": "made unknown", "examples": "-2.0",
        "text": "labels that Amount cannot learn or never saw in training.",
    }  # fmt: skip
    assert findings_frame(()).shape == (0, 7)


def test_sums_below_zero_are_zero():
    tasks = {
        "spent": t.Amount(later.sum("visit.paid", of="user", within="7d")),
        "net": t.Count(later.sum("visit.paid", of="user", within="1d")),
    }
    found = {finding.at: finding for finding in check(project(tasks=tasks)).findings}
    assert set(found) <= {"tasks.spent", "tasks.net"}
    assert str(found["tasks.net"]).startswith(
        "tasks.net: sums below 0, as more is given back than is bought."
    )
    assert {finding.code for finding in found.values()} == {"net_return"}


def test_files_and_columns_that_are_missing_are_told_at_once(tmp_path: Path):
    USERS.select("user", "loyal").write_csv(tmp_path / "users.csv")
    VISITS.write_parquet(tmp_path / "visits.parquet")
    (tmp_path / "empty.csv").write_bytes(b"")
    shop = jr.Project(
        entity={"user": jr.Entity("users.csv", key="user_id", features={"loyl": f.Category()})},
        event={
            "visit": jr.Event("visits.parquet", ("user",), keys={"user": "user"}, time="att"),
            "view": jr.Event("visit.parquet", ("user",), time="at"),
            "cart": jr.Event("empty.csv", ("user",), time="at"),
        },
        tasks={"buy": t.Binary("visit.bougt")},
    )
    lines = told(shop, tmp_path).splitlines()
    known = "Known: at, bought, never, paid, unknown, user."
    assert lines[:5] == [
        "The tables: 6 problems.",
        "  1. entity.user.key (users.csv): there is no column `user_id`. Did you mean `user`? "
        "Known: loyal, user.",
        "  2. entity.user.features.loyl (users.csv): there is no column `loyl`. "
        "Did you mean `loyal`? Known: loyal, user.",
        "  3. event.visit.time (visits.parquet): there is no column `att`. Did you mean `at`? "
        + known,
        "  4. tasks.buy.label (visits.parquet): there is no column `bougt`. "
        f"Did you mean `bought`? {known}",
    ]
    assert "event.view" in lines[5] and "`visits.parquet`" in lines[5]
    assert "event.cart" in lines[6] and "empty" in lines[6]


def test_nothing_is_wrong_with_a_good_project(tmp_path: Path):
    assert source_problems(project(), None) == []


def test_a_project_that_cannot_be_meant_is_told_before_a_table_is_read():
    shop = project(entity={"user": jr.Entity("nowhere.csv", key="user")}, tasks={})
    assert told(shop) == "tasks: there is nothing to learn. Name at least one task."


def test_a_column_of_the_wrong_type(tmp_path: Path):
    (tmp_path / "users.csv").write_text("user,age\na,old\nb,young\n")
    VISITS.write_parquet(tmp_path / "visits.parquet")
    shop = jr.Project(
        entity={"user": jr.Entity("users.csv", key="user", features={"age": f.Number()})},
        event={"visit": jr.Event("visits.parquet", ("user",), time="bought")},
        tasks={"buy": t.Binary("visit.never")},
    )
    lines = told(shop, tmp_path).splitlines()
    assert lines[0] == "The tables: 2 problems."
    assert "entity.user: column `age` of `users.csv`" in lines[1] and "`old`" in lines[1]
    assert "event.visit: column `bought` of `visits.parquet`" in lines[2]


def test_the_simulated_shop_can_be_trained():
    checked = check(simulated_shop.project())
    # A quarter of its users look at nothing within the few weeks.
    assert [(found.code, found.at) for found in checked.findings] == [("unnamed", "entity.user")]
    assert sum(len(grain.tasks) for grain in checked.grains) == 12
    assert all(min(task.known[:2]) > 0 for grain in checked.grains for task in grain.tasks.values())
