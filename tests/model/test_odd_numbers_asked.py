"""A number that was odd in training is treated alike in a question."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.model.asking import Questions, ask
from jointrec.plan import plan
from jointrec.prepare import Preparation, Reader, load, prepare
from jointrec.prepare.cleaning.apply import usable_values

DAY = 86_400_000_000
START = 1_700_006_400_000_000  # 2023-11-15, midnight
ROWS = 400


def reader_of(cleaning: dict[str, str]) -> Reader:
    draw = np.random.default_rng(2)
    prices = draw.uniform(1, 10, ROWS).round(2)
    visits = pl.DataFrame(
        {
            "user": [f"u{n % 20}" for n in range(ROWS)],
            "at": [START + n * DAY // 5 for n in range(ROWS)],
            "price": prices,
            "bought": draw.integers(0, 2, ROWS),
        }
    )
    users = pl.DataFrame(
        {"user": [f"u{n}" for n in range(20)], "name": [f"n{n}" for n in range(20)]}
    )
    project = jr.Project(
        entity={"user": jr.Entity(users, key="user", features={"name": f.Text()})},
        event={"visit": jr.Event(visits, ("user",), time="at", features={"price": f.Number()})},
        tasks={"buy": t.Binary("visit.bought")},
        cleaning=cleaning,
    )
    reader, _, _ = prepare(project, plan(project), load(project))
    return reader


def asked(reader: Reader, price: float | None) -> np.ndarray:
    context = pl.DataFrame({"price": [price]}, schema={"price": pl.Float64})
    (grain,) = reader.plan.grains
    questions: Questions = ask(
        reader, grain, {"user": ["u1"]}, np.array([START + 90 * DAY]), context
    )
    return questions.asked.context.numbers


@pytest.fixture(scope="module")
def reader() -> Reader:
    return reader_of({"negative_number": "null"})


def test_an_absurd_number_is_unknown_and_a_large_one_is_capped(reader: Reader):
    unknown, limit = asked(reader, None), reader.preparation.limits["large_number"]["visit.price"]
    assert (asked(reader, 2e9) == unknown).all()
    assert (asked(reader, -2e9) == unknown).all()
    assert (asked(reader, -1.0) == unknown).all()
    assert (asked(reader, limit * 5) == asked(reader, limit)).all()
    assert (asked(reader, 5.0) != unknown).any()


def test_what_was_to_stay_stays():
    reader = reader_of({"absurd_number": "keep", "event.visit.large_number": "keep"})
    for price in (2e9, 5_000.0, -1.0):
        assert (asked(reader, price) != asked(reader, None)).any()


def test_what_would_set_a_row_aside_is_unknown_in_a_question():
    reader = reader_of({"absurd_number": "quarantine"})
    assert (asked(reader, 2e9) == asked(reader, None)).all()


def test_limits_travel_with_the_preparation(reader: Reader):
    again = Preparation.from_json(reader.preparation.to_json())
    assert again.limits == reader.preparation.limits
    frame = pl.DataFrame({"price": [1.0, 2e9, None, -3.0]})
    read = usable_values(reader.project, again.limits, "visit", frame)
    assert read["price"].to_list() == [1.0, None, None, None]
    assert usable_values(reader.project, again.limits, "user", frame).equals(frame)
