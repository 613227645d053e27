"""Sets the chances of a trained network right, on the validation rows."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from jointrec.batches import Assembler, pieces
from jointrec.batches.loader import rows_of
from jointrec.calibration import About, Settled
from jointrec.calibration.base import Place
from jointrec.labels import DAY
from jointrec.network import JointNetwork
from jointrec.prepare import Asked, Prepared
from jointrec.prepare.labels import settles_after
from jointrec.splits import TEST, TRAIN, VALID

Rows = Int64[np.ndarray, "_"]


@dataclass(frozen=True)
class _Heard:
    """What the heads of some tasks say of some rows, and what is known of the rows.

    :param own: By task the log odds of its own head.
    :param labels: By task 1, 0, or nan where unknown.
    :param weights: By task how much each row counts.
    """

    own: Mapping[str, Tensor]
    labels: Mapping[str, Tensor]
    weights: Mapping[str, Tensor]
    about: About


def calibrate(network: JointNetwork, assembler: Assembler, tasks: Collection[str]) -> None:
    """Fits the calibrators of some tasks, each step of a funnel after the one before it.

    Validation rows are the newest that a model may know of, and the network has not learned from
    them. A task without known labels there stays as it is.

    :param tasks: Whole funnels.
    """
    for grain in assembler.grains.values():
        asked = tuple(t for t in grain.tasks if t in tasks and network.calibrated(t) is not None)
        source = assembler.prepared.asked[grain.name]
        rows = rows_of(assembler, source, VALID, asked)
        if not asked or not len(rows):
            continue
        heard = _heard(network, assembler, source, rows, asked, VALID)
        said: dict[str, Tensor] = {}
        for task in asked:  # in the order of the funnel
            _fit(network, task, heard, said)
    follow(network, assembler, tasks)


def follow(network: JointNetwork, assembler: Assembler, tasks: Collection[str]) -> None:
    """Moves the calibrators of some tasks on with all labels from validation on, day by day.

    Of a day's shift only labels have a part that were settled when the day began, so test rows may
    be answered with it as a shop that does this every night would answer them. It is left out where
    time does not split the rows.

    :param tasks: Whole funnels.
    """
    for grain in assembler.grains.values():
        source = assembler.prepared.asked[grain.name]
        asked = tuple(t for t in grain.tasks if t in tasks and _follows(network, t))
        begins = _training_ends(source, asked)
        if not asked or begins is None or source.times is None:
            continue
        known = np.any([~np.isnan(source.labels[task]) for task in asked], axis=0)
        rows = np.flatnonzero(known & (source.times >= begins))
        heard = _heard(network, assembler, source, rows, asked, None)
        said: dict[str, Tensor] = {}
        for task in asked:  # in the order of the funnel
            settled = source.times[rows] + settles_after(network.project, task)
            _follow(network, task, heard, torch.from_numpy(-(-settled // DAY)), said)


def followed(networks: Mapping[str, JointNetwork], prepared: Prepared) -> dict[str, JointNetwork]:
    """The same networks, moved on with the labels of other rows, newer ones as a rule.

    :param networks: For each task the one that serves it. They stay as they are; the copies share
        their tables.
    :param prepared: The rows.
    """
    copies: dict[int, JointNetwork] = {}
    for network in {id(network): network for network in networks.values()}.values():
        shared = (network.table, network.project, network.plan, network.layout)
        copied = copy.deepcopy(network, {id(part): part for part in shared})
        served = [task for task, one in networks.items() if one is network]
        assembler = Assembler.of(network.project, prepared, network.plan)
        follow(copied, assembler, served)
        copies[id(network)] = copied
    return {task: copies[id(network)] for task, network in networks.items()}


def _follows(network: JointNetwork, task: str) -> bool:
    calibrator = network.calibrated(task)
    return calibrator is not None and calibrator.follows(settles_after(network.project, task))


def _training_ends(source: Asked, tasks: Collection[str]) -> int | None:
    """The moment (µs) of the first row that validates or tests; None where training goes on."""
    if source.times is None or not tasks:
        return None
    train, valid, test = (
        np.any([source.parts[task] == part for task in tasks], axis=0)
        for part in (TRAIN, VALID, TEST)
    )
    if not (valid | test).any():
        return None
    ends = int(source.times[valid | test].min())
    return ends if int(source.times[train].max(initial=ends - 1)) < ends else None


def _heard(
    network: JointNetwork,
    assembler: Assembler,
    source: Asked,
    rows: Rows,
    tasks: tuple[str, ...],
    part: int | None,
) -> _Heard:
    """Asks the heads about some rows of a grain.

    :param part: Only labels of this part of the split are known. None: all that there are.
    """
    own: dict[str, list[Tensor]] = {task: [] for task in tasks}
    labels: dict[str, list[Tensor]] = {task: [] for task in tasks}
    weights: dict[str, list[Tensor]] = {task: [] for task in tasks}
    about: list[About] = []
    with torch.no_grad():
        for batch in pieces(assembler, source, rows, part=part):
            heads: dict[str, Tensor] = {}
            network(batch, tasks=tasks, heads=heads)
            (examples,) = batch.examples
            about.append(network.about(batch, examples))
            for task in tasks:
                unknown = ~examples.known[task]
                own[task].append(heads[task][:, 0])
                labels[task].append(examples.labels[task].masked_fill(unknown, torch.nan))
                alike = torch.ones(len(unknown), dtype=torch.float64)
                weights[task].append(examples.weights.get(task, alike))
    return _Heard(
        {task: torch.cat(parts) for task, parts in own.items()},
        {task: torch.cat(parts) for task, parts in labels.items()},
        {task: torch.cat(parts) for task, parts in weights.items()},
        About.joined(about),
    )


def _fit(network: JointNetwork, task: str, heard: _Heard, said: dict[str, Tensor]) -> None:
    """Fits one task, and notes what it says after that."""
    calibrator = network.calibrated(task)
    assert calibrator is not None
    logits, labels, weights = heard.own[task], heard.labels[task], heard.weights[task]
    known = ~labels.isnan()
    if known.any():
        place = _place(network, task, said, known)
        asked = network.project.tasks[task]

        def placed(own: Tensor) -> Tensor:
            return asked.among_learned(place(own))

        about = heard.about.some(known)
        calibrator.fit(logits[known], labels[known], placed, weights[known], about)
    with torch.no_grad():
        moved = calibrator(logits, heard.about)
        said[task] = network.place(task, said)(moved[:, None])


def _follow(
    network: JointNetwork, task: str, heard: _Heard, settled: Tensor, said: dict[str, Tensor]
) -> None:
    """Moves one task on, and notes what it says of each row once the row is settled."""
    calibrator = network.calibrated(task)
    assert calibrator is not None
    known = torch.nonzero(~heard.labels[task].isnan())[:, 0]
    # All rows follow, also those of no that a task leaves out of training: none is set apart here.
    calibrator.follow(
        Settled(
            heard.own[task][known],
            heard.labels[task][known],
            settled[known],
            heard.about.some(known),
            heard.weights[task][known],
        ),
        lambda some: _place(network, task, said, known[some]),
    )
    with torch.no_grad():
        moved = calibrator(heard.own[task], About(settled, heard.about.segments))
        said[task] = network.place(task, said)(moved[:, None])


def _place(network: JointNetwork, task: str, said: Mapping[str, Tensor], rows: Tensor) -> Place:
    """From a task's own log odds for some rows to those it has in its funnel.

    :param said: What the steps before it say of all rows.
    """
    place = network.place(task, {name: outputs[rows] for name, outputs in said.items()})
    return lambda own: place(own[:, None])[:, 0]
