from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec.errors import ProjectError
from jointrec.labels import DAY, later
from jointrec.project import parse
from jointrec.sharing import SharedBottom
from jointrec.tasks import Survival


def test_bins_grow_with_time_to_the_end() -> None:
    task = Survival(later.until("buy", of="user", within="16d"), bins=4)
    assert task.edges == (0.0, 1.0, 4.0, 9.0, 16.0)
    assert Survival("t.days", within="2w").days == 14.0


def test_the_constant_is_the_share_of_those_at_risk_in_each_bin() -> None:
    task = Survival("t.x", within="16d", bins=4)
    labels = np.array([0.5, 0.5, 2.0, -16.0, -16.0, -2.5])  # the last is in half of the second bin
    start = 1 / (1 + np.exp(-task.constant(labels, {})))
    assert start[0] == pytest.approx(2 / 6)
    assert start[1] == pytest.approx(1 / 3.5)


def test_a_person_reads_days_and_chances() -> None:
    task = Survival("t.x", within="60d", bins=20)
    rate = 1 / 20  # exponential: on average 20 days, of which 60 are followed
    told = -np.expm1(-rate * np.array([task.edges[1:]]))
    said = {name: values[0] for name, values in task.columns(told, {}).items()}
    assert list(said) == ["answer", "expected_days", "P(1d)", "P(7d)", "P(14d)", "P(30d)"]
    assert said["answer"] == pytest.approx(1 - np.exp(-3))
    assert said["P(7d)"] == pytest.approx(1 - np.exp(-0.35))
    assert said["expected_days"] == pytest.approx(20 * (1 - np.exp(-3)))
    sure = task.columns(np.array([[1.0] * 20, [0.0] * 20]), {})
    assert sure["expected_days"].is_finite().all()
    assert sure["expected_days"][1] == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"label": "t.x", "bins": 1}, "`bins` should be 2 to 100"),
        ({"label": "t.x", "within": "soon"}, "`soon` is not a duration"),
        (
            {"label": later.until("b", of="u", within="9d"), "within": "9d"},
            "A later label has its own",
        ),
    ],
)
def test_settings_that_cannot_be(settings, said) -> None:
    with pytest.raises(ProjectError) as caught:
        Survival(**settings)
    assert said in str(caught.value)


def test_in_the_file() -> None:
    shop = parse("""
        entity.user = { source = "users.csv", key = "id" }
        event.buy = { source = "buys.csv", entities = ["user"], time = "at" }
        [tasks.gone]
        kind = "Survival"
        label = { until = "buy", of = "user", within = "90d", active = "30d" }
    """)
    assert shop.tasks["gone"].label == later.until("buy", of="user", within="90d", active="30d")
    assert parse(shop.to_toml()) == shop


def test_it_learns_who_comes_back_sooner_from_rows_that_were_not_followed_to_the_end() -> None:
    """Three kinds of people, who buy every 4, 12 and 40 days on average."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 150)
    gaps = np.array([4.0, 12.0, 40.0])[kind]
    days = [np.cumsum(rng.exponential(gap, 60)) for gap in gaps]
    user, day = zip(*[(n, d) for n, all_ in enumerate(days) for d in all_ if d < 160], strict=True)
    buys = pl.DataFrame(
        {
            "user": [f"u{n}" for n in user],
            "at": pl.Series(((np.array(day) + 19_723) * DAY).astype(np.int64)).cast(
                pl.Datetime("us")
            ),
        }
    )
    users = pl.DataFrame(
        {"user": [f"u{n}" for n in range(150)], "kind": np.array(list("abc"))[kind]}
    )
    shop = jr.Project(
        entity={"user": jr.Entity(users, key="user", features={"kind": f.Category()}, id_floor=0)},
        event={"buy": jr.Event(buys, entities=("user",), time="at")},
        tasks={"back": Survival(later.until("buy", of="user", within="60d"))},
        counters=(),
        sharing=SharedBottom(widths=(32, 16)),
        split=jr.ByTime(test_days=40, valid_days=30),
        budget=jr.Budget(epochs=8, rows=256, patience=8),
    )
    model = jr.fit(shop, compare=jr.Compare(alone=False, baselines=(), rounds=20))
    measured = model.report.tasks["back"]
    # With windows of 60 days and 160 days of data, no label of a plain question would be known.
    assert measured.train_rows > 1_500
    assert measured.systems["joint"]["c_index"].low > 0.6
    said = model.predict("back", user=[f"u{list(kind).index(k)}" for k in range(3)])
    expected = 1 - np.exp(-14 / np.array([4.0, 12.0, 40.0]))
    np.testing.assert_allclose(said["P(14d)"].to_numpy(), expected, atol=0.15)
    assert said["expected_days"].is_sorted()
