"""From labels to grains, and what a project says when its declarations cannot be meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.plan import Plan, columns_of, plan, uses

DAY = 86_400_000_000


def shop(**changes: Any) -> jr.Project:
    """Users are shown items for queries, buy them, and send them back; people judge items."""
    whole = jr.Project(
        entity={
            "user": jr.Entity("users.csv", key="user_id", features={"country": f.Category()}),
            "item": jr.Entity("items.csv", key="item_id", features={"price": f.Number()}),
            "query": jr.Entity("queries.csv", key="query_id"),
        },
        event={
            "impression": jr.Event("i.csv", ("user", "query", "item"), time="at", list="request"),
            "purchase": jr.Event("p.csv", ("user", "item"), time="at", where={"type": "buy"}),
            "judgement": jr.Event("j.csv", ("query", "item")),
        },
        tasks={"click": t.Binary("impression.clicked")},
    )
    return replace(whole, **changes)


def planned(**tasks: t.Task) -> Plan:
    return plan(shop(tasks=tasks))


def told(project: jr.Project) -> str:
    with pytest.raises(ProjectError) as caught:
        plan(project)
    return str(caught.value)


def test_a_column_of_an_event_is_asked_at_its_rows():
    grain = planned(click=t.Binary("impression.clicked")).grain_of("click")
    assert (grain.name, grain.table, grain.asking) == ("impression", "impression", "row")
    assert grain.entities == grain.sees == ("user", "query", "item")
    assert grain.pairs == (("user", "query"), ("user", "item"), ("query", "item"))


def test_a_column_of_an_entity_is_asked_once():
    grain = planned(loyal=t.Binary("user.loyal")).grain_of("loyal")
    assert (grain.name, grain.asking, grain.sees) == ("user", "once", ("user",))


def test_a_later_label_of_an_entity_is_asked_every_so_often():
    grain = planned(
        churn=t.Binary(later.no("purchase", of="user", within="30d", active="36h", every="90m"))
    ).grain_of("churn")
    assert (grain.name, grain.asking) == ("user every 90m, active 36h", "every")
    assert (grain.every, grain.active) == (DAY // 16, DAY * 3 // 2)


def test_without_every_it_is_every_week():
    label = later.count("purchase", of="item", within="7d")
    grain = planned(sales=t.Count(label)).grain_of("sales")
    assert (grain.name, grain.every, grain.active) == ("item every 7d", 7 * DAY, None)


def test_what_comes_next_is_asked_just_before_it():
    made = planned(next=t.Retrieval(later.next("purchase.item", of="user")))
    grain = made.grain_of("next")
    assert (grain.name, grain.table, grain.asking) == ("user before purchase", "purchase", "before")
    assert grain.sees == ("user",)
    assert made.catalogue == {"next": "item"}


def test_tasks_of_the_same_rows_share_a_grain():
    made = planned(
        buy=t.Binary(later.any("purchase", of="impression", within="1d"), after="click"),
        churn=t.Binary(later.no("purchase", of="user", within="30d")),
        click=t.Binary("impression.clicked"),
        spend=t.Amount(later.sum("purchase.value", of="user", within="7d", every="1w")),
        weekly=t.Count(later.count("purchase", of="user", within="7d", every="1d")),
    )
    assert [grain.tasks for grain in made.grains] == [
        ("click", "buy"),
        ("churn", "spend"),
        ("weekly",),
    ]


def test_what_tasks_see_tells_their_grains_apart():
    made = planned(
        blind=t.Binary("impression.clicked", sees=("item", "user")),
        click=t.Binary("impression.clicked"),
        alike=t.Binary("impression.clicked", sees=("user", "item")),
    )
    assert [(grain.name, grain.sees, grain.tasks) for grain in made.grains] == [
        ("impression", ("user", "item"), ("blind", "alike")),
        ("impression (user, query, item)", ("user", "query", "item"), ("click",)),
    ]


def test_outcomes_are_the_flags_of_events_with_a_time():
    made = planned(
        click=t.Binary("impression.clicked"),
        again=t.Binary("impression.clicked"),
        revenue=t.Amount("impression.revenue"),
        good=t.Binary("judgement.good"),
        loyal=t.Binary("user.loyal"),
    )
    assert made.outcomes == {"impression": ("clicked",)}


def test_the_columns_that_are_read():
    project = shop(
        tasks={
            "click": t.Binary("impression.clicked"),
            "clicks": t.Count(later.sum("impression.clicked", of="user", within="7d")),
            "grade": t.Choice("judgement.grade"),
            "units": t.Count(later.sum("purchase.units", of="item", within="7d")),
        }
    )
    assert columns_of(project, "impression") == {
        "user_id": "id", "query_id": "id", "item_id": "id", "at": "time", "request": "id",
        "clicked": "flag",
    }  # fmt: skip
    assert columns_of(project, "purchase") == {
        "user_id": "id", "item_id": "id", "at": "time", "type": "id", "units": "number"
    }  # fmt: skip
    assert columns_of(project, "judgement")["grade"] == "id"
    assert columns_of(project, "item") == {"item_id": "id", "price": "number"}
    assert {use.at for use in uses(project, "impression") if use.column == "clicked"} == {
        "tasks.click.label",
        "tasks.clicks.label",
    }


def wrong_tasks() -> Mapping[str, tuple[dict[str, t.Task], str]]:
    click, any_buy = t.Binary("impression.clicked"), later.any("purchase", of="user", within="7d")
    return {
        "unknown table": (
            {"x": t.Binary("impresion.clicked")},
            "tasks.x.label: there is no table `impresion`. Did you mean `impression`? "
            "Known: impression, item, judgement, purchase, query, user.",
        ),
        "no column": (
            {"x": t.Binary("clicked")},
            "tasks.x.label: `clicked` is not a column. Write `table.column`.",
        ),
        "a feature as a label": (
            {"x": t.Choice("user.country")},
            "tasks.x.label: `user.country` is also a feature, so the answer would be given away. "
            "Take `country` out of the features of `user`.",
        ),
        "a column for what comes next": (
            {"x": t.Retrieval("purchase.item_id")},
            "tasks.x.label: Retrieval learns what comes next. "
            'Write label = { next = "event.entity", of = "entity" }.',
        ),
        "unknown event": (
            {"x": t.Binary(later.any("purchse", of="user", within="7d"))},
            "tasks.x.label: there is no event `purchse`. Did you mean `purchase`? "
            "Known: impression, judgement, purchase.",
        ),
        "unknown of": (
            {"x": t.Binary(later.any("purchase", of="usr", within="7d"))},
            "tasks.x.label.of: there is no table `usr`. Did you mean `user`? "
            "Known: impression, item, judgement, purchase, query, user.",
        ),
        "a label at no grain": (
            {"x": t.Binary(later.any("purchase", of="query", within="7d"))},
            "tasks.x.label.of: a row of `purchase` does not lead to `query`. "
            "It leads to: user, item.",
        ),
        "no time to be later in": (
            {"x": t.Binary(later.any("judgement", of="item", within="7d"))},
            "tasks.x.label: `judgement` has no `time`, so nothing in it is later.",
        ),
        "no time to be later than": (
            {"x": t.Binary(later.any("purchase", of="judgement", within="7d"))},
            "tasks.x.label.of: `judgement` has no `time`, so nothing is later than it.",
        ),
        "no window": (
            {"x": t.Binary(replace(any_buy, within=None))},
            'tasks.x.label: say how far to look forward: within = "7d".',
        ),
        "a window that is no duration": (
            {"x": t.Binary(replace(any_buy, within="a week"))},
            "tasks.x.label.within: `a week` is not a duration. Write a whole number above 0 and a "
            "unit: 30s, 15m, 24h, 7d, 2w.",
        ),
        "no column to sum": (
            {"x": t.Amount(later.sum("purchase", of="user", within="7d"))},
            'tasks.x.label: say which column to sum: sum = "purchase.COLUMN".',
        ),
        "a product of two events": (
            {"x": t.Amount(later.sum("purchase.units * impression.price", of="user", within="7d"))},
            "tasks.x.label: `purchase.units * impression.price` is not what can be summed: a "
            "column, or the product of two columns of one event, sum = "
            '"purchase.COLUMN * purchase.COLUMN".',
        ),
        "half a product": (
            {"x": t.Amount(later.sum("purchase.units * purchase", of="user", within="7d"))},
            "tasks.x.label: `purchase.units * purchase` lacks a column. Write `event.column` on "
            "both sides of `*`.",
        ),
        "a column to count": (
            {"x": t.Count(later.count("purchase.units", of="user", within="7d"))},
            "tasks.x.label: `count` asks about events, not about a column. Write "
            'count = "purchase", or sum = "purchase.units".',
        ),
        "no entity that comes next": (
            {"x": t.Retrieval(later.next("purchase", of="user"))},
            'tasks.x.label: say which entity comes next: next = "purchase.item".',
        ),
        "an entity that cannot come next": (
            {"x": t.Retrieval(later.next("purchase.query", of="user"))},
            "tasks.x.label: there is no entity `query`. Did you mean `user`? Known: item, user.",
        ),
        "a window for next": (
            {"x": t.Retrieval(replace(later.next("purchase.item", of="user"), within="7d"))},
            "tasks.x.label: `next` looks forward until something comes. Leave `within` out.",
        ),
        "active for next": (
            {"x": t.Retrieval(later.next("purchase.item", of="user", active="7d"))},
            "tasks.x.label: without `every`, `next` is asked just before each `purchase`, active "
            'or not. Leave `active` out, or add every = "7d".',
        ),
        "every of an event": (
            {"x": t.Binary(later.any("purchase", of="impression", within="7d", every="1d"))},
            "tasks.x.label: `impression` is an event and asked at each of its rows. `next`, "
            "`every` and `active` are for entities.",
        ),
        "a verb that is not learned": (
            {"x": t.Binary(later.count("purchase", of="user", within="7d"))},
            "tasks.x.label: Binary does not learn `count`. It learns: `any`, `no`. "
            "`count` is learned by: Count, Quantiles.",
        ),
        "sees beyond reach": (
            {"x": t.Binary("judgement.good", sees=("item", "user"))},
            "tasks.x.sees: a row of `judgement` does not lead to `user`. It leads to: query, item.",
        ),
        "after nothing": (
            {"click": click, "x": t.Binary("impression.bought", after="clik")},
            "tasks.x.after: there is no task `clik`. Did you mean `click`? Known: click, x.",
        ),
        "after another grain": (
            {"click": click, "x": t.Binary(any_buy, after="click")},
            "tasks.x.after: `click` is not asked of the same rows. A funnel needs one grain: "
            "`x` is asked of `user` and sees user; `click` is asked of `impression` and sees user, "
            "query, item.",
        ),
        "after one that sees others": (
            {"click": click, "x": t.Binary("impression.bought", after="click", sees=("item",))},
            "tasks.x.after: `click` is not asked of the same rows. A funnel needs one grain: "
            "`x` is asked of `impression` and sees item; `click` is asked of `impression` and sees "
            "user, query, item.",
        ),
        "after no chance": (
            {"much": t.Amount("impression.much"), "x": t.Binary("impression.y", after="much")},
            "tasks.x.after: a funnel joins chances. `x` is Binary and `much` is Amount. What comes "
            "first is one of: Binary; what comes after it one of: Amount, Binary.",
        ),
        "two ways to read a column": (
            {"click": click, "x": t.Amount("impression.clicked")},
            "`impression.clicked` is to be read as yes or no (tasks.click.label) and as a number "
            "(tasks.x.label). A column is read in one way: give the table a copy of it under "
            "another name.",
        ),
        "no tasks": ({}, "tasks: there is nothing to learn. Name at least one task."),
    }


@pytest.mark.parametrize("name", wrong_tasks())
def test_a_task_that_cannot_be_meant(name: str):
    tasks, message = wrong_tasks()[name]
    assert told(shop(tasks=tasks)) == message


def test_a_funnel_that_comes_back_to_itself():
    tasks = {
        "a": t.Binary("impression.a", after="b"),
        "b": t.Binary("impression.b", after="a"),
    }
    assert told(shop(tasks=tasks)).splitlines()[1:] == [
        "  1. tasks.a.after: the funnel comes back to itself: a → b → a.",
        "  2. tasks.b.after: the funnel comes back to itself: b → a → b.",
    ]


def wrong_events() -> Mapping[str, tuple[dict[str, Any], str]]:
    return {
        "unknown entity": (
            {"entities": ("user", "itm")},
            "event.view.entities: there is no entity `itm`. Did you mean `item`? "
            "Known: item, query, user.",
        ),
        "no entity": ({"entities": ()}, "event.view.entities: name at least one entity."),
        "an entity twice": (
            {"entities": ("user", "user")},
            "event.view.entities: `user` is named twice. Declare a second entity with the same "
            "source, and say which column holds its key with `keys`.",
        ),
        "a key of another": (
            {"entities": ("user",), "keys": {"usr": "uid"}},
            "event.view.keys: there is no entity `usr`. Did you mean `user`? Known: user.",
        ),
        "no duration": (
            {"entities": ("user",), "matures": "soon"},
            "event.view.matures: `soon` is not a duration. Write a whole number above 0 and a "
            "unit: 30s, 15m, 24h, 7d, 2w.",
        ),
        "where on a number": (
            {"entities": ("user",), "where": {"n": "1"}, "features": {"n": f.Number()}},
            "`view.n` is to be read as a name (event.view.where) and as a number "
            "(event.view.features.n). A column is read in one way: give the table a copy of it "
            "under another name.",
        ),
    }


@pytest.mark.parametrize("name", wrong_events())
def test_an_event_that_cannot_be_meant(name: str):
    settings, message = wrong_events()[name]
    whole = shop()
    event = jr.Event("v.csv", **settings)
    assert told(replace(whole, event={**whole.event, "view": event})) == message


def test_an_entity_without_a_key_is_on_no_event():
    whole = shop()
    entity = {**whole.entity, "query": jr.Entity("q.csv", features={"words": f.Text()})}
    message = (
        "event.{}.entities: the rows of `query` have no key, so an event cannot name one. "
        "Give `entity.query` a `key`."
    )
    assert told(replace(whole, entity=entity)).splitlines() == [
        "The project: 2 problems.",
        f"  1. {message.format('impression')}",
        f"  2. {message.format('judgement')}",
    ]


def test_names_that_cannot_be_told_apart():
    whole = shop()
    event = {**whole.event, "user": whole.event["purchase"]}
    assert told(replace(whole, event=event)) == (
        "event.user: an entity has the same name. Rename one of the two."
    )
    entity = {**whole.entity, "a.b": jr.Entity("x.csv", key="x")}
    assert told(replace(whole, entity=entity)) == (
        "entity: the name `a.b` holds a dot, but dots part tables from columns. Rename it."
    )


def test_an_entity_of_which_nothing_is_read():
    whole = shop()
    assert told(replace(whole, entity={**whole.entity, "shop": jr.Entity("s.csv")})) == (
        "entity.shop: no column of it is read. Give it a `key` or `features`."
    )


def test_every_window_of_the_counters_is_checked():
    assert told(shop(counters=("1 hour", "7d", "0d"))).splitlines() == [
        "The project: 2 problems.",
        "  1. counters: `1 hour` is not a duration. Write a whole number above 0 and a unit: "
        "30s, 15m, 24h, 7d, 2w.",
        "  2. counters: `0d` is not a duration. Write a whole number above 0 and a unit: "
        "30s, 15m, 24h, 7d, 2w.",
    ]


def test_all_problems_are_told_at_once():
    project = shop(
        counters=("x",),
        tasks={"a": t.Binary("nowhere.x"), "b": t.Binary("impression.b", after="c")},
    )
    lines = told(project).splitlines()
    assert lines[0] == "The project: 3 problems."
    assert [line.split(": ")[0] for line in lines[1:]] == [
        "  1. counters",
        "  2. tasks.a.label",
        "  3. tasks.b.after",
    ]


def test_an_entity_cannot_have_a_name_that_the_verbs_need():
    entity = {"k": jr.Entity("k.csv", key="id", features={"x": jr.features.Category()})}
    with pytest.raises(jr.JointRecError, match="the name `k` is taken by the verbs"):
        plan(jr.Project(entity=entity, tasks={"yes": jr.tasks.Binary("k.yes")}))
