"""The file and the objects are the same thing: every member of every family, both ways."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jointrec as jr
from jointrec import config, declaration, later
from jointrec import features as f
from jointrec import tasks as t
from jointrec.errors import JointRecError, ProjectError, SourceError
from jointrec.labels import Later
from jointrec.project import Table

# A value other than the default, where the type alone does not tell which are allowed.
OTHER = {
    "test_from": "2024-05-01",
    "embargo": "3d",
    "shares": (0.2, 0.3),
    "after": "click",
    "within": "30d",
    "weight": "user.weight",
    "propensity": "user.shown",
    "most": 7,
}


def other_value(name: str, hint: Any, default: Any) -> Any:
    """A value for an argument that is not its default."""
    if name in OTHER:
        return OTHER[name]
    if hint == tuple[float, ...]:
        return (0.2, 0.3)
    if get_origin(hint) is Literal:
        return next(value for value in get_args(hint) if value != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return default * 2
    if isinstance(default, float):
        return default / 2 if default else 0.25
    if isinstance(default, tuple):
        return (4, 2)
    return {
        jr.calibration.Calibration: jr.calibration.Temperature(),
        int | None: 7,
        float | None: 0.25,
        int | tuple[str, ...] | None: 7,
        str | None: "x",
        tuple[str, ...] | None: ("user",),
    }.get(hint, {"click": 2.0})


def variants() -> list[Any]:
    """Every member of every family as it is, and with each argument changed."""
    found = []
    for family in config.FAMILIES:
        for cls in config.members(family).values():
            first = {"label": "user.loyal"} if family is t.Task else {}
            plain = cls(**first)
            found.append(plain)
            hints = get_type_hints(cls)
            for field in fields(cls):
                if field.name not in first:
                    value = other_value(field.name, hints[field.name], getattr(plain, field.name))
                    found.append(replace(plain, **{field.name: value}))
    return found


def project_with(member: Any) -> jr.Project:
    """A project in which the member stands where its family belongs."""
    shop = jr.Project(
        entity={"user": jr.Entity("users.csv", key="user_id")},
        tasks={"loyal": t.Binary("user.loyal")},
    )
    if isinstance(member, f.Feature):
        return replace(shop, entity={"user": jr.Entity("users.csv", features={"x": member})})
    if isinstance(member, t.Task):
        return replace(shop, tasks={"loyal": member})
    if isinstance(member, jr.optimizers.TableUpdate):
        return replace(shop, table=Table(update=member))
    family = next(family for family in config.FAMILIES if isinstance(member, family))
    place = {hint: name for name, hint in get_type_hints(jr.Project).items()}[family]
    return replace(shop, **{place: member})


@pytest.mark.parametrize("member", variants(), ids=repr)
def test_every_member_survives_the_file(member: Any):
    shop = project_with(member)
    text = shop.to_toml()
    assert jr.parse(text) == shop
    assert jr.parse(text).to_toml() == text


@pytest.mark.parametrize("member", variants(), ids=repr)
def test_defaults_are_left_out(member: Any):
    changed = [
        field.name
        for field in fields(member)
        if getattr(member, field.name)
        != (field.default if field.default_factory is MISSING else field.default_factory())
    ]
    written = config._plain(member, at="")
    expected = {name for name in changed if name != "weights" or member.weights}
    if expected:
        assert set(written) == {"kind", *expected}
    else:
        assert written == type(member).__name__


LABELS = [
    later.any("purchase", of="user", within="7d"),
    later.any("purchase", of="impression", within="24h"),
    later.no("purchase", of="user", within="30d", active="90d", every="1d"),
    later.count("purchase", of="user", within="2w", every="3d"),
    later.sum("purchase.value", of="user", within="90d", active="5m"),
    later.next("purchase.item", of="user"),
    later.next("purchase.item", of="user", active="7d", every="1d"),
]


@pytest.mark.parametrize("label", LABELS, ids=str)
def test_every_form_of_a_later_label_survives_the_file(label: Later):
    shop = project_with(t.Binary(label))
    assert jr.parse(shop.to_toml()) == shop
    written = tomllib.loads(shop.to_toml())["tasks"]["loyal"]["label"]
    assert written.pop(label.verb) == label.what
    assert written == {
        name: value
        for name in ("of", "within", "active", "every")
        if (value := getattr(label, name)) is not None
    }


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(
    source=NAMES,
    key=st.none() | NAMES,
    features=st.dictionaries(NAMES, st.sampled_from(variants()[:8]), max_size=4),
    where=st.dictionaries(NAMES, NAMES | st.lists(NAMES, min_size=1).map(tuple), max_size=3),
    counters=st.lists(st.sampled_from(["1h", "2d", "7d"]), unique=True).map(tuple),
    name=NAMES,
)
def test_any_names_survive_the_file(source, key, features, where, counters, name):
    shop = jr.Project(
        entity={name: jr.Entity(source, key=key, features=features)},
        event={f"{name}'s": jr.Event(source, (name,), time=key, where=where, features=features)},
        tasks={name: t.Binary(f"{name}.x")},
        counters=counters,
    )
    assert jr.parse(shop.to_toml()) == shop


def test_paths_and_lists_are_spelled_as_the_file_spells_them():
    shop = jr.Project(
        entity={"user": jr.Entity(Path("data") / "users.csv", key="id")},
        event={
            "visit": jr.Event(
                Path("visits.csv"), ["user"], where={"kind": ["a", "b"], "page": "home"}
            )
        },
        tasks={"back": t.Binary("visit.back")},
        counters=["1h"],
    )
    assert shop.entity["user"].source == "data/users.csv"
    assert shop.event["visit"].entities == ("user",)
    assert shop.event["visit"].where == {"kind": ("a", "b"), "page": "home"}
    assert jr.parse(shop.to_toml()) == shop


def test_write_and_read(tmp_path: Path):
    shop = project_with(t.Count("user.orders"))
    assert jr.read(shop.write(tmp_path / "shop.toml")) == shop


def test_a_table_in_memory_cannot_be_written():
    shop = jr.Project(
        entity={"user": jr.Entity(pl.DataFrame({"id": [1]}), key="id")},
        tasks={"x": t.Binary("user.x")},
    )
    with pytest.raises(ProjectError) as caught:
        shop.to_toml()
    assert str(caught.value) == (
        "entity.user.source: a table in memory cannot be written to a file. "
        "Save it as Parquet and name the file as the source."
    )


GOOD = """
entity.user = { source = "users.csv", key = "user_id" }
tasks.loyal = { kind = "Binary", label = "user.loyal" }
"""


def message(text: str) -> str:
    with pytest.raises(ProjectError) as caught:
        jr.parse(text, at="my.toml")
    return str(caught.value)


WRONG: Mapping[str, tuple[str, str]] = {
    "unknown key of the file": (
        "fusoin = 'Cross'\n",
        "the file: there is no key of Project `fusoin`. Did you mean `fusion`? Known: balancing, "
        "budget, calibration, cleaning, counters, entity, event, funnel, fusion, history, "
        "matching, numeric, optimizer, sharing, split, table, tasks, time_zone.",
    ),
    "unknown key of a table": (
        "event.view = { source = 'v.csv', entities = ['user'], tiem = 'at' }\n",
        "event.view: there is no key of Event `tiem`. Did you mean `time`? Known: ahead, ends, "
        "entities, features, key, keys, list, matures, returns, source, time, where.",
    ),
    "unknown key of a member": (
        "sharing = { kind = 'MMoE', expert = 3 }\n",
        "sharing: there is no key of MMoE `expert`. Did you mean `experts`? "
        "Known: dropout, experts, widths.",
    ),
    "unknown kind": (
        "sharing = 'MMEO'\n",
        "sharing: there is no kind of sharing `MMEO`. Did you mean `MMoE`? "
        "Known: MMoE, PLE, SharedBottom.",
    ),
    "no kind": (
        "split = { test_days = 3 }\n",
        "split: `kind` is missing. It says which split this is: ByEntity, ByTime.",
    ),
    "unknown word": (
        "entity.item = { source = 'i', features.price = { kind = 'Number', scale = 'logg' } }\n",
        "entity.item.features.price.scale: there is no value `logg`. Did you mean `log`? "
        "Known: log, quantile, standard.",
    ),
    "text for a number": (
        "budget = { epochs = 'ten' }\n",
        "budget.epochs: should be a whole number. Found `'ten'`.",
    ),
    "yes for a number": (
        "budget = { epochs = true }\n",
        "budget.epochs: should be a whole number. Found `True`.",
    ),
    "a number for text": (
        "entity.item = { source = 'i.csv', key = 7 }\n",
        "entity.item.key: should be text. Found `7`.",
    ),
    "text for a list": (
        "counters = '1h'\n",
        "counters: should be a list. Found `'1h'`.",
    ),
    "too short a list": (
        "split = { kind = 'ByTime', shares = [0.1] }\n",
        "split.shares: should be a list of 2. Found `[0.1]`.",
    ),
    "a wrong item of a list": (
        "event.view = { source = 'v.csv', entities = ['user', 3] }\n",
        "event.view.entities: should be text. Found `3`.",
    ),
    "text for a table": (
        "entity.item = 'items.csv'\n",
        "entity.item: should be a table with the keys of Entity. Found `'items.csv'`.",
    ),
    "a list for many": (
        "event = [1]\n",
        "event: should be a table of named things. Found `[1]`.",
    ),
    "a source that is no text": (
        "entity.item = { source = 3 }\n",
        "entity.item.source: should be text that names a file. Found `3`.",
    ),
    "a member that is a number": (
        "fusion = 3\n",
        "fusion: should be the name of a kind, or a table with a `kind`. Found `3`.",
    ),
    "nothing required": (
        "entity.item = { key = 'id' }\n",
        "entity.item: `source` is missing.",
    ),
    "a value that a class refuses": (
        "entity.item = { source = 'i.csv', features.c = { kind = 'Category', floor = 0 } }\n",
        "entity.item.features.c: `floor` should be at least 1. Found `0`.",
    ),
    "no verb": (
        "tasks.x = { kind = 'Binary', label = { of = 'user', within = '7d' } }\n",
        "tasks.x.label: a later label has one of any, no, count, sum, next, until, steps, such as "
        'label = { sum = "purchase.value", of = "user", within = "90d" }. Found: of, within.',
    ),
    "two verbs": (
        "tasks.x = { kind = 'Binary', label = { any = 'a', no = 'b', of = 'user' } }\n",
        "tasks.x.label: a later label has one of any, no, count, sum, next, until, steps, such as "
        'label = { sum = "purchase.value", of = "user", within = "90d" }. Found: any, no, of.',
    ),
    "unknown key of a label": (
        "tasks.x = { kind = 'Binary', label = { any = 'a', of = 'user', witin = '7d' } }\n",
        "tasks.x.label: there is no key of a later label `witin`. Did you mean `within`? "
        "Known: active, every, first, of, unless, within.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name: str):
    text, told = WRONG[name]
    assert message(text + GOOD) == told


def test_what_is_missing_altogether():
    assert message("counters = []") == (
        "my.toml: 2 problems.\n  1. `entity` is missing.\n  2. `tasks` is missing."
    )


def test_all_problems_are_told_at_once():
    told = message("fusion = 'Crss'\nbudget = { epochs = 'x', rows = 1.5 }\n" + GOOD)
    assert told.splitlines() == [
        "my.toml: 3 problems.",
        "  1. fusion: there is no kind of fusion `Crss`. Did you mean `Cross`? "
        "Known: Concat, Cross, Mean, Sum.",
        "  2. budget.epochs: should be a whole number. Found `'x'`.",
        "  3. budget.rows: should be a whole number. Found `1.5`.",
    ]


def test_text_that_is_not_toml():
    with pytest.raises(SourceError) as caught:
        jr.parse("entity = [", at="my.toml")
    assert str(caught.value).startswith("my.toml: is not TOML: ")


def test_a_file_that_is_missing(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(GOOD)
    with pytest.raises(SourceError) as caught:
        jr.read(tmp_path / "shp.toml")
    assert str(caught.value) == (
        f"{tmp_path}/shp.toml: there is no such file. Did you mean `shop.toml`? "
        "Make one with: jointrec init DIR"
    )


def test_a_file_that_is_unreadable(tmp_path: Path):
    (tmp_path / "shop.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"shop\.toml: cannot be read as UTF-8 text: "):
        jr.read(tmp_path / "shop.toml")
    with pytest.raises(SourceError, match=r"cannot be read as UTF-8 text: .*[Dd]irectory"):
        jr.read(tmp_path)


def test_whole_numbers_are_numbers():
    shop = jr.parse("sharing = { kind = 'PLE', dropout = 0 }\n" + GOOD)
    assert shop.sharing.dropout == 0.0
    assert isinstance(shop.sharing.dropout, float)


@pytest.mark.parametrize("path", ["examples/merch/shop.toml", "src/jointrec/simulate/shop.toml"])
def test_the_files_of_the_project_survive(path: str):
    shop = jr.read(Path(__file__).parents[1] / path)
    assert jr.parse(shop.to_toml()) == shop


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = " + "[" * 20_000, "is nested too deeply"),
        ("a = " + "1" * 5_000, "holds a value that cannot be read"),
        (
            "sharing = { kind = 'PLE', dropout = 1" + "0" * 400 + " }",
            "that a 64-bit float can hold",
        ),
        ("counters = " + repr("x" * 5_000), "should be a list"),
    ],
)
def test_values_that_no_project_has(text: str, told: str):
    with pytest.raises(JointRecError) as caught:
        jr.parse(text)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 2_000


def test_a_project_is_a_plain_file_of_some_length(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(SourceError, match=r"cannot be read as UTF-8 text: .*no plain file"):
        jr.read(tmp_path / "pipe.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    with pytest.raises(SourceError, match="no plain file"):
        jr.read(tmp_path / "zero.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * (declaration.LONGEST_TEXT + 1))
    with pytest.raises(SourceError, match="is longer than 16,777,216 bytes"):
        jr.read(tmp_path / "long.toml")
