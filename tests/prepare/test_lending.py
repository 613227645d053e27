"""What is lent to other processes is what was prepared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shop_prepared
import simulated_shop
import test_versions

from jointrec.plan import plan
from jointrec.prepare import Prepared, borrow, lend, load, prepare
from jointrec.project import Project

LEFT = ("words", "dated")
"""What nobody who trains asks for."""


def differences(one: Any, other: Any, at: str = "prepared") -> list[str]:
    """Where two prepared shops differ, but for what is not lent."""
    if is_dataclass(one):
        return [
            found
            for name in (field.name for field in fields(one))
            if name not in LEFT
            for found in differences(getattr(one, name), getattr(other, name), f"{at}.{name}")
        ]
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        return [] if same and np.array_equal(one, other, equal_nan=one.dtype.kind == "f") else [at]
    if isinstance(one, pl.Series):
        return [] if len(one) == len(other) else [at]
    if isinstance(one, Mapping):
        if [*one] != [*other]:
            return [at]
        return [f for name in one for f in differences(one[name], other[name], f"{at}.{name}")]
    if isinstance(one, tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [f for n, (a, b) in pairs for f in differences(a, b, f"{at}.{n}")]
    return [] if one == other else [at]


def lent(project: Project, prepared: Prepared, folder: Path) -> Prepared:
    """What comes back."""
    folder.mkdir()
    lend(folder, prepared)
    return borrow(folder, plan(project))


def test_it_is_all_there(tmp_path: Path) -> None:
    shop, _, arrays = shop_prepared.prepared()
    assert differences(arrays, lent(shop, arrays, tmp_path / "catalogue")) == []
    assert [*arrays.popularity] == ["next"]
    simulated = simulated_shop.project()
    arrays = simulated_shop.prepared_shop()[1]
    assert differences(arrays, lent(simulated, arrays, tmp_path / "simulated")) == []
    assert arrays.asked["impression"].pairs


def test_what_changes_with_time_is_there(tmp_path: Path) -> None:
    shop = test_versions.project()
    _, arrays, _ = prepare(shop, plan(shop), load(shop))
    back = lent(shop, arrays, tmp_path / "versions")
    versions = arrays.things["user"].versions
    assert versions is not None
    codes, moments = np.arange(5), np.full(5, versions.line.times.max())
    assert versions.at(codes, moments).tolist() != codes.tolist()
    assert back.things["user"].at(codes, moments).tolist() == versions.at(codes, moments).tolist()
    assert [f for f in differences(arrays, back) if ".sums" not in f] == []


def test_a_difference_is_found(tmp_path: Path) -> None:
    shop, _, arrays = shop_prepared.prepared()
    back = lent(shop, arrays, tmp_path / "one")
    changed = np.array(back.asked["impression"].labels["click"])
    changed[0] += 1
    back.asked["impression"].labels["click"] = changed  # type: ignore[index]
    assert differences(arrays, back) == ["prepared.asked.impression.labels.click"]
