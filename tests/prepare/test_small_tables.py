"""Which tables are small and flat, and what of them is read piece by piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.network import JointNetwork
from jointrec.plan import plan
from jointrec.prepare import Prepared, edges, obtain, prepared
from jointrec.splits import TRAIN
from jointrec.training.run import Run

ROWS = 400


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "id": [f"c{n}" for n in range(ROWS)],
            "age": rng.normal(size=ROWS),
            "spent": np.where(rng.random(ROWS) < 0.2, np.nan, rng.integers(0, 3, ROWS)),
            "loyal": np.where(rng.random(ROWS) < 0.1, np.nan, rng.integers(0, 2, ROWS)),
        }
    ).with_columns(pl.col("spent", "loyal").fill_nan(None))


def project(**changes: object) -> jr.Project:
    features = {"age": f.Number(), "spent": f.Number()}
    shop = jr.Project(
        entity={"customer": jr.Entity(table(), "id", features, id_floor=0)},
        tasks={"loyal": t.Binary("customer.loyal")},
    )
    return replace(shop, **changes)


def read(shop: jr.Project) -> Prepared:
    return obtain(shop, plan(shop), None).prepared


def test_edges_are_those_of_the_rows_that_train() -> None:
    found = read(project())
    (asked,) = found.asked.values()
    assert found.small
    train = (asked.parts["loyal"] == TRAIN) & ~np.isnan(asked.labels["loyal"])
    np.testing.assert_array_equal(asked.known_in(TRAIN), train)
    things = asked.moments["customer"].things[asked.at["customer"][train]]
    numbers = found.things["customer"].fields.numbers[things]
    learned = found.layout.edges["customer.*"]
    assert len(learned) == numbers.shape[1] == 3  # `spent` with a flag: some are missing
    for column, own in zip(numbers.T, learned, strict=True):
        every = np.sort(column)[(len(column) - 1) * np.arange(17) // 16]
        np.testing.assert_allclose(own, np.unique(every))
    assert [len(own) for own in learned] == [17, 4, 2]


def test_those_who_have_another_value_than_most_are_cut_by_themselves() -> None:
    """Nine of ten spent nothing: cut in sixteen, all but two of the cuts would be in one place."""
    spent = np.where(np.arange(1_000) % 10 == 0, np.arange(1_000), 0).astype(np.float32)
    cuts = edges._cut(spent).tolist()
    some = np.arange(10, 1_000, 10)
    assert set(some[98 * np.arange(17) // 16].tolist()) <= set(cuts)
    assert cuts[0] == 0 and cuts == sorted(set(cuts))
    halves = np.arange(1_000, dtype=np.float32) % 2  # none has another value than half have
    assert edges._cut(halves).tolist() == [0, 1]
    assert edges._cut(np.zeros(9, np.float32)).tolist() == [0]
    assert len(edges._cut(np.arange(1_000, dtype=np.float32))) == 17


@pytest.mark.parametrize("few", [200, 300])
def test_more_rows_are_read_as_they_are(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """The same table, where fewer rows than train would be few, and where more would."""
    monkeypatch.setattr(prepared, "FEW", few)
    found = read(project())
    (asked,) = found.asked.values()
    assert 200 < asked.known_in(TRAIN).sum() <= 300
    assert found.small is (few == 300)
    assert ("customer.*" in found.layout.edges) is found.small
    network = JointNetwork(project(), plan(project()), found.layout)
    assert bool(network.numeric) is found.small


def test_what_is_asked_at_a_moment_is_not_flat() -> None:
    event = pl.DataFrame(
        {
            "id": [f"c{n % 40}" for n in range(400)],
            "at": pl.Series((19_723 * 24 + np.arange(400)) * 3_600_000_000).cast(pl.Datetime("us")),
            "price": np.arange(400.0),
            "paid": np.arange(400) % 3 == 0,
        }
    )
    shop = project(
        event={"order": jr.Event(event, ("customer",), "at", features={"price": f.Number()})},
        tasks={"paid": t.Binary("order.paid")},
        split=jr.ByTime(test_days=3, valid_days=2),
    )
    found = read(shop)
    assert not found.small
    assert not [name for name in found.layout.edges if name.endswith("*")]
    run = Run(shop, plan(shop), found)
    assert (run.epochs, run.optimizer.param_groups[0]["weight_decay"]) == (6, 0.01)


def test_events_without_a_time_tell_numbers_too() -> None:
    event = pl.DataFrame(
        {
            "id": [f"c{n % 40}" for n in range(400)],
            "price": np.arange(400.0),
            "paid": np.arange(400) % 3 == 0,
        }
    )
    shop = project(
        event={"order": jr.Event(event, ("customer",), features={"price": f.Number()})},
        tasks={"paid": t.Binary("order.paid")},
    )
    found = read(shop)
    assert set(found.layout.edges) == {"customer.*", "order.*"}
    assert len(found.layout.edges["order.*"][0]) == 17


def test_passes_are_more_and_weights_fade_unless_told() -> None:
    shop = project()
    found = read(shop)
    run = Run(shop, plan(shop), found)
    steps = run.loader.steps
    assert run.epochs * steps >= 2_560 > (run.epochs - 1) * steps
    decay = run.optimizer.param_groups[0]["weight_decay"]
    # What a step adds has faded to 1/e after so many steps: sixteen passes.
    assert 1 / (decay * shop.optimizer.lr) == pytest.approx(16 * steps)
    told = project(
        budget=jr.Budget(epochs=3, patience=2), optimizer=jr.optimizers.AdamW(weight_decay=0.1)
    )
    run = Run(told, plan(told), found)
    assert run.epochs == 3
    assert run.optimizer.param_groups[0]["weight_decay"] == 0.1


def test_a_number_bends_what_is_said_at_its_edges() -> None:
    """Between two edges answers are linear in it, once pieces are heard; not across them."""
    shop = project()
    found = read(shop)
    network = JointNetwork(shop, plan(shop), found.layout).eval()
    (reader,) = network.numeric
    with torch.no_grad():
        reader.mixed.weight.normal_()
    bent_at = found.layout.edges["customer.*"][0]
    inner = torch.linspace(bent_at[4], bent_at[5], 5)
    across = torch.linspace(bent_at[2], bent_at[8], 5)
    for values, bent in ((inner, False), (across, True)):
        rows = torch.stack([values, *[torch.zeros(5)] * 3], dim=1)
        second = reader(rows).diff(n=2, dim=0).abs().max()
        assert bool(second > 1e-4) is bent
