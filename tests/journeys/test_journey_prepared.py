"""From prepared data, on another machine as it were: the same bits as from the tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from journey_shop import QUICK

import jointrec as jr
from jointrec.cli import main


@pytest.fixture(scope="module")
def prepared(folder: Path, tmp_path_factory) -> Path:
    """What `jointrec prepare` writes, in a place where the tables are not."""
    out = tmp_path_factory.mktemp("elsewhere") / "prepared"
    with pytest.MonkeyPatch.context() as patch:
        command = ["prepare", str(folder / "shop.toml"), "--root", str(folder), "--out", str(out)]
        patch.setattr("sys.argv", ["jointrec", *command, "--no-cache"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return out


def test_a_model_of_prepared_data_is_the_model_of_the_tables(prepared, run, tmp_path):
    wanted, _ = run
    project = jr.read(prepared / "project.toml")
    model = jr.fit(project, prepared=prepared, out=tmp_path / "run", compare=QUICK)
    for task, network in wanted.networks.items():
        weights = model.networks[task].weights()
        for name, tensor in network.weights().items():
            assert torch.equal(tensor, weights[name]), f"{task}: {name}"
    # Not a number is not equal to itself, but its text is.
    assert repr(model.report.tasks) == repr(wanted.report.tasks)
    shutil.move(prepared, tmp_path / "gone")
    asked = {"user": "u7", "item": ["i1", "i2"], "query": "q3"}
    loaded = jr.load(tmp_path / "run" / "model")
    for one in (model, loaded):
        assert one.predict("cart", **asked).equals(wanted.predict("cart", **asked))
        assert one.predict("gone").equals(wanted.predict("gone"))
    found, told = (one.evaluate(rounds=10).tasks for one in (loaded, wanted))
    assert repr(found) == repr(told)
    shutil.move(tmp_path / "gone", prepared)


def test_a_second_fit_finds_what_was_prepared(folder, run, cache):
    wanted, _ = run
    said = []

    class Told(jr.training.Watch):
        def say(self, text: str) -> None:
            said.append(text)

    project = jr.read(folder / "shop.toml")
    model = jr.fit(project, root=folder, cache=cache, compare=QUICK, watch=Told())
    for task, network in wanted.networks.items():
        for name, tensor in network.weights().items():
            assert torch.equal(tensor, model.networks[task].weights()[name])
    assert f"prepared before: found in {cache}" in said
