"""A saved model comes back as it was, in another process, or not at all."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from journey_shop import same_weights

import jointrec as jr
from jointrec import durable
from jointrec.errors import BundleError
from jointrec.model.bundle import FORMAT

ANSWERS_AND_DIES = """
import os, signal, sys, torch
torch.set_num_threads(1)
import jointrec as jr
from jointrec.model import bundle
model = jr.load(sys.argv[1])
model.predict("gone").write_parquet(sys.argv[2] + "/gone.parquet")
model.predict("next", user=["u5", "nobody"]).write_parquet(sys.argv[2] + "/next.parquet")
asked = dict(user="u5", query="red shoes")
best = model.recommend(rank_by={"cart": 1, "revenue": 0.1}, **asked)
best.write_parquet(sys.argv[2] + "/best.parquet")
bundle.save_file = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
model.save(sys.argv[1])
"""


@pytest.fixture(scope="module")
def left(bundle, tmp_path_factory) -> Path:
    """What a fresh interpreter leaves, on one thread as here, that answers and is then killed while
    it saves the model over itself: the answers, and the model as `shop.joint`."""
    folder = tmp_path_factory.mktemp("left")
    shutil.copytree(bundle, folder / "shop.joint")
    command = [sys.executable, "-W", "error", "-c", ANSWERS_AND_DIES]
    ran = subprocess.run(
        [*command, str(folder / "shop.joint"), str(folder)],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ran.returncode == -9, ran.stderr
    return folder


def test_a_fresh_process_answers_the_same_to_the_bit(model, left):
    assert pl.read_parquet(left / "gone.parquet").equals(model.predict("gone"))
    listed = model.predict("next", user=["u5", "nobody"])
    assert pl.read_parquet(left / "next.parquet").equals(listed)
    best = model.recommend(rank_by={"cart": 1, "revenue": 0.1}, user="u5", query="red shoes")
    assert pl.read_parquet(left / "best.parquet").equals(best)


def test_what_is_loaded_is_what_was_saved(model, bundle, tmp_path):
    state = torch.random.get_rng_state()
    loaded = jr.load(bundle)
    assert torch.equal(torch.random.get_rng_state(), state)
    same_weights(loaded, model)
    assert loaded.declared == model.declared
    assert repr(loaded.report) == repr(model.report)
    assert loaded.report.to_json() == model.report.to_json()
    assert len({id(n) for n in loaded.networks.values()}) == len(
        {id(n) for n in model.networks.values()}
    )
    assert durable.content_hash(loaded.save(tmp_path / "new" / "again")) == durable.content_hash(
        bundle
    )


def test_what_is_loaded_can_be_measured(model, bundle):
    again = jr.load(bundle).evaluate(rounds=10)
    for name, task in again.tasks.items():
        assert repr(task.systems["joint"]) == repr(model.report.tasks[name].systems["joint"])


def test_a_kill_while_saving_leaves_the_old_model(bundle, left):
    assert durable.content_hash(left / "shop.joint") == durable.content_hash(bundle)
    jr.load(left / "shop.joint")


def files_of(bundle: Path) -> list[str]:
    return sorted(path.name for path in bundle.iterdir())


def test_damage_anywhere_is_refused(bundle, tmp_path):
    names = files_of(bundle)
    assert {"bundle.json", "manifest.json", "network-0.safetensors"} <= set(names)
    assert {"preparation.json", "project.toml", "report.json", "entity.user.parquet"} <= set(names)
    for name in names:
        copied = tmp_path / "shop.joint"
        shutil.copytree(bundle, copied)
        content = bytearray((copied / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copied / name).write_bytes(content)
        with pytest.raises(BundleError, match=name if name != "manifest.json" else "."):
            jr.load(copied)
        (copied / name).unlink()
        with pytest.raises(BundleError, match=name):
            jr.load(copied)
        shutil.rmtree(copied)
    shutil.copytree(bundle, copied)
    (copied / "added.py").write_text("print('hello')")
    with pytest.raises(BundleError, match=r"added\.py"):
        jr.load(copied)


def test_weights_that_are_no_numbers_are_refused(model, tmp_path):
    network = copy.deepcopy(model.networks["views"])
    with torch.no_grad():
        next(iter(network.parameters())).view(-1)[0] = torch.nan
    path = replace(model, networks={**model.networks, "views": network}).save(tmp_path / "bad")
    with pytest.raises(BundleError, match="not finite"):
        jr.load(path)


def forged(bundle: Path, path: Path, **changes) -> Path:
    """A bundle whose sums are right, though somebody wrote other files into it."""

    def fill(folder: Path) -> None:
        for name in files_of(bundle):
            if name != "manifest.json":
                shutil.copy(bundle / name, folder / name)
        for name, content in changes.items():
            (folder / name).write_bytes(content)

    durable.write_folder(path, fill)
    return path


def about(bundle: Path, **changes) -> bytes:
    known = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    return json.dumps({**known, **changes}).encode()


# A pickle that would make a folder, were it ever read as one.
PICKLE = b"cos\nmkdir\n(S'was-run'\ntR."


@pytest.mark.parametrize(
    "change",
    [
        lambda b: {"bundle.json": about(b, format=99)},
        lambda b: {"bundle.json": b"[]"},
        lambda b: {"bundle.json": b"no json"},
        lambda b: {"bundle.json": b"\xff\xfe"},
        lambda b: {"bundle.json": about(b, networks={"click": "network-0"})},
        lambda b: {"bundle.json": about(b, networks=dict.fromkeys(["click"], "../network-0"))},
        lambda b: {"bundle.json": about(b, networks=7)},
        lambda b: {"bundle.json": about(b, declared=7)},
        lambda b: {"bundle.json": about(b, declared="entity = 7")},
        lambda b: {"project.toml": b"entity = 7"},
        lambda b: {"preparation.json": b"{}"},
        lambda b: {"report.json": b"{}"},
        lambda b: {"network-0.safetensors": PICKLE},
        lambda b: {"network-0.safetensors": b""},
        lambda b: {"entity.user.parquet": PICKLE},
        lambda b: {"entity.user.parquet": (b / "entity.item.parquet").read_bytes()},
    ],
)
def test_a_bundle_made_by_hand_is_refused_and_nothing_runs(bundle, tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    path = forged(bundle, tmp_path / "forged", **change(bundle))
    with pytest.raises(BundleError):
        jr.load(path)
    assert files_of(tmp_path) == ["forged"]


def test_another_format_says_so(bundle, tmp_path):
    path = forged(bundle, tmp_path / "forged", **{"bundle.json": about(bundle, format=99)})
    with pytest.raises(BundleError, match=f"format 99, this version reads {FORMAT}"):
        jr.load(path)


def test_what_is_no_bundle_is_neither_read_nor_replaced(model, folder, tmp_path):
    for path in (folder, tmp_path / "nothing", folder / "shop.toml"):
        with pytest.raises(BundleError):
            jr.load(path)
    before = {
        path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.glob("*.parquet")
    }
    with pytest.raises(BundleError, match="not replaced"):
        model.save(folder)
    assert all(hashlib.sha256((folder / n).read_bytes()).digest() == s for n, s in before.items())
