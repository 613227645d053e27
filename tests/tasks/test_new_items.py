"""Items that were never sold are forecast by what they are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.sharing import SharedBottom

DAYS, ITEMS = 150, 120


@pytest.mark.parametrize(("counters", "times"), [((), 3.0), (("7d", "28d"), 2.5)])
def test_a_new_item_is_told_by_its_content(counters: tuple[str, ...], times: float) -> None:
    """Items come into the shop one after the other; large ones sell ten times as much.

    Where the past is counted, it is hidden in a few training rows, so that content is heard.
    """
    generator = np.random.default_rng(0)
    rates = generator.permutation(np.geomspace(0.3, 3.0, ITEMS))
    launched = np.linspace(0, DAYS - 10, ITEMS).astype(int)
    on_sale = np.arange(DAYS)[:, None] >= launched
    pieces = generator.poisson(np.where(on_sale, rates, 0.0))
    when, item = np.nonzero(pieces)
    start = np.datetime64("2024-01-01")
    lines = pl.DataFrame(
        {
            "item": [f"i{n}" for n in item],
            "at": [str(start + number) for number in when],
            "pieces": pieces[when, item],
        }
    )
    items = pl.DataFrame({"item": [f"i{n}" for n in range(ITEMS)], "size": np.log(rates)})
    shop = jr.Project(
        entity={"item": jr.Entity(items, key="item", features={"size": f.Number()}, id_floor=0)},
        event={"line": jr.Event(lines, entities=("item",), time="at")},
        tasks={"sales": t.Count(later.sum("line.pieces", of="item", within="7d", every="1d"))},
        counters=counters,
        sharing=SharedBottom(widths=(32, 16)),
        split=jr.ByTime(test_days=21, valid_days=21),
        budget=jr.Budget(epochs=8, rows=256, patience=2),
    )
    model = jr.fit(shop, compare=jr.Compare(alone=False, baselines=(), rounds=20))
    said = model.predict("sales", item=[{"size": float(np.log(rate))} for rate in (0.3, 3.0)])
    assert said["answer"][1] > times * said["answer"][0]
