"""What is prepared on disk, piece by piece, is what is prepared in memory, bit for bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_series_equal
from simulated_shop import prepared_shop, project

from jointrec.plan import plan
from jointrec.prepare import load, prepare
from jointrec.prepare.mapped import TableFile, column_in_file
from jointrec.prepare.workspace import IN_MEMORY, OnDisk


def arrays(value: Any, at: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array below an object, and where it stands."""
    if isinstance(value, np.ndarray):
        yield at, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from arrays(part, f"{at}/{name}")
    elif isinstance(value, tuple):
        for number, part in enumerate(value):
            yield from arrays(part, f"{at}/{number}")
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from arrays(getattr(value, field.name), f"{at}.{field.name}")


@pytest.mark.parametrize("piece", [997, 10**6])
def test_on_disk_it_is_the_same(tmp_path: Path, piece: int):
    declared = project()
    reader, made, _ = prepare(
        declared, plan(declared), load(declared), OnDisk(tmp_path, piece=piece)
    )
    expected_reader, expected = prepared_shop()
    assert reader.preparation.to_json() == expected_reader.preparation.to_json()
    found, wanted = dict(arrays(made)), dict(arrays(expected))
    assert found.keys() == wanted.keys() and len(wanted) > 100
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_nothing_of_the_scratch_is_left(tmp_path: Path):
    with OnDisk(tmp_path).scratch() as room:
        kept = room.keep(np.arange(5))
        assert len(list(tmp_path.rglob("*.npy"))) == 1
    assert list(tmp_path.iterdir()) == []
    assert kept.tolist() == [0, 1, 2, 3, 4]


def test_an_array_is_written_once(tmp_path: Path):
    room = OnDisk(tmp_path)
    kept = room.keep(np.arange(5))
    assert room.keep(kept) is kept
    assert [path.name for path in tmp_path.iterdir()] == ["00000.npy"]
    assert np.load(tmp_path / "00000.npy").tolist() == kept.tolist()


def test_no_array_is_written_over_another(tmp_path: Path):
    room, kept = OnDisk(tmp_path), []
    for number in range(20):
        room.keep(np.full(4_096, -1.0))  # nobody needs it, and another takes its place in memory
        kept.append(room.keep(np.full(4_096, number)))
        assert room.keep(np.full(4_096, 0.5)).base is not None
    assert [array[0] for array in kept] == list(range(20))


def test_nothing_is_written_of_empty_arrays_nor_in_memory(tmp_path: Path):
    empty = np.zeros((0, 3), np.float32)
    assert OnDisk(tmp_path).keep(empty) is empty
    assert OnDisk(tmp_path).empty((4, 0), np.float32).shape == (4, 0)
    assert list(tmp_path.iterdir()) == []
    assert IN_MEMORY.keep(empty) is empty


def test_a_table_of_several_runs_is_not_joined_in_memory(tmp_path: Path):
    file = TableFile(tmp_path)
    for run in (["x", "y"], ["z"]):
        file.add(pl.DataFrame({"a": run}))
    table = file.read()
    assert table["a"].to_list() == ["x", "y", "z"]
    assert table["a"].n_chunks() == 2, "one run is a copy of all rows"
    assert not list(tmp_path.iterdir())


COLUMNS = [
    [1.5, None, 3.0, -0.0, 7.0],
    [1, 2, 3, 4, 5],
    ["a", None, "", "twelve bytes", "é"],
    ["a", "b", "c", None, "a text that is long"],
    ["a text that is long", None, "c", "d", "e"],
    [["a"], [], None, ["b", "c"], ["d"]],
    [True, None, False, True, True],
    [None, None, None, None, None],
]


@pytest.mark.parametrize("values", COLUMNS)
@pytest.mark.parametrize("cuts", [(5,), (2, 5), (1, 2, 3, 5), (0, 4, 4, 5)])
def test_a_column_in_a_file_is_the_column(tmp_path: Path, values: list[Any], cuts: tuple[int, ...]):
    column = pl.Series("name", values)
    pieces = [column[a:b] for a, b in pairwise((0, *cuts))]
    found = column_in_file(tmp_path, pieces)
    assert_series_equal(found, column)
    assert found.n_chunks() == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rows", [1, 8, 23, 24, 25, 200])
def test_which_values_are_known_is_kept_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
):
    monkeypatch.setattr("jointrec.durable.pieces.PIECE", 3)  # bytes, so 24 values
    values = [None if n % 3 == 1 else n for n in range(rows)]
    pieces = [pl.Series("a", values[:5], pl.Int64), pl.Series("a", values[5:], pl.Int64)]
    assert column_in_file(tmp_path, pieces).to_list() == values
    assert list(tmp_path.iterdir()) == []
