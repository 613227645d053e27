"""One small shop, fitted once for all journeys."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import journey_shop
import pytest
from journey_shop import QUICK
from quick import small_grains_seldom

import jointrec as jr
from jointrec.cli import main
from jointrec.model import Model

STEPS = 6
"""What a journey asks is that all goes its way, not that much is learned on it."""


@dataclass(frozen=True)
class Ran:
    """What a command came to; `said` is all of it in one line, however it was wrapped."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return " ".join((self.out + self.err).split())


@pytest.fixture
def cli(monkeypatch, capsys, tmp_path):
    """Runs a command as `jointrec` would, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["jointrec", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    return run


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with small_grains_seldom(steps=STEPS):
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return journey_shop.write(tmp_path_factory.mktemp("shop")).parent


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """Where the fitted model's run kept what it prepared."""
    return tmp_path_factory.mktemp("kept") / "cache"


@pytest.fixture(scope="session")
def run(folder, cache, tmp_path_factory) -> tuple[Model, Path]:
    """A fitted model, and the folder that it was written to."""
    out = tmp_path_factory.mktemp("run")
    project = jr.read(folder / "shop.toml")
    with small_grains_seldom(steps=STEPS):
        model = jr.fit(project, root=folder, out=out, compare=QUICK, cache=cache)
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
