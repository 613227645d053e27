"""A large table is read in bounded memory beside the columns themselves."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def benchmark() -> ModuleType:
    path = CHECKOUT / "benchmarks/speed/sql.py"
    spec = importlib.util.spec_from_file_location("sql_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite", "duckdb"])
def test_a_million_rows_take_little_beside_themselves(kind: str) -> None:
    found = benchmark().measured(kind, 1_000_000)
    assert found["rows"] == 1_000_000
    assert found["beside_it_mib"] < 300
