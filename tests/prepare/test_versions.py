"""Entities that change with time: the row valid at the moment is read, and no later one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.network import JointNetwork, answers_of
from jointrec.plan import plan
from jointrec.prepare import Reader, Tables, build_reader, load, prepare, prepared_of
from jointrec.prepare.prepare import context_of
from jointrec.prepare.reader import raw_rows
from jointrec.prepare.versions import Versions, by_version

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_704_067_200_000_000  # 2024-01-01
DAYS = 50


@cache
def frames() -> Mapping[str, pl.DataFrame]:
    """Users and items with several versions each, and what they did."""
    chance = np.random.default_rng(3)

    def times(rows: int, last: int = DAYS) -> np.ndarray:
        return START + chance.integers(0, last * 24, rows) * HOUR

    def versions(name: str, things: int, rows: int) -> pl.DataFrame:
        known = [f"{name}{n}" for n in range(things) if n % 7]  # some have no version at all
        return pl.DataFrame(
            {
                name: chance.choice(known, rows),
                "since": times(rows),
                "kind": chance.choice(["a", "b", "c", None], rows),
                "size": chance.normal(10, 3, rows),
            }
        ).unique([name, "since"], keep="first", maintain_order=True)

    def events(rows: int) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "user": [f"user{n}" for n in chance.integers(0, 31, rows)],
                "item": [f"item{n}" for n in chance.integers(0, 13, rows)],
                "at": times(rows),
                "clicked": chance.integers(0, 2, rows),
                "quantity": chance.integers(1, 5, rows),
            }
        )

    return {
        "user": versions("user", 30, 120),
        "item": versions("item", 12, 150),
        "shown": events(500),
        "bought": events(400),
    }


def project(**sources: Any) -> jr.Project:
    made = {**frames(), **sources}
    features = {"kind": f.Category(floor=1), "size": f.Number(), "since": f.Time()}

    def entity(name: str) -> jr.Entity:
        return jr.Entity(made[name], key=name, features=features, time="since", id_floor=2)

    def event(name: str) -> jr.Event:
        return jr.Event(made[name], ("user", "item"), time="at")

    return jr.Project(
        entity={"user": entity("user"), "item": entity("item")},
        event={"shown": event("shown"), "bought": event("bought")},
        tasks={
            "click": t.Binary("shown.clicked"),
            "churn": t.Binary(later.no("bought", of="user", within="5d", every="2d")),
            "sales": t.Count(later.sum("bought.quantity", of="item", within="5d", every="2d")),
            "next": t.Retrieval(later.next("bought.item", of="user")),
        },
        counters=("1d", "7d"),
        split=jr.ByTime(test_days=8, valid_days=8),
    )


@cache
def prepared() -> Reader:
    shop = project()
    return prepare(shop, plan(shop), load(shop))[0]


def slow(entity: str, key: str | None, moment: int) -> dict[str, Any]:
    """What the table says of a thing strictly before a moment, found row by row."""
    said = {"kind": None, "size": None, "since": None}
    latest = -1
    for row in frames()[entity].iter_rows(named=True):
        if row[entity] == key and latest < row["since"] < moment:
            latest = row["since"]
            said = {name: row[name] for name in said}
    return said


@pytest.mark.parametrize("grain", [grain.name for grain in plan(project()).grains])
def test_every_moment_reads_the_last_row_before_it(grain: str):
    reader = prepared()
    tables = reader.tables
    asked = next(g for g in reader.plan.grains if g.name == grain)
    rows = jr.prepare.answers.rows_of_grain(reader.project, asked, tables)
    raw = raw_rows(reader, asked, rows, pl.DataFrame())
    for entity, moments in raw.moments.items():
        things = reader.things[entity]
        assert moments.times is not None
        codes = things.codes_of(moments.things)
        first = len(tables.entities[entity]) + 1
        for row, code, time in zip(moments.things, codes, moments.times, strict=True):
            key = things.keys[int(code)]
            found = {"kind": None, "size": None, "since": None}
            if row >= first:
                found = tables.versions[entity].row(int(row) - first, named=True)
            assert {name: found[name] for name in ("kind", "size", "since")} == slow(
                entity, key, int(time)
            )


def answers(reader: Reader, until: int) -> dict[str, np.ndarray]:
    """What a network with weights drawn by chance says to every row asked up to a moment."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = JointNetwork(reader.project, reader.plan, reader.preparation.layout).eval()
        with torch.no_grad():
            for weight in network.parameters():
                weight.copy_(torch.randn_like(weight))
    made = prepared_of(reader, {})
    found: dict[str, np.ndarray] = {}
    for grain in reader.plan.grains:
        rows = jr.prepare.answers.rows_of_grain(reader.project, grain, reader.tables)
        asked = reader.read(grain, rows, context_of(grain, reader.tables))
        assert asked.times is not None
        at = np.flatnonzero(asked.times <= until)
        for task in grain.tasks:
            pieces = [p[task] for p in answers_of(network, made, asked, (task,), at)]
            found[task] = np.concatenate(pieces)
    return found


def changed(tables: Tables, moment: int, seed: int) -> Tables:
    """The same tables with other versions from a moment on: lost, altered, new ones for all."""
    chance = np.random.default_rng(seed)
    versions = {}
    for name, frame in tables.versions.items():
        before = frame.filter(pl.col("@time") < moment)
        after = frame.filter(pl.col("@time") >= moment, pl.Series(chance.random(len(frame)) < 0.5))
        after = after.with_columns(kind=pl.lit("c"), size=pl.lit(99.0))
        codes = np.arange(1, len(tables.entities[name]) + 1)
        new = pl.DataFrame(
            {
                "@code": codes,
                "@time": np.full(len(codes), moment),
                "kind": chance.choice(["a", "b"], len(codes)),
                "size": chance.normal(0, 50, len(codes)),
                "since": np.full(len(codes), moment),
            }
        )
        parts = [before, after.select(before.columns), new.select(before.columns)]
        versions[name] = (
            pl.concat(parts).unique(["@code", "@time"], keep="last").sort("@code", "@time")
        )
    return replace(tables, versions=versions)


def differs(moment: int, seed: int) -> bool:
    """Whether anything said up to a moment depends on versions from that moment on."""
    reader = prepared()
    tables = changed(reader.tables, moment, seed)
    other = build_reader(reader.project, reader.plan, tables, reader.preparation)
    one, two = answers(reader, moment), answers(other, moment)
    return not all(np.allclose(one[task], two[task], rtol=1e-4, atol=1e-4) for task in one)


@settings(max_examples=5)
@given(day=st.integers(5, DAYS - 1), hour=st.integers(0, 23), seed=st.integers(0, 99))
def test_no_version_from_the_moment_on_changes_anything(day: int, hour: int, seed: int):
    assert not differs(START + day * DAY + hour * HOUR, seed)


def test_a_version_that_counts_at_its_own_moment_would_be_noticed(monkeypatch: pytest.MonkeyPatch):
    honest = Versions.at

    def dishonest(self: Versions, codes: np.ndarray, moments: np.ndarray) -> np.ndarray:
        return honest(self, codes, moments + 1)

    moment = int(np.quantile(frames()["shown"]["at"].to_numpy(), 0.7, method="nearest"))
    prepared()
    monkeypatch.setattr(Versions, "at", dishonest)
    assert differs(moment, 0)


def test_versions_do_matter():
    moment = START + 20 * DAY
    reader = prepared()
    tables = changed(reader.tables, moment - 10 * DAY, 0)
    other = build_reader(reader.project, reader.plan, tables, reader.preparation)
    one, two = answers(reader, moment), answers(other, moment)
    assert all(not np.allclose(one[task], two[task]) for task in one)


def test_nothing_is_learned_from_versions_after_the_validation_cut():
    reader = prepared()
    frame = frames()["item"]
    late = pl.col("since") >= reader.tables.cuts.valid
    other = frame.with_columns(
        kind=pl.when(late).then(pl.lit("new")).otherwise("kind"),
        size=pl.when(late).then(1e9).otherwise("size"),
    )
    shop = project(item=other)
    learned = prepare(shop, plan(shop), load(shop))[0].preparation
    assert learned.features == reader.preparation.features
    assert learned.scales == reader.preparation.scales


def test_a_key_without_versions_is_an_orphan_and_one_before_its_first_known_by_its_key():
    tables = prepared().tables
    assert "user0" not in tables.entities["user"]["@key"].to_list()
    assert {finding.code for finding in tables.findings} >= {"orphan"}
    versions = Versions.of(tables, "user")
    assert versions is not None
    first = int(tables.versions["user"].filter(pl.col("@code") == 2)["@time"].min())  # type: ignore[arg-type]
    assert versions.at(np.array([2, 2]), np.array([first, first + 1])).tolist() == [
        2,
        versions.first + tables.versions["user"]["@code"].to_list().index(2),
    ]


def rows(*given: tuple[str, int, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(key, START + day * DAY, size) for key, day, size in given],
        schema=["user", "since", "size"],
        orient="row",
    ).with_columns(kind=pl.lit("a"))


def test_rows_that_say_nothing_new_begin_no_version():
    keys, versions = by_version(
        pl.DataFrame(
            {
                "@key": ["b", "a", "a", "a", "b"],
                "@time": [5, 3, 1, 2, 6],
                "tags": [None, ["x"], ["x"], ["x", "y"], None],
                "note": list("vwxyz"),
            }
        ),
        ["tags"],
    )
    assert keys["@key"].to_list() == ["b", "a"]
    assert versions.select("@code", "@time").rows() == [(1, 5), (2, 1), (2, 2), (2, 3)]


def test_two_versions_of_one_moment_are_a_finding():
    users = rows(("u", 1, 1.0), ("u", 1, 2.0), ("v", 1, None), ("v", 1, None), ("v", 2, 3.0))
    tables = load(project(user=users))
    told = {finding.code: str(finding) for finding in tables.findings}
    assert told["two_versions"] == (
        "entity.user: rows that say something else of a `user` than an earlier row of the very "
        "same `since`. The first of each is used. 1 set aside, such as "
        "`user=u, since=2024-01-02 00:00:00, kind=a, size=2.0`."
    )
    assert told["repeated_version"].startswith(
        "entity.user: rows equal to an earlier one, `since` and all. 1 used once, such as `user=v"
    )
    assert tables.rows_in["user"] == 5
    assert len(tables.quarantine["user"]) == 1
    assert tables.versions["user"]["size"].to_list() == [1.0, None, 3.0]


def test_clean_versions_have_no_findings():
    tables = load(project())
    assert {finding.code for finding in tables.findings} == {"orphan"}


def test_an_entity_may_be_what_the_table_of_an_event_last_said():
    lines = frames()["bought"].with_columns(kind=pl.col("item").str.slice(4, 1), size=pl.lit(1.0))
    shop = project()
    shop = replace(
        shop,
        entity={
            **shop.entity,
            "item": jr.Entity(lines, "item", features={"kind": f.Category()}, time="at"),
        },
        event={**shop.event, "bought": replace(shop.event["bought"], source=lines)},
    )
    tables = load(shop)
    assert {finding.code for finding in tables.findings} == {"orphan"}  # of users without a row
    assert len(tables.versions["item"]) == len(tables.entities["item"]) == 13
    assert tables.rows_in["item"] == tables.rows_in["bought"] == 400


@pytest.mark.parametrize(
    ("entity", "task", "told"),
    [
        (
            {"time": "since"},
            t.Binary("shown.clicked"),
            "entity.user.time: without a `key` nothing says which rows are of one thing. Name the "
            "column that does as `key`.",
        ),
        (
            {"time": "since", "key": "user"},
            t.Binary("user.loyal"),
            "tasks.it.label: `user.loyal` changes with time (entity.user.time), so at no moment is "
            "it the answer. Declare the table as an event, and learn a column of that.",
        ),
    ],
)
def test_what_cannot_be_declared_is_told(entity: dict[str, str], task: t.Task, told: str):
    shop = project()
    user = jr.Entity("users.csv", **entity)  # type: ignore[arg-type]
    shop = replace(shop, entity={**shop.entity, "user": user}, tasks={"it": task})
    with pytest.raises(ProjectError) as error:
        plan(shop)
    assert told in str(error.value)
