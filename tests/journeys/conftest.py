"""One small shop, fitted once for all journeys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import journey_shop
import pytest
from journey_shop import QUICK
from quick import small_grains_seldom

import jointrec as jr
from jointrec.model import Model


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with small_grains_seldom():
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return journey_shop.write(tmp_path_factory.mktemp("shop")).parent


@pytest.fixture(scope="session")
def run(folder, tmp_path_factory) -> tuple[Model, Path]:
    """A fitted model, and the folder that it was written to."""
    out = tmp_path_factory.mktemp("run")
    with small_grains_seldom():
        model = jr.fit(jr.read(folder / "shop.toml"), root=folder, out=out, compare=QUICK)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report == json.loads(model.report.to_json())
    assert list(report["tasks"]) == list(model.project.tasks)
    assert {path.name for path in out.iterdir()} == {
        "checkpoints", "findings.csv", "model", "report.json",
    }  # fmt: skip
    return model, out


@pytest.fixture(scope="session")
def model(run) -> Model:
    return run[0]


@pytest.fixture(scope="session")
def bundle(run) -> Path:
    return run[1] / "model"
