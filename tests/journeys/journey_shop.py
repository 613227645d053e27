"""A small simulated shop and a project of it, for the journeys: eight tasks at six grains."""

from __future__ import annotations

from pathlib import Path

import torch

from jointrec.evaluation.baselines import Popularity
from jointrec.model import Compare, Model
from jointrec.simulate import Shop

QUICK = Compare(alone=False, baselines=(Popularity(),), rounds=10)
SHOP = Shop(users=100, items=40, days=50, seed=3)
NEXT_MONTH = Shop(users=60, items=45, days=70, seed=4)
TEST_FROM = "2025-02-14"

TOML = f"""
split = {{ kind = "ByTime", test_from = "{TEST_FROM}", valid_days = 7 }}
budget = {{ epochs = 2, rows = 1024, seed = 0 }}
sharing = {{ kind = "SharedBottom", widths = [16] }}
table = {{ width = 8 }}

[entity.user]
source = "users.parquet"
key = "user_id"
features = {{ country = "Category", first_seen = "Time" }}

[entity.item]
source = "items.parquet"
key = "item_id"
features = {{ category = "Category", price = {{ kind = "Number", scale = "log" }}, tags = "Set" }}

[entity.query]
source = "queries.parquet"
key = "query_id"
features = {{ words = "Text", language = "Category" }}

[event.impression]
source = "impressions.parquet"
entities = ["user", "query", "item"]
time = "shown_at"
features = {{ device = "Category", position = "Category", discount = "Number" }}

[event.judgement]
source = "judgements.parquet"
entities = ["query", "item"]

[tasks]
click = {{ kind = "Binary", label = "impression.clicked" }}
cart = {{ kind = "Binary", label = "impression.carted", after = "click" }}
revenue = {{ kind = "Amount", label = "impression.revenue", after = "cart" }}
relevance = {{ kind = "Choice", label = "judgement.grade" }}
intent = {{ kind = "Choice", label = "query.category" }}
next = {{ kind = "Retrieval", label = {{ next = "impression.item", of = "user" }} }}

[tasks.gone]
kind = "Binary"
label = {{ no = "impression", of = "user", within = "5d", every = "5d" }}

[tasks.views]
kind = "Count"
label = {{ count = "impression", of = "item", within = "5d", every = "5d" }}
"""


def write(folder: Path, *, kind: str = "parquet", shop: Shop = SHOP) -> Path:
    """The tables and the project of a shop. Gives the project's file."""
    shop.write(folder, kind=kind)
    path = folder / "shop.toml"
    path.write_text(TOML.replace(".parquet", f".{kind}"), encoding="utf-8")
    return path


def same_weights(one: Model, other: Model) -> None:
    """Every task is answered by the same bits."""
    assert list(one.networks) == list(other.networks)
    for task, network in one.networks.items():
        theirs = other.networks[task].weights()
        for name, weight in network.weights().items():
            assert torch.equal(weight, theirs[name]), (task, name)
