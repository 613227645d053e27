"""The same question over several lengths of time: forecasts that cannot cross."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from quick import small_grains_seldom

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.labels import DAY, later
from jointrec.prepare import asked_again
from jointrec.project import parse
from jointrec.sharing import SharedBottom
from jointrec.tasks.horizons import horizons_of, unfolded

SOLD = {days: later.sum("line.pieces", of="item", within=f"{days}d") for days in (7, 14)}
ANY = {days: later.any("line", of="item", within=f"{days}d") for days in (7, 14)}
NO = {days: later.no("line", of="item", within=f"{days}d") for days in (7, 14)}
KINDS = {
    "count": (t.Count(SOLD[7]), t.Count(SOLD[14])),
    "poisson": tuple(t.Count(SOLD[d], distribution="poisson") for d in (7, 14)),
    "quantiles": (t.Quantiles(SOLD[7]), t.Quantiles(SOLD[14])),
    "any": (t.Binary(ANY[7]), t.Binary(ANY[14])),
    "no": (t.Binary(NO[7]), t.Binary(NO[14])),
    **{
        name: tuple(t.Amount(SOLD[d], distribution=name) for d in (7, 14))
        for name in ("zero_inflated_lognormal", "lognormal", "tweedie", "huber_log")
    },
}
each = pytest.mark.parametrize("name", KINDS)


@each
@given(data=st.data())
@settings(max_examples=40)
def test_a_longer_time_is_never_less(name, data) -> None:
    shorter, longer = KINDS[name]
    assert longer.lengthens(shorter)
    assert not shorter.lengthens(longer)
    size = longer.size({})
    numbers = st.lists(st.floats(-6, 6), min_size=size, max_size=size)
    earlier, own = (torch.tensor([data.draw(numbers)], dtype=torch.float64) for _ in range(2))
    found = longer.grow(earlier, own)
    first, second = shorter.answer(earlier), longer.answer(found)
    if name == "no":
        first, second = second, first
    assert (second >= first * (1 - 1e-9)).all()


@each
def test_the_gradient_is_the_slope(name) -> None:
    longer, generator = KINDS[name][1], torch.manual_seed(0)
    outputs = [
        torch.randn(4, longer.size({}), dtype=torch.float64, generator=generator).requires_grad_()
        for _ in range(2)
    ]
    assert torch.autograd.gradcheck(longer.grow, outputs)


@each
def test_it_starts_at_the_best_constant(name) -> None:
    shorter, longer = KINDS[name]
    rng = np.random.default_rng(0)
    few = rng.poisson(1.0, 500).astype(float)
    many = few + rng.poisson(2.0, 500)
    if name in ("any", "no"):
        few, many = ((x > 0).astype(float) for x in (few, many))
    if name == "no":
        few, many = 1 - few, 1 - many
    if name == "lognormal":
        few, many = few + 1, many + 1
    one, other = shorter.constant(few, {}), longer.constant(many, {})
    start = torch.tensor([longer.grow_start(tuple(other), tuple(one))], dtype=torch.float64)
    found = longer.grow(torch.from_numpy(one)[None], start)
    said = longer.answer(torch.from_numpy(other)[None])
    torch.testing.assert_close(longer.answer(found), said, rtol=1e-3, atol=1e-3)
    # Where the longer time has less, which no truth has, the start is a little more.
    odd = longer.grow_start(tuple(one), tuple(other))
    assert np.isfinite(odd).all()


def test_one_task_becomes_one_for_each_horizon() -> None:
    sales = t.Count(later.sum("line.pieces", of="item", within=["28d", "7d", "14d"]))
    found = unfolded({"sales": sales, "other": t.Binary("item.odd")})
    assert list(found) == ["sales_7d", "sales_14d", "sales_28d", "other"]
    assert [task.after for task in found.values()] == [None, "sales_7d", "sales_14d", None]
    assert unfolded(found) == found
    assert horizons_of(found, "sales") == {"7d": "sales_7d", "14d": "sales_14d", "28d": "sales_28d"}
    assert horizons_of(found, "other") == {}


def test_the_file_has_the_list_and_gives_the_tasks() -> None:
    shop = parse("""
        entity.item = { source = "items.csv", key = "id" }
        event.line = { source = "lines.csv", entities = ["item"], time = "at" }
        [tasks.sales]
        kind = "Count"
        label = { sum = "line.n", of = "item", within = ["7d", "14d"] }
    """)
    assert list(shop.tasks) == ["sales_7d", "sales_14d"]
    assert parse(shop.to_toml()) == shop


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ({"s": t.Count(later.count("l", of="i", within=[]))}, "name at least one duration"),
        (
            {
                "s": t.Count(later.count("l", of="i", within=["7d", "1d"])),
                "s_1d": t.Binary("i.x"),
            },
            "its horizons make a task `s_1d`",
        ),
        (
            {"s": t.Count(later.count("l", of="i", within=["7d", "1d"]), after="x")},
            "comes after nothing but its own",
        ),
        ({"s": t.Count(later.count("l", of="i", within=["7d", "x"]))}, "`x` is not a duration"),
        ({"s": t.Choice(later.count("l", of="i", within=["7d", "1d"]))}, "Choice has one horizon"),
    ],
)
def test_what_cannot_be_unfolded(tasks, said) -> None:
    with pytest.raises(ProjectError) as caught:
        unfolded(tasks)
    assert said in str(caught.value)


@pytest.fixture(scope="module")
def model() -> jr.Model:
    """Thirty items that sell at rates of their own, for half a year."""
    rng = np.random.default_rng(0)
    rate = rng.permutation(np.geomspace(0.05, 4.0, 30))
    sold = rng.poisson(rate, (180, 30))
    day, item = np.nonzero(sold)
    lines = pl.DataFrame(
        {
            "item": [f"i{n}" for n in item],
            "at": pl.Series((19_723 + day) * 86_400_000_000 + 3_600_000_000).cast(
                pl.Datetime("us")
            ),
            "pieces": sold[day, item],
        }
    )
    items = pl.DataFrame({"item": [f"i{n}" for n in range(30)], "size": np.log(rate)})
    horizons = ["7d", "14d", "28d"]
    shop = jr.Project(
        entity={"item": jr.Entity(items, key="item", features={"size": f.Number()})},
        event={"line": jr.Event(lines, entities=("item",), time="at")},
        tasks={
            "sales": t.Count(later.sum("line.pieces", of="item", within=horizons)),
            "band": t.Quantiles(later.sum("line.pieces", of="item", within=horizons[:2])),
        },
        sharing=SharedBottom(widths=(32, 16)),
        split=jr.ByTime(test_days=42, valid_days=28),
        budget=jr.Budget(epochs=8, rows=128, patience=8),
    )
    with small_grains_seldom(rows=2_000):
        return jr.fit(shop, compare=jr.Compare(alone=False, baselines=(), rounds=20))


def test_forecasts_do_not_cross_and_are_right_on_the_whole(model) -> None:
    said = model.predict("sales")
    bands = ["low_95", "low_80", "high_80", "high_95"]
    assert said.columns == ["item", "answer", *bands, "within"]
    assert (said["low_95"] <= said["low_80"]).all()
    assert (said["low_80"] < said["high_80"]).all()
    assert said["within"].to_list()[:4] == ["7d", "14d", "28d", "7d"]
    wide = said.pivot("within", index="item", values="answer")
    assert (wide["7d"] <= wide["14d"]).all()
    assert (wide["14d"] <= wide["28d"]).all()
    assert wide["28d"].sum() == pytest.approx(4 * wide["7d"].sum(), rel=0.25)
    for task in ("sales_14d", "sales_28d", "band_14d"):
        assert model.report.tasks[task].systems["joint"]["order_violations"].value == 0.0
    for days in (7, 14, 28):
        bias = model.report.tasks[f"sales_{days}d"].systems["joint"]["bias"]
        assert abs(bias.value) < 0.25
    bands = model.predict("band", item="i3")
    assert bands.columns == ["item", "answer", "q10", "q50", "q90", "within"]
    assert bands["q90"][0] <= bands["q90"][1]


def test_each_horizon_is_known_as_far_as_its_own_window(model) -> None:
    asked = asked_again(model.reader, model.plan.grain_of("sales_7d"))
    until = model.reader.tables.until
    for days in (7, 14, 28):
        known = ~np.isnan(asked.labels[f"sales_{days}d"])
        np.testing.assert_array_equal(known, asked.times + days * DAY <= until)


def test_bands_hold_as_often_as_they_say(model) -> None:
    """Poisson sales of known rates, two weeks after the data: most lie in the band of 80 %."""
    rates = np.random.default_rng(0).permutation(np.geomspace(0.05, 4.0, 30))
    later_on = np.random.default_rng(1).poisson(14 * rates, (200, 30))
    said = model.predict("sales_14d", item=[f"i{n}" for n in range(30)])
    within = (later_on >= said["low_80"].to_numpy()) & (later_on <= said["high_80"].to_numpy())
    assert 0.7 < within.mean() < 0.97


def test_ways_that_ask_each_horizon_by_itself_contradict_themselves() -> None:
    from jointrec.evaluation.order import _contradicts

    week, month = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 3.9]])
    assert _contradicts(month, week, grows=True).tolist() == [0.0, 1.0]
    assert _contradicts(month[:, 0], week[:, 0], grows=True).tolist() == [0.0, 0.0]
    assert _contradicts(np.array([0.2, 0.4]), np.array([0.3, 0.3]), grows=False).tolist() == [0, 1]
