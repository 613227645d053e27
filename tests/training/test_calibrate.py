"""A trained network is set right on its validation rows, and only there."""

import numpy as np
import torch
from shop_prepared import prepared, project

from jointrec.batches import Assembler
from jointrec.budget import Budget
from jointrec.calibration import Platt, Raw
from jointrec.network import answers_of
from jointrec.splits import VALID
from jointrec.training import Trained, train
from jointrec.training.calibrate import calibrate


def trained_with(calibration: object) -> tuple[Trained, object, object]:
    shop, planned, arrays = prepared(project(calibration=calibration, budget=Budget(epochs=1)))
    return train(shop, planned, arrays), planned, arrays


def answers(trained: Trained, arrays: object, task: str) -> tuple[np.ndarray, np.ndarray]:
    """What is said of the validation rows with known labels, and the labels."""
    asked = arrays.asked["impression"]
    rows = np.flatnonzero((asked.parts[task] == VALID) & ~np.isnan(asked.labels[task]))
    pieces = answers_of(trained.networks[task], arrays, asked, (task,), rows)
    return np.concatenate([piece[task] for piece in pieces]), asked.labels[task][rows]


def test_chances_are_right_on_the_whole_and_in_the_order_of_the_funnel() -> None:
    trained, _, arrays = trained_with(Platt())
    raw, _, _ = trained_with(Raw())
    for task in ("click", "buy"):
        said, seen = answers(trained, arrays, task)
        before, _ = answers(raw, arrays, task)
        # Numbers are drawn towards 0, and a step is right given the one before it: not to the row.
        assert abs(said.sum() - seen.sum()) < max(2.0, 0.05 * seen.sum())
        assert abs(said.sum() - seen.sum()) <= abs(before.sum() - seen.sum())
    click, _ = answers(raw, arrays, "click")
    assert (np.argsort(click) == np.argsort(answers(trained, arrays, "click")[0])).all()
    asked = arrays.asked["impression"]
    (both,) = answers_of(
        trained.networks["buy"], arrays, asked, ("click", "buy"), np.arange(len(asked))
    )
    assert (both["buy"] <= both["click"] + 1e-7).all()


def test_labels_of_other_parts_play_no_part() -> None:
    trained, planned, arrays = trained_with(Platt())
    network = trained.networks["click"]
    state = {name: value.clone() for name, value in network.calibrators.state_dict().items()}
    asked = arrays.asked["impression"]
    for task in ("click", "buy"):
        asked.labels[task][asked.parts[task] != VALID] = 0.0
    calibrate(network, Assembler(arrays, planned, 3), ("click", "buy"))
    for name, value in network.calibrators.state_dict().items():
        torch.testing.assert_close(value, state[name])
    asked.labels["click"][asked.parts["click"] == VALID] = 0.0
    calibrate(network, Assembler(arrays, planned, 3), ("click", "buy"))
    assert any(
        not torch.equal(value, state[name])
        for name, value in network.calibrators.state_dict().items()
    )
