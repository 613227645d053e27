"""The control: a reader that trusts and guesses gets much of the same corpus wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hostile_case import Case, same
from test_hostile_input import KINDS

from jointrec.sources import Cell

LIGHT = [
    "007 and 7", "huge integers", "odd ids", "headers", "NUL bytes", "latin-1 and cp1252",
    "infinity and NaN", "ragged rows", "words for nothing", "open quotes", "decimal commas",
    "epochs",
]  # fmt: skip


def naive(path: Path, names: list[str]) -> list[tuple[Any, ...]]:
    """What most programs do with a CSV file."""
    table = pacsv.read_csv(path)
    return list(zip(*[table.column(name).to_pylist() for name in names], strict=True))


def outcome(case: Case, folder: Path) -> str:
    """How the naive reader fares: right, wrong, refused where it need not, or silent."""
    case.write(folder)
    try:
        read = naive(folder / case.source, list(case.cells))
    except (pa.ArrowException, ArithmeticError, KeyError, ValueError, OSError):
        return "right" if case.error else "refused"
    if case.error:
        return "silent"
    wanted = case.rows_read()
    if len(read) != len(wanted):
        return "rows lost"
    both = [pair for one, other in zip(read, wanted, strict=True) for pair in zip(one, other)]  # noqa: B905
    return "right" if all(same(one, other) for one, other in both) else "wrong"


@pytest.mark.parametrize("kind", LIGHT)
def test_a_naive_reader_gets_some_of_each_kind_wrong(kind: str, tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    for n, case in enumerate(KINDS[kind]):
        if case.source == "t.csv" and Cell.ID in case.cells.values():
            (tmp_path / str(n)).mkdir()
            found[outcome(case, tmp_path / str(n))] += 1
    assert found["wrong"] + found["silent"] + found["rows lost"] + found["refused"] > 0, found


@pytest.mark.slow
def test_it_gets_most_of_the_corpus_wrong(tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    for kind, cases in KINDS.items():
        for n, case in enumerate(cases):
            if case.source == "t.csv" and case.meanwhile is None and kind != "no plain file":
                (tmp_path / kind / str(n)).mkdir(parents=True)
                found[outcome(case, tmp_path / kind / str(n))] += 1
    assert found["wrong"] > 50 and found["silent"] > 20, found
    assert found["right"] < found.total() / 2, found
