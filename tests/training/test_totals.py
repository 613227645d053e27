"""The sums of amounts and counts are set right on the rows of validation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

import jointrec as jr
from jointrec import features as f
from jointrec import later
from jointrec import tasks as t
from jointrec.calibration import Raw
from jointrec.sharing import SharedBottom
from jointrec.training.totals import drawn_in

DAYS = 120


def shop(calibration: jr.calibration.Calibration) -> jr.Project:
    """Sales that double for good five weeks before the end, in the weeks that validate and test."""
    generator = np.random.default_rng(3)
    rates = np.geomspace(0.5, 6.0, 25)
    sold = [
        {"item": f"i{n}", "at": f"2024-{1 + day // 30:02}-{1 + day % 28:02}", "pieces": pieces}
        for day in range(DAYS)
        for n, rate in enumerate(rates)
        if (pieces := int(generator.poisson(rate * (2 if day > DAYS - 35 else 1))))
    ]
    items = pl.DataFrame({"item": [f"i{n}" for n in range(25)], "size": np.log(rates)})
    return jr.Project(
        entity={"item": jr.Entity(items, key="item", features={"size": f.Number()})},
        event={"line": jr.Event(pl.DataFrame(sold), entities=("item",), time="at")},
        tasks={"sales": t.Count(later.sum("line.pieces", of="item", within=["3d", "7d"]))},
        counters=(),
        sharing=SharedBottom(widths=(16, 8)),
        split=jr.ByTime(test_days=14, valid_days=14),
        budget=jr.Budget(epochs=3, rows=256),
        calibration=calibration,
    )


def test_a_factor_is_drawn_to_one_where_little_is_known() -> None:
    few, many = (torch.tensor([1.0, 3.0], dtype=torch.float64).repeat(n) for n in (1, 500))

    def factor(labels: torch.Tensor) -> float:
        # A flat answer of half of the mean: twice as much is right, as far as rows tell.
        return drawn_in(lambda log: np.exp(log) - labels, float(labels.sum()))

    assert factor(many) == pytest.approx(np.log(2), abs=0.01)
    assert 0 < factor(few) < 0.6
    assert drawn_in(lambda log: few, 0.0) == 0.0


def test_sums_follow_what_was_sold_lately_and_horizons_stay_in_order() -> None:
    compare = jr.Compare(alone=False, baselines=(), rounds=20)
    said, raw = (jr.fit(shop(way), compare=compare) for way in (jr.calibration.Platt(), Raw()))
    for task in ("sales_3d", "sales_7d"):
        off, before = (m.report.tasks[task].systems["joint"]["bias"].value for m in (said, raw))
        assert before < -0.2
        assert abs(off) < 0.5 * abs(before)
    order = said.report.tasks["sales_7d"].systems["joint"]["order_violations"]
    assert order.value == 0.0
