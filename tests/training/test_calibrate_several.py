"""Sets of a trained network are set right on validation rows, and are served so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from quick import small_grains_seldom
from safetensors.numpy import load_file
from scipy.special import expit

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.batches import Assembler
from jointrec.calibration import Calibration, Following, Platt, Raw
from jointrec.functional.metrics import label_ece
from jointrec.network import answers_of, outputs_of
from jointrec.plan import plan
from jointrec.prepare import Prepared, asked_again, obtain
from jointrec.sharing import SharedBottom
from jointrec.splits import VALID
from jointrec.training import Trained, train
from jointrec.training.calibrate import calibrate

ROWS = 1_500
STYLES = np.array(["bold", "calm", "wild"])


def project(calibration: Calibration) -> jr.Project:
    """What people like follows their mood; some know nothing of it."""
    rng = np.random.default_rng(0)
    mood = rng.integers(0, 3, ROWS)
    likes = rng.random((ROWS, 3)) < np.eye(3)[mood] * 0.6 + 0.1
    said = [STYLES[row].tolist() for row in likes]
    table = pl.DataFrame(
        {
            "id": [f"c{n}" for n in range(ROWS)],
            "mood": np.array(["low", "even", "high"])[mood],
            "styles": [None if n % 10 == 0 else own for n, own in enumerate(said)],
        }
    )
    return jr.Project(
        entity={"customer": jr.Entity(table, "id", {"mood": f.Category()}, id_floor=0)},
        tasks={"styles": t.Multi("customer.styles")},
        sharing=SharedBottom(widths=(16, 8)),
        split=jr.ByEntity(valid=0.3),
        calibration=calibration,
        budget=jr.Budget(epochs=4, rows=256, patience=4),
    )


def trained_with(calibration: Calibration) -> tuple[Trained, Prepared]:
    shop = project(calibration)
    prepared = obtain(shop, plan(shop), None).prepared
    # Styles are liked more and less in the rows that validate than in those that train.
    (asked,) = prepared.asked.values()
    labels, valid = asked.labels["styles"], asked.parts["styles"] == VALID
    bits = labels[valid & (np.arange(len(labels)) % 3 == 0)]
    labels[valid & (np.arange(len(labels)) % 3 == 0)] = np.where(np.isnan(bits), np.nan, 1.0)
    with small_grains_seldom(rows=ROWS):
        return train(shop, plan(shop), prepared), prepared


def said_of(trained: Trained, prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """What is said of the validation rows with known labels, and the labels."""
    (asked,) = prepared.asked.values()
    rows = np.flatnonzero((asked.parts["styles"] == VALID) & ~np.isnan(asked.labels["styles"]))
    pieces = answers_of(trained.networks["styles"], prepared, asked, ("styles",), rows)
    return np.concatenate([piece["styles"] for piece in pieces]), asked.labels["styles"][rows]


@pytest.fixture(scope="module")
def raw() -> tuple[np.ndarray, np.ndarray]:
    return said_of(*trained_with(Raw()))


@pytest.mark.parametrize("calibration", [Platt(), Following()])
def test_each_style_is_right_on_the_whole_and_the_order_stays(
    calibration: Calibration, raw: tuple[np.ndarray, np.ndarray]
) -> None:
    said, labels = said_of(*trained_with(calibration))
    before, same = raw
    np.testing.assert_array_equal(labels, same)
    seen = labels.astype(int)[:, None] >> np.arange(3) & 1
    off = [np.abs(one.sum(axis=0) / seen.sum(axis=0) - 1) for one in (before, said)]
    assert off[0].max() > 0.2
    assert off[1].max() < 0.1  # numbers are drawn towards 0
    assert label_ece(labels, said) < 0.7 * label_ece(labels, before)
    for style in range(3):
        rising = said[np.argsort(before[:, style]), style]
        assert (np.diff(rising) >= -1e-6).all()  # chances that are level differ in their last bit


def test_labels_of_other_parts_play_no_part() -> None:
    trained, prepared = trained_with(Platt())
    network = trained.networks["styles"]
    (asked,) = prepared.asked.values()
    state = {name: value.clone() for name, value in network.calibrators.state_dict().items()}
    assembler = Assembler.of(network.project, prepared, network.plan)
    valid = asked.parts["styles"] == VALID
    asked.labels["styles"][~valid] = 7.0
    calibrate(network, assembler, ("styles",))
    for name, value in network.calibrators.state_dict().items():
        assert torch.equal(value, state[name])
    asked.labels["styles"][valid] = 7.0  # the plant is seen where it counts
    calibrate(network, assembler, ("styles",))
    moved = network.calibrators.state_dict()
    assert any(not torch.equal(value, state[name]) for name, value in moved.items())


def test_a_bundle_serves_them_set_right(tmp_path: Path) -> None:
    """Against the numbers in its file, by hand: those of Platt for all, then of each style."""
    with small_grains_seldom(rows=ROWS):
        model = jr.fit(project(Platt()), compare=jr.Compare(alone=False, baselines=()))
    served = jr.load(model.save(tmp_path / "model"))
    keys = [f"c{n}" for n in range(20)]
    told = served.predict("styles", customer=keys)
    assert told.equals(model.predict("styles", customer=keys))
    numbers = load_file(tmp_path / "model" / "network-0.safetensors")
    scale, shift, scales, shifts = (
        numbers[f"calibrators.0.{name}"]
        for name in ("shared.scale", "shared.shift", "scales", "shifts")
    )
    assert (shifts != 0).all()
    asked = asked_again(served.reader, served.plan.grain_of("styles"))
    network, found = served.networks["styles"], served.prepared.things["customer"].keys
    every = (network, served.prepared, asked, ["styles"], np.arange(len(asked)))
    heads = [own["styles"] for _, own in outputs_of(*every)]
    by_hand = expit((torch.cat(heads).numpy() * scale + shift) * scales + shifts)
    names = [found[int(n)] for n in asked.moments["customer"].things[asked.at["customer"]]]
    for key, row in zip(keys, told.select("^P.*$").rows(), strict=True):
        np.testing.assert_allclose(row, by_hand[names.index(key)], rtol=1e-5)
