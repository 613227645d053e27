"""A small shop as preparation would hand it over, made by hand: who clicks what is known.

Users and items have odd and even codes; nothing but the codes says so. A user clicks an item of the
same parity (a checkerboard: neither user nor item alone says anything), and buys it where the code
of the item is at most half of all. Four grains: impressions, judged query·item pairs without a
time, users before their next purchase, and users once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch

from jointrec.budget import Budget
from jointrec.features import Bags, Category, Number, Set
from jointrec.history import Mean
from jointrec.labels import later
from jointrec.network import JointNetwork
from jointrec.optimizers import AdamW, RowwiseAdagrad
from jointrec.plan import Grain, Plan, plan
from jointrec.prepare.prepared import (
    Asked,
    Fields,
    FieldsLayout,
    Layout,
    Moments,
    Past,
    Popularity,
    Prepared,
    Things,
)
from jointrec.project import Project, Table
from jointrec.schema import Entity, Event
from jointrec.sharing import SharedBottom
from jointrec.splits import TEST, TRAIN, VALID
from jointrec.tasks import Amount, Binary, Choice, Retrieval

HOUR = 3_600_000_000
DAY = 24 * HOUR
USERS, ITEMS, QUERIES = 24, 16, 6
START = {"user": 0, "item": 100, "tags": 200, "query": 300, "device": 400}
TABLE_ROWS = 410


def project(**changes: Any) -> Project:
    """The declarations of the shop; sources are never read."""
    settings: dict[str, Any] = {
        "entity": {
            "user": Entity("users.csv", "user_id", {"user_id": Category(), "age": Number()}),
            "item": Entity("items.csv", "item_id", {"item_id": Category(), "tags": Set()}),
            "query": Entity("queries.csv", "query_id", {"query_id": Category()}),
        },
        "event": {
            "impression": Event(
                "impressions.csv", ("user", "item"), "at", features={"device": Category()}
            ),
            "judgement": Event("judgements.csv", ("query", "item")),
            "purchase": Event("purchases.csv", ("user", "item"), "at"),
        },
        "tasks": {
            "click": Binary("impression.clicked"),
            "buy": Binary("impression.bought", after="click"),
            "spent": Amount("impression.spent", after="buy"),
            "grade": Choice("judgement.grade"),
            "next": Retrieval(later.next("purchase.item", of="user")),
            "odd": Binary("user.odd"),
        },
        "counters": (),
        "history": Mean(last=3),
        "sharing": SharedBottom(widths=(32, 16)),
        "optimizer": AdamW(lr=0.01),
        "table": Table(update=RowwiseAdagrad(lr=0.05)),  # few rows, few passes
        "budget": Budget(epochs=2, rows=256, patience=2, seed=0),
    }
    return Project(**{**settings, **changes})


def things() -> dict[str, Things]:
    """Every user, item and query; row 0 is the unknown one. Item ``n`` has ``n % 4`` tags."""
    lengths = np.array([0, *(n % 4 for n in range(1, ITEMS + 1))])
    tags = Bags(
        START["tags"] + np.arange(lengths.sum()) % 7, np.concatenate([[0], np.cumsum(lengths)])
    )
    ages = np.linspace(-1, 1, USERS + 1, dtype=np.float32)[:, None]
    return {
        "user": _things("user", USERS, (), ages),
        "item": _things("item", ITEMS, (tags,), None),
        "query": _things("query", QUERIES, (), None),
    }


def _things(name: str, count: int, bags: tuple[Bags, ...], numbers: Any) -> Things:
    ids = START[name] + np.arange(count + 1)[:, None]
    if numbers is None:
        numbers = np.zeros((count + 1, 0), dtype=np.float32)
    keys = pl.Series([None, *(f"{name}{n}" for n in range(1, count + 1))])
    return Things(keys, Fields(ids, bags, numbers), {})


def past() -> Past:
    """User ``u`` did something every hour, ``u % 5`` times: views and purchases in turn."""
    lengths = np.arange(USERS + 1) % 5
    owners = np.repeat(np.arange(USERS + 1), lengths)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Past(1 + number % 2, {"item": 1 + (owners * 3 + number) % ITEMS}, number * HOUR)


def user_moments(users: np.ndarray, times: np.ndarray) -> tuple[Moments, np.ndarray]:
    """The distinct moments of some users, and the one of each row."""
    both, at = np.unique(np.stack([users, times]), axis=1, return_inverse=True)
    lengths = np.arange(USERS + 1) % 5
    ends = np.cumsum(lengths)
    seen = np.minimum(lengths[both[0]], -(-both[1] // HOUR))  # events strictly before the moment
    start = (ends - lengths)[both[0]]
    numbers = np.stack([seen / 4, np.sin(both[1] / DAY)], axis=1).astype(np.float32)
    return Moments(both[0], both[1], numbers, start, start + seen), at.ravel()


def _plain_moments(
    codes: np.ndarray, times: np.ndarray | None, width: int
) -> tuple[Moments, np.ndarray]:
    """The distinct moments of what has no history."""
    keys = np.stack([codes, times if times is not None else np.zeros_like(codes)])
    both, at = np.unique(keys, axis=1, return_inverse=True)
    none = np.zeros(both.shape[1], dtype=np.int64)
    numbers = np.tile((both[0] / ITEMS).astype(np.float32)[:, None], (1, width))
    return Moments(both[0], both[1] if times is not None else None, numbers, none, none), at.ravel()


def _nothing(rows: int) -> Fields:
    return Fields(np.zeros((rows, 0), dtype=np.int64), (), np.zeros((rows, 0), dtype=np.float32))


def _parts(rows: int, chance: np.random.Generator) -> np.ndarray:
    return chance.choice([TRAIN, VALID, TEST], size=rows, p=[0.7, 0.2, 0.1]).astype(np.int8)


def impressions(grain: Grain, rows: int = 1200, seed: int = 0) -> Asked:
    """Lists of four items shown to a user at a moment; a tenth of the labels is unknown."""
    chance = np.random.default_rng(seed)
    users = np.repeat(chance.integers(1, USERS + 1, rows // 4), 4)
    times = np.repeat(chance.integers(0, 20, rows // 4) * DAY // 2, 4)
    items = chance.integers(1, ITEMS + 1, rows)
    click = (users % 2 == items % 2).astype(np.float64)
    buy = click * (items <= ITEMS // 2)
    labels = {"click": click, "buy": buy, "spent": buy * items}
    labels = {
        t: np.where(chance.random(rows) < 0.1, np.nan, values) for t, values in labels.items()
    }
    at = {"user": user_moments(users, times), "item": _plain_moments(items, times, 1)}
    devices = START["device"] + chance.integers(0, 3, (rows, 1))
    parts = _parts(rows // 4, chance).repeat(4)
    return Asked(
        grain=grain,
        at={name: rows_at for name, (_, rows_at) in at.items()},
        moments={name: moments for name, (moments, _) in at.items()},
        times=times,
        context=Fields(devices, (), chance.normal(size=(rows, 1)).astype(np.float32)),
        clock=np.stack([np.sin(times / DAY), np.cos(times / DAY)], axis=1).astype(np.float32),
        pairs={("user", "item"): chance.normal(size=(rows, 2)).astype(np.float32)},
        labels=labels,
        parts=dict.fromkeys(labels, parts),
        clusters=users,
        source=np.arange(rows),
    )


def judgements(grain: Grain, rows: int = 240, seed: int = 1) -> Asked:
    """Query·item pairs without a time: the grade is 1 where both codes have the same parity."""
    chance = np.random.default_rng(seed)
    queries, items = chance.integers(1, QUERIES + 1, rows), chance.integers(1, ITEMS + 1, rows)
    at = {"query": _plain_moments(queries, None, 0), "item": _plain_moments(items, None, 0)}
    return Asked(
        grain=grain,
        at={name: rows_at for name, (_, rows_at) in at.items()},
        moments={name: moments for name, (moments, _) in at.items()},
        times=None,
        context=_nothing(rows),
        clock=np.zeros((rows, 0), dtype=np.float32),
        pairs={},
        labels={"grade": (queries % 2 == items % 2).astype(np.float64)},
        parts={"grade": _parts(rows, chance)},
        clusters=queries,
        source=np.arange(rows),
    )


def purchases(grain: Grain, rows: int = 300, seed: int = 2) -> Asked:
    """Users just before a purchase: next comes the item that follows from the user's code."""
    chance = np.random.default_rng(seed)
    users, times = chance.integers(1, USERS + 1, rows), chance.integers(1, 20, rows) * DAY
    moments, at = user_moments(users, times)
    return Asked(
        grain=grain,
        at={"user": at},
        moments={"user": moments},
        times=times,
        context=_nothing(rows),
        clock=np.zeros((rows, 2), dtype=np.float32),
        pairs={},
        labels={"next": 1.0 + users % ITEMS},
        parts={"next": _parts(rows, chance)},
        clusters=users,
        source=np.arange(rows),
    )


def users_once(grain: Grain) -> Asked:
    """Every user, at no moment: whether the code is odd. None of it is left for validation."""
    users = np.arange(1, USERS + 1)
    moments, at = _plain_moments(users, None, 0)
    return Asked(
        grain=grain,
        at={"user": at},
        moments={"user": moments},
        times=None,
        context=_nothing(USERS),
        clock=np.zeros((USERS, 0), dtype=np.float32),
        pairs={},
        labels={"odd": (users % 2).astype(np.float64)},
        parts={"odd": np.where(users % 6 == 0, TEST, TRAIN).astype(np.int8)},
        clusters=users,
        source=np.arange(USERS),
    )


MAKERS = {
    "impression": impressions,
    "judgement": judgements,
    "user before purchase": purchases,
    "user": users_once,
}


def popularity(days: int = 21) -> Popularity:
    """Counts that differ from day to day and from item to item; code 0 has none."""
    counts = np.log1p(np.arange(days * (ITEMS + 1) * 3) % 11).astype(np.float32)
    counts = counts.reshape(days, ITEMS + 1, 3)
    counts[:, 0] = 0
    return Popularity(0, counts)


def layout(shop: Project, asked: Mapping[str, Asked]) -> Layout:
    """The shape of the shop, and the best constant answers of its tasks."""
    sizes, constants, scales = {}, {}, {}
    for rows in asked.values():
        for name, labels in rows.labels.items():
            if name not in shop.tasks:
                continue
            task = shop.tasks[name]
            known = labels[~np.isnan(labels) & (rows.parts[name] == TRAIN)]
            state = task.learn(pl.Series(["0", "1"]) if name == "grade" else pl.Series(known))
            sizes[name] = task.size(state)
            constants[name] = tuple(float(value) for value in task.constant(known, state))
            scales[name] = 1.0 if name == "next" else 0.5
    item = FieldsLayout(ids=("@id",), bags=("tags",))
    return Layout(
        table_rows=TABLE_ROWS,
        things={
            "user": FieldsLayout(ids=("@id",), numbers=("age",)),
            "item": item,
            "query": FieldsLayout(ids=("@id",)),
        },
        moments={"user": ("seen", "season"), "item": ("code",)},
        pairs={("user", "item"): ("met", "liked")},
        edges={
            "user": ((-1.0, 0.0, 1.0), (0.0, 1.0)),
            "item": ((-1.0, 1.0),),
            "user × item": ((0.0, 0.5, 2.0), ()),
        },
        context={"impression": FieldsLayout(ids=("device",), numbers=("price",))},
        clock=("sin", "cos"),
        kinds={"user": ("", "view", "purchase")},
        objects={"user": ("item",)},
        sizes=sizes,
        constants=constants,
        scales=scales,
    )


def prepared(shop: Project | None = None, **rows: Asked) -> tuple[Project, Plan, Prepared]:
    """The shop, its plan and its arrays."""
    shop = shop or project()
    planned = plan(shop)
    asked = {
        grain.name: rows.get(grain.name) or MAKERS[grain.name](grain) for grain in planned.grains
    }
    return (
        shop,
        planned,
        Prepared(layout(shop, asked), things(), {"user": past()}, {"next": popularity()}, asked),
    )


def with_random_network() -> tuple[Project, Plan, Prepared, dict[str, JointNetwork]]:
    """The shop, and a network of random weights, whose answers differ from row to row."""
    own, planned, arrays = prepared()
    network = JointNetwork(own, planned, arrays.layout).eval()
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=chance)
    return own, planned, arrays, dict.fromkeys(own.tasks, network)
