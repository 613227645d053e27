"""Cleaning: every finding, every row used or set aside, every source read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jointrec as jr
from jointrec import features as f
from jointrec import later, sources
from jointrec import tasks as t
from jointrec.errors import DataError, JointRecError, SourceError
from jointrec.prepare import Tables, load
from jointrec.sources import Finding

DAY = 86_400_000_000
START = 1_700_006_400_000_000  # 2023-11-15, midnight
USERS = pl.DataFrame({"user": ["a", "b", "c"], "age": [30.0, 40.0, 50.0]})
VISITS = pl.DataFrame(
    {
        "user": ["a", "b", "c", "a"],
        "at": [START, START + 10 * DAY, START + 20 * DAY, START + 40 * DAY],
        "paid": [1.0, 0.0, 2.5, 3.0],
    }
)


def project(
    users: Any = USERS,
    visits: Any = VISITS,
    cleaning: Mapping[str, str] | None = None,
    **event: Any,
) -> jr.Project:
    settings = {"time": "at", **event}
    return jr.Project(
        entity={"user": jr.Entity(users, key="user", features={"age": f.Number()})},
        event={"visit": jr.Event(visits, ("user",), **settings)},
        tasks={"paid": t.Amount("visit.paid")},
        cleaning=cleaning or {},
    )


def found(tables: Tables) -> dict[str, Finding]:
    assert len({finding.code for finding in tables.findings}) == len(tables.findings)
    return {finding.code: finding for finding in tables.findings}


def test_clean_tables_have_no_findings():
    tables = load(project())
    assert tables.findings == ()
    assert tables.quarantine == {}
    assert tables.rows_in == {"user": 3, "visit": 4}
    assert tables.entities["user"]["@key"].to_list() == ["a", "b", "c"]
    assert tables.events["visit"]["@user"].to_list() == [1, 2, 3, 1]
    assert tables.events["visit"]["@time"].to_list() == VISITS["at"].to_list()
    assert (tables.first, tables.until) == (START, START + 40 * DAY + 1)
    assert (tables.cuts.valid, tables.cuts.test) == (START + 20 * DAY, START + 27 * DAY)


ODD: Mapping[str, tuple[jr.Project, str]] = {
    "entity no_key": (
        project(USERS.vstack(pl.DataFrame({"user": [None, ""], "age": [1.0, 2.0]}))),
        "entity.user: rows without a `user`. 2 set aside, such as `user=None, age=1.0`, "
        "`user=None, age=2.0`.",
    ),
    "entity duplicate_key": (
        project(USERS.vstack(pl.DataFrame({"user": ["a", " b"], "age": [1.0, 2.0]}))),
        "entity.user: rows whose `user` an earlier row has already. The first of each is used. "
        "2 set aside, such as `user=a, age=1.0`, `user=b, age=2.0`.",
    ),
    "event no_key": (
        project(visits=VISITS.vstack(VISITS.head(1).with_columns(user=pl.lit(None, pl.String)))),
        "event.visit: rows that name nobody. 1 set aside, such as "
        "`user=None, at=2023-11-15 00:00:00, paid=1.0`.",
    ),
    "event no_time": (
        project(visits=VISITS.vstack(VISITS.head(1).with_columns(at=pl.lit(None, pl.Int64)))),
        "event.visit: rows without a `at`. 1 set aside, such as `user=a, at=None, paid=1.0`.",
    ),
    "event strange_time": (
        project(visits=VISITS.vstack(VISITS.head(1).with_columns(at=pl.lit(-DAY)))),
        "event.visit: `at` is before 1980 or after 2100. 1 set aside, such as "
        "`user=a, at=1969-12-31 00:00:00, paid=1.0`.",
    ),
    "event orphan": (
        project(visits=VISITS.vstack(VISITS.head(2).with_columns(user=pl.lit("z")))),
        "event.visit.user: keys that no row of `user` has. 2 read as unknown, such as `z`.",
    ),
    "event repeated_row": (
        project(visits=VISITS.vstack(VISITS.head(2))),
        "event.visit: rows equal to an earlier one in every column that is read. Where they are "
        "mistakes, name the column that tells rows apart as `key`. 2 kept, such as "
        "`user=a, at=2023-11-15 00:00:00, paid=1.0`, `user=b, at=2023-11-25 00:00:00, paid=0.0`.",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_told(name: str):
    shop, told = ODD[name]
    tables = load(shop)
    finding = found(tables)[name.split()[1]]
    assert str(finding) == told
    kept = {**tables.entities, **tables.events}
    for table, frame in kept.items():
        aside = tables.quarantine.get(table)
        if finding.action == "set aside" and finding.at.endswith(table):
            assert aside is not None
            assert aside["@reason"].to_list() == [finding.code] * finding.count
        assert tables.rows_in[table] == len(frame) + (0 if aside is None else len(aside))


def test_orphans_are_kept_as_unknown():
    tables = load(ODD["event orphan"][0])
    assert tables.events["visit"]["@user"].to_list() == [1, 2, 3, 1, 0, 0]


def test_orphans_that_differ_are_no_repeats():
    visits = VISITS.vstack(
        VISITS.head(2).with_columns(user=pl.Series(["y", "z"]), at=START, paid=1.0)
    )
    assert set(found(load(project(visits=visits)))) == {"orphan"}


def test_a_missing_key_among_several_is_unknown():
    events = pl.DataFrame({"user": ["a", None], "item": ["x", "x"], "good": [1, 0]})
    shop = jr.Project(
        entity={
            "user": jr.Entity(USERS, key="user"),
            "item": jr.Entity(pl.DataFrame({"item": ["x"]}), key="item"),
        },
        event={"grade": jr.Event(events, ("user", "item"))},
        tasks={"good": t.Binary("grade.good")},
    )
    tables = load(shop)
    assert str(found(tables)["missing_key"]) == (
        "event.grade.user: rows that do not say which user. 1 read as unknown."
    )
    assert tables.events["grade"]["@user"].to_list() == [1, 0]


def test_of_rows_with_one_key_the_earliest_in_time_is_used():
    visits = VISITS.with_columns(id=pl.Series(["k", "k", "l", None])).reverse()
    visits = visits.vstack(visits.filter(pl.col("id").is_null()))
    tables = load(project(visits=visits, key="id"))
    assert tables.events["visit"]["at"].to_list() == [
        START + 40 * DAY, START + 20 * DAY, START, START + 40 * DAY
    ]  # fmt: skip
    assert tables.quarantine["visit"]["at"].to_list() == [START + 10 * DAY]


def test_absurd_numbers_are_made_null_by_a_limit_from_training_rows():
    rows = 200
    visits = pl.DataFrame(
        {
            "user": ["a"] * rows,
            "at": [START + n * DAY for n in range(rows)],
            "paid": [0.0] * 40 + [2.0] * 138 + [1e12] * 21 + [1999.0],
        }
    )
    tables = load(project(visits=visits, cleaning={"large_number": "keep"}))
    assert tables.limits["absurd_number"] == {"visit.paid": 2000.0}
    assert str(found(tables)["absurd_number"]) == (
        "event.visit.paid: numbers beyond 2000, 1,000 times as large as almost all others. "
        "21 made null, such as `1000000000000.0`."
    )
    paid = tables.events["visit"]["paid"]
    assert paid.null_count() == 21
    assert paid.max() == 1999.0


def test_large_numbers_are_capped_unless_they_are_to_stay():
    paid = [0.0] * 40 + [2.0] * 158 + [199.0, -1999.0]
    visits = pl.DataFrame({"user": "a", "at": [START + n * DAY for n in range(200)], "paid": paid})
    tables = load(project(visits=visits))
    assert str(found(tables)["large_number"]) == (
        "event.visit.paid: numbers beyond 200, 100 times as large as almost all others. "
        "1 capped, such as `-1999.0`."
    )
    assert tables.events["visit"]["paid"].to_list() == [*paid[:-1], -200.0]


def test_few_numbers_teach_no_limit():
    visits = VISITS.with_columns(paid=pl.Series([1.0, 1.0, 1.0, 1e12]))
    tables = load(project(visits=visits))
    assert tables.limits.get("absurd_number", {}) == {}
    assert tables.events["visit"]["paid"].max() == 1e12


def test_two_dozen_numbers_teach_a_limit():
    visits = pl.DataFrame(
        {"user": "a", "at": [START + n * DAY for n in range(50)], "paid": [2.0] * 48 + [2e9, 3.0]}
    )
    late = load(project(visits=visits))
    assert late.limits["absurd_number"] == {"visit.paid": 2000.0}
    early = load(project(visits=visits.with_columns(paid=pl.Series([2.0, 2e9] + [2.0] * 48))))
    for tables in (late, early):
        assert found(tables)["absurd_number"].count == 1


def test_only_rows_where():
    visits = VISITS.with_columns(kind=pl.Series(["buy", "look", "back", "buy"]))
    both = load(project(visits=visits, where={"kind": ("buy", "back")}))
    assert both.rows_in["visit"] == 3
    assert both.events["visit"]["@user"].to_list() == [1, 3, 1]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("bye", " Did you mean `buy`?"), (("sold", "sent"), "")],
)
def test_a_where_that_leaves_nothing(wanted: Any, told: str):
    visits = VISITS.with_columns(kind=pl.Series(["buy", "look", "buy", "buy"]))
    with pytest.raises(DataError) as caught:
        load(project(visits=visits, where={"kind": wanted}))
    named = "`bye`" if wanted == "bye" else "`sold` or `sent`"
    assert str(caught.value) == (
        "event.visit.where: no row of the table is left, so nothing can be learned. "
        f"`kind` should be {named}.{told} It holds: buy, look."
    )


def test_a_table_of_which_no_row_can_be_used():
    with pytest.raises(DataError) as caught:
        load(project(visits=VISITS.with_columns(user=pl.lit(None, pl.String))))
    assert str(caught.value) == (
        "visit: all 4 rows were set aside (no_key), so none are left. "
        "Look at the columns that the project names as keys and times."
    )


def test_an_entity_without_a_key_is_numbered():
    shop = jr.Project(
        entity={"person": jr.Entity(USERS, features={"age": f.Number()})},
        tasks={"who": t.Choice("person.user")},
    )
    tables = load(shop)
    assert tables.entities["person"]["@key"].to_list() == ["0", "1", "2"]
    assert (tables.first, tables.until, tables.cuts.valid) == (None, None, None)


def test_a_source_that_several_tables_share_is_read_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, list[str]]] = []
    read = sources.batches

    def counted(source: Any, **how: Any) -> Any:
        asked.append((how["at"], list(how["columns"])))
        return read(source, **how)

    monkeypatch.setattr("jointrec.sources.batches", counted)
    log = VISITS.with_columns(kind=pl.Series(["buy", "look", "buy", "look"]))
    shop = jr.Project(
        entity={"user": jr.Entity(USERS, key="user")},
        event={
            "buy": jr.Event(log, ("user",), time="at", where={"kind": "buy"}),
            "look": jr.Event(log, ("user",), time="at", where={"kind": "look"}),
        },
        tasks={"spend": t.Amount(later.sum("buy.paid", of="user", within="7d"))},
    )
    tables = load(shop)
    assert asked == [
        ("entity.user", ["user"]),
        ("event.buy, event.look", ["user", "at", "kind", "paid"]),
    ]
    assert tables.events["buy"]["paid"].to_list() == [1.0, 2.5]
    assert "paid" not in tables.events["look"].columns
    assert tables.rows_in == {"user": 3, "buy": 2, "look": 2}


def test_what_cannot_be_read_is_told_at_once(tmp_path: Path):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and then nothing")
    shop = jr.Project(
        entity={"user": jr.Entity("users.csv", key="user")},
        event={
            "view": jr.Event("empty.csv", ("user",), time="at"),
            "buy": jr.Event("broken.parquet", ("user",), time="at"),
        },
        tasks={"back": t.Binary(later.any("buy", of="user", within="7d"))},
    )
    with pytest.raises(SourceError) as caught:
        load(shop, tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "The tables: 3 problems."
    assert "entity.user" in lines[1] and "users.csv" in lines[1]
    assert "event.view" in lines[2] and "empty" in lines[2]
    assert "event.buy" in lines[3] and "damaged or cut-off Parquet file" in lines[3]


def test_learned_cuts_and_limits_hold_for_other_tables():
    many = pl.concat([VISITS] * 120)
    shop = project(visits=many)
    first = load(shop)
    assert first.limits

    class Learned:
        cuts = (START + DAY, START + 2 * DAY)
        limits = {"absurd_number": {"visit.paid": 2.0}}

    tables = load(shop, learned=Learned())  # type: ignore[arg-type]
    assert (tables.cuts.valid, tables.cuts.test) == Learned.cuts
    assert tables.events["visit"]["paid"].max() == 1.0


KEY = st.none() | st.sampled_from(["a", "b", "c", "z", "007", "7", ""])
MOMENT = st.none() | st.integers(START, START + 60 * DAY) | st.sampled_from([0, -5, 2**62])


@settings(max_examples=60)
@given(
    users=st.lists(KEY, min_size=1, max_size=12),
    visits=st.lists(st.tuples(KEY, MOMENT, st.none() | st.sampled_from("kl")), max_size=25),
)
def test_no_row_is_lost(users: list[Any], visits: list[Any]):
    rows = [("a", START, None), ("a", START + 60 * DAY, None), *visits]
    frame = pl.DataFrame(
        rows, schema={"user": pl.String, "at": pl.Int64, "id": pl.String}, orient="row"
    ).with_columns(paid=1.0)
    people = pl.DataFrame({"user": ["a", *users]}, schema={"user": pl.String}).with_columns(age=1.0)
    tables = load(project(people, frame, key="id"))
    for name, table in {**tables.entities, **tables.events}.items():
        aside = tables.quarantine.get(name, pl.DataFrame())
        assert tables.rows_in[name] == len(table) + len(aside)
    keys = tables.entities["user"]["@key"]
    assert keys.is_unique().all() and keys.null_count() == 0
    assert set(keys) == {key for key in ["a", *users] if key}
    visited = tables.events["visit"]
    known = {key: code for code, key in enumerate(keys, 1)}
    assert visited["@user"].to_list() == [known.get(key, 0) for key in visited["user"]]
    assert visited["id"].drop_nulls().is_unique().all()
    expected = {row[2] for row in rows if row[0] and row[1] and START <= row[1] <= START + 60 * DAY}
    assert set(visited["id"]) == expected


def test_every_problem_is_one_of_ours(tmp_path: Path):
    (tmp_path / "users.csv").write_text("user,age\na,old\n")
    shop = project("users.csv")
    with pytest.raises(JointRecError, match=r"entity\.user.*`age`"):
        load(shop, tmp_path)


def test_the_time_zone_of_the_project_holds_in_every_table_and_for_the_cut():
    visits = VISITS.with_columns(
        at=pl.Series(["2024-06-01 00:00", "2024-10-27 01:30", "2024-10-01", "2024-10-26T23:00Z"])
    )
    split = jr.ByTime(test_from="2024-10-27", valid_days=30)
    shop = replace(project(visits=visits), time_zone="Europe/London", split=split)
    tables = load(shop)
    midnight = 1_729_983_600 * 10**6  # 2024-10-26T23:00Z
    assert tables.events["visit"]["@time"].to_list()[1] == midnight + 3_600 * 10**6 * 3 // 2
    assert tables.events["visit"]["@time"].to_list()[3] == midnight == tables.cuts.test
    assert [finding.code for finding in tables.findings] == ["shown_twice"]


def test_rows_that_fit_no_column_are_counted_and_kept(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user,age\na,30\nb,40,=1+1\nc,50\n")
    tables = load(project("users.csv"), tmp_path)
    assert tables.rows_in["user"] == 3
    assert tables.entities["user"]["@key"].to_list() == ["a", "c"]
    assert tables.quarantine["user"].to_dicts() == [
        {"@file": "users.csv", "@row": 2, "@text": "b,40,=1+1", "@reason": "ragged_row"}
    ]
    assert found(tables)["ragged_row"].count == 1
