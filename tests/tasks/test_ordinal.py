from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from jointrec.errors import DataError, ProjectError
from jointrec.project import parse
from jointrec.tasks import Ordinal


def test_levels_are_the_numbers_seen_or_those_declared() -> None:
    thirds = Ordinal("t.x").learn(pl.Series([3.0, 1.0, 2.33, 1.0]))
    assert thirds == {"levels": ["1", "2.33", "3"], "values": [1.0, 2.33, 3.0]}
    assert Ordinal("t.x", levels=3).learn(pl.Series([2, 0]))["levels"] == ["0", "1", "2"]
    assert Ordinal("t.x", levels=5).learn(pl.Series([5, 3]))["values"] == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_words_stand_in_the_order_declared() -> None:
    task = Ordinal("t.x", levels=("small", "middle", "large"))
    assert task.reads == "id"
    state = task.learn(pl.Series(["large"]))
    codes = task.encode(pl.Series(["large", "small", "huge", None]), state)
    np.testing.assert_array_equal(codes, [2.0, 0.0, np.nan, np.nan])
    columns = task.columns(np.array([[0.5, 0.0, 0.5]]), state)
    assert columns["answer"].to_list() == [1.0]
    assert columns["level"].to_list() == ["small"]
    assert columns["P(large)"].to_list() == [0.5]


def test_a_person_reads_the_grade_in_the_numbers_of_the_label() -> None:
    task = Ordinal("t.x")
    state = task.learn(pl.Series([1.0, 2.5, 4.0]))
    columns = task.columns(np.array([[0.0, 0.5, 0.5]]), state)
    assert columns["answer"].to_list() == [3.25]
    assert task.worth(np.array([[0.0, 0.5, 0.5]])).tolist() == [1.5]


def test_a_level_that_training_never_saw_has_a_small_chance() -> None:
    task = Ordinal("t.x", levels=3)
    state = task.learn(pl.Series([0, 2]))
    start = torch.from_numpy(task.constant(np.array([0.0] * 50 + [2.0] * 50), state))[None]
    assert task.answer(start)[0].tolist() == pytest.approx([0.4975, 0.005, 0.4975], abs=1e-4)


@pytest.mark.parametrize(
    ("levels", "said"),
    [(1, "`levels` should be 2 to 100. Found `1`."), (("a", "a"), "each level once. Found a, a.")],
)
def test_levels_that_are_none(levels, said) -> None:
    with pytest.raises(ProjectError) as caught:
        Ordinal("t.x", levels=levels)
    assert said in str(caught.value)


def test_labels_that_are_no_levels() -> None:
    with pytest.raises(DataError) as caught:
        Ordinal("t.x", levels=4).learn(pl.Series([0.0, 1.5, 9.0]))
    assert str(caught.value) == (
        "`t.x` should hold whole numbers from 0 to 3, or from 1 to 4, as levels = 4 says. "
        "Found 1.5, 9. Leave `levels` out to take the numbers as they come."
    )
    with pytest.raises(DataError, match="has 200 levels; an Ordinal has at most 100"):
        Ordinal("t.x").learn(pl.Series(range(200)))


def test_levels_in_the_file() -> None:
    shop = parse("""
        entity.j = { source = "j.csv" }
        tasks.a = { kind = "Ordinal", label = "j.grade", levels = 4 }
        tasks.b = { kind = "Ordinal", label = "j.fit", levels = ["small", "large"] }
    """)
    assert shop.tasks["a"].levels == 4
    assert shop.tasks["b"].levels == ("small", "large")
    assert parse(shop.to_toml()) == shop
