"""A column of keys is read as a list of them is, whatever tables hold."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.model.asking import Questions, ask
from jointrec.plan import plan
from jointrec.prepare import Reader, load, prepare

KEYS = ["u2", "new words", "", "u1", "new words", "u2"]


def reader_of(features: dict[str, f.Feature]) -> Reader:
    users = pl.DataFrame({"user": ["u1", "u2"], "seen": [0, 1]})
    users = users.with_columns(name=pl.lit("words"), more=pl.lit("words"))
    visits = pl.DataFrame({"user": ["u1", "u2"] * 50, "bought": [0, 1, 1, 0] * 25})
    project = jr.Project(
        entity={"user": jr.Entity(users, key="user", features=features)},
        event={"visit": jr.Event(visits, ("user",))},
        tasks={"buy": t.Binary("visit.bought")},
    )
    return prepare(project, plan(project), load(project))[0]


def asked(reader: Reader, keys: list[str] | pl.Series) -> Questions:
    (grain,) = reader.plan.grains
    return ask(reader, grain, {"user": keys}, None, pl.DataFrame({"@row": range(len(keys))}))


@pytest.mark.parametrize(
    ("features", "new"),
    [({"name": f.Text()}, 1), ({"seen": f.Number()}, 0), ({"name": f.Text(), "more": f.Text()}, 0)],
    ids=["a key may be a text", "it may not", "of which text, nobody knows"],
)
def test_a_column_of_keys_is_asked_as_a_list_of_them(features: dict[str, f.Feature], new: int):
    reader = reader_of(features)
    column, listed = (asked(reader, keys) for keys in (pl.Series("visitor", KEYS), KEYS))
    for said in (column, listed):
        assert said.keys["user"].to_list() == KEYS
        assert said.keys["user"].name == "user"
        assert len(said.reader.things["user"].keys) == 3 + new
    things = [said.asked.moments["user"].things[said.asked.at["user"]] for said in (column, listed)]
    np.testing.assert_array_equal(*things)
    stranger = 3 if new else 0
    place = reader.tables.codes("user")
    expected = [place["u2"], stranger, 0, place["u1"], stranger, place["u2"]]
    assert things[0].tolist() == expected
