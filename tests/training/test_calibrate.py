"""A trained network is set right on its validation rows, and only there."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from shop_prepared import prepared, project

from jointrec.batches import Assembler
from jointrec.budget import Budget
from jointrec.calibration import BySegment, Following, Platt, Raw
from jointrec.errors import ProjectError
from jointrec.network import answers_of
from jointrec.network.segments import segments_of
from jointrec.plan import plan
from jointrec.splits import TEST, TRAIN, VALID
from jointrec.training import Trained, train
from jointrec.training.calibrate import calibrate
from jointrec.training.head_outputs import outputs_of_heads


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


def test_heads_are_asked_once_about_a_row_whoever_needs_it(monkeypatch) -> None:
    """To fit chances, to fit sums, and to move on with the days."""
    trained, planned, arrays = trained_with(Following())
    asked = arrays.asked["impression"]
    cuts = np.quantile(asked.times, [0.6, 0.8])
    for task in asked.parts:  # time splits the rows, so that chances follow it
        asked.parts[task][:] = np.array([TRAIN, VALID, TEST])[np.searchsorted(cuts, asked.times)]
    heard: list[tuple[str, int]] = []

    def noted(network, assembler, source, rows, tasks):
        heard.extend((source.grain.name, int(row)) for row in rows)
        return outputs_of_heads(network, assembler, source, rows, tasks)

    monkeypatch.setattr("jointrec.training.calibrate.outputs_of_heads", noted)
    calibrate(trained.networks["click"], Assembler(arrays, planned, 3), trained.networks)
    parts = asked.parts["click"]
    assert {parts[row] for name, row in heard if name == "impression"} == {VALID, TEST}
    assert len(heard) == len(set(heard))


def test_segments_come_from_the_rows_themselves() -> None:
    """The device of an impression is the segment of its row, of no row of another grain."""
    trained, _, arrays = trained_with(BySegment("impression.device"))
    network, asked = trained.networks["click"], arrays.asked["impression"]
    calibrator = network.calibrated("click")
    rows = (asked.parts["click"] == VALID) & ~np.isnan(asked.labels["click"])
    found = calibrator.segments[calibrator.segments >= 0]
    assert sorted(found.tolist()) == sorted(set(asked.context.ids[rows, 0].tolist()))
    assert calibrator.shifts[: len(found)].any()
    assert (trained.networks["odd"].calibrated("odd").segments < 0).all()


def test_segments_of_an_entity_are_those_of_the_thing_in_the_row() -> None:
    shop, planned, arrays = prepared(project(calibration=BySegment("item.item_id")))
    names = replace(arrays.layout.things["item"], ids=("item_id",))
    layout = replace(arrays.layout, things={**arrays.layout.things, "item": names})
    asked = arrays.asked["impression"]
    rows = np.arange(50, 90)
    batch = Assembler(arrays, planned, 3)([(asked, rows)])
    found = segments_of(shop, layout, batch, batch.examples[0])
    things = asked.moments["item"].things[asked.at["item"][rows]]
    assert found.tolist() == arrays.things["item"].fields.ids[things, 0].tolist()


def test_a_segment_that_is_no_category_is_refused_with_what_to_do() -> None:
    for column, told in (
        ("impresion.device", "impression"),
        ("impression.devise", "device"),
        ("user.age", "is a Number"),
    ):
        with pytest.raises(ProjectError, match=told):
            plan(project(calibration=BySegment(column)))
