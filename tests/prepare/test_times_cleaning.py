"""Times that cannot be, before time is cut; and rows that are no rows."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.plan import plan
from jointrec.prepare import Tables, load
from jointrec.prepare.check import quarantine_frames
from jointrec.prepare.cleaning.times import lone_days

DAY = 86_400_000_000
START = 1_700_006_400_000_000  # 2023-11-15, midnight
VISITS = pl.DataFrame(
    {
        "user": ["a", "b"] * 100,
        "at": [START + n * DAY // 4 for n in range(200)],
        "paid": [1.0, 2.0, 3.0, 4.0] * 50,
    }
)


def project(visits: object = VISITS, cleaning: dict[str, str] | None = None) -> jr.Project:
    users = pl.DataFrame({"user": ["a", "b"]})
    return jr.Project(
        entity={"user": jr.Entity(users, key="user")},
        event={"visit": jr.Event(visits, ("user",), time="at")},
        tasks={"paid": t.Amount("visit.paid")},
        cleaning=cleaning or {},
    )


def at(*moments: int) -> pl.DataFrame:
    rows = pl.DataFrame({"user": "a", "at": list(moments), "paid": 1.0})
    return pl.concat([VISITS, rows])


def codes(tables: Tables) -> dict[str, int]:
    return {finding.code: finding.count for finding in tables.findings}


def test_a_time_after_now_is_set_aside_before_time_is_cut():
    soon = time.time_ns() // 1000 + 2 * DAY
    plain, odd = load(project()), load(project(at(soon)))
    assert codes(odd) == {"future_time": 1}
    assert (odd.cuts, odd.until) == (plain.cuts, plain.until)
    assert odd.quarantine["visit"]["@reason"].to_list() == ["future_time"]
    assert odd.quarantine["visit"]["@row"].to_list() == [201]


def test_a_time_of_today_is_none_after_now(monkeypatch: pytest.MonkeyPatch):
    last = VISITS["at"].max()
    monkeypatch.setattr("time.time_ns", lambda: (last - DAY // 2) * 1000)
    assert codes(load(project())) == {}
    monkeypatch.setattr("time.time_ns", lambda: (last - 2 * DAY) * 1000)
    assert codes(load(project())) == {"future_time": 4}


def test_a_time_after_now_stays_if_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time_ns", lambda: (VISITS["at"].max() - 2 * DAY) * 1000)
    tables = load(project(cleaning={"future_time": "keep"}))
    assert codes(tables) == {"future_time": 4}
    assert len(tables.events["visit"]) == 200


@pytest.mark.parametrize("years", [-20, 1.5])
def test_a_lone_time_is_set_aside(years: float):
    odd = load(project(at(START + int(years * 365) * DAY)))
    assert codes(odd) == {"lone_time": 1}
    assert odd.cuts == load(project()).cuts
    kept = load(project(at(START + int(years * 365) * DAY), {"lone_time": "keep"}))
    assert len(kept.events["visit"]) == 201


def test_a_pause_is_no_reason():
    """A shop that closes for as long as it was open, and opens again for a day."""
    days = np.concatenate([np.arange(90), np.arange(170, 171)])
    assert not lone_days(days, np.full(len(days), 100)).any()


@pytest.mark.parametrize("many", [99, 100])
def test_more_than_one_in_a_hundred_is_not_alone(many: int):
    days, counts = np.array([0, 1, 500]), np.array([many - 50, 50, 1])
    assert lone_days(days, counts).tolist() == [False, False, many == 100 or many == 99]
    assert not lone_days(days, np.array([many - 60, 50, 1])).any()


def test_rows_that_are_no_rows_are_counted_and_set_aside(tmp_path: Path):
    first = VISITS.head(120).with_columns(pl.from_epoch("at", "us"))
    second = VISITS[120:].with_columns(pl.from_epoch("at", "us"))
    lines = first.write_csv(datetime_format="%FT%T").splitlines()
    lines.insert(3, "a,2023-11-15T00:00:00")  # the third row
    (tmp_path / "v1.csv").write_text("\n".join(lines) + "\n")
    lines = second.write_csv(datetime_format="%FT%T").splitlines()
    lines += ["a,2023-11-15T00:00:00,1,2", ",2023-12-01T00:00:00,5.0"]
    (tmp_path / "v2.csv").write_text("\n".join(lines) + "\n")
    shop = project("v*.csv")
    tables = load(shop, tmp_path)
    assert codes(tables) == {"ragged_row": 2, "no_key": 1}
    assert tables.rows_in["visit"] == 203 == len(tables.events["visit"]) + 3
    aside = quarantine_frames(shop, tables)["visit"]
    assert aside.select("@row", "@reason").rows() == [
        (3, "ragged_row"), (202, "ragged_row"), (203, "no_key")
    ]  # fmt: skip
    assert aside["@text"].to_list() == [
        "a,2023-11-15T00:00:00", "a,2023-11-15T00:00:00,1,2", None
    ]  # fmt: skip
    assert str(aside["at"][2]) == "2023-12-01 00:00:00+00:00"


@pytest.mark.parametrize("code", ["orphan", "missing_key"])
def test_orphans_are_set_aside_if_told(code: str):
    users = ["z" if code == "orphan" else None, "a"]
    visits = pl.DataFrame(
        {"user": users * 100, "item": ["x", "y"] * 100, "at": VISITS["at"], "paid": VISITS["paid"]}
    )
    shop = jr.Project(
        entity={
            "user": jr.Entity(pl.DataFrame({"user": ["a"]}), key="user"),
            "item": jr.Entity(pl.DataFrame({"item": ["x", "y"]}), key="item"),
        },
        event={"visit": jr.Event(visits, ("user", "item"), time="at")},
        tasks={"paid": t.Amount("visit.paid")},
        cleaning={f"event.visit.{code}": "quarantine"},
    )
    tables = load(shop)
    assert codes(tables) == {code: 100, "unnamed": 1}
    assert tables.events["visit"]["@user"].to_list() == [1] * 100
    assert tables.quarantine["visit"]["@row"].to_list() == list(range(1, 200, 2))


def test_what_cannot_be_wanted_is_told_at_once():
    wrong = {
        "bots": "keep", "bot": "cap", "no_key": "keep", "event.visits.bot": "keep",
        "id_respelled": "keep",
    }  # fmt: skip
    with pytest.raises(ProjectError) as caught:
        plan(project(cleaning=wrong))
    lines = str(caught.value).splitlines()[1:]
    assert (
        lines[0]
        .split(" Known")[0]
        .endswith("cleaning.bots: there is no code that can be set `bots`. Did you mean `bot`?")
    )
    assert lines[1].endswith("cleaning.bot: should be keep or quarantine. Found `cap`.")
    assert lines[2].endswith(
        "cleaning.no_key: what is done about `no_key` is always `quarantine`. Leave it out."
    )
    assert lines[3].endswith(
        'cleaning."event.visits.bot": there is no table `event.visits`. '
        "Did you mean `event.visit`? Known: entity.user, event.visit."
    )
    assert lines[4].endswith("is always `respelled`. Leave it out.")


def test_what_is_wanted_survives_the_file():
    shop = jr.parse(
        """
        cleaning = { bot = "quarantine", "event.visit.repeated_row" = "quarantine" }
        entity.user = { source = "u.csv", key = "user" }
        event.visit = { source = "v.csv", entities = ["user"] }
        tasks.paid = { kind = "Amount", label = "visit.paid" }
        """
    )
    assert shop.cleaning == {"bot": "quarantine", "event.visit.repeated_row": "quarantine"}
    assert jr.parse(shop.to_toml()) == shop
