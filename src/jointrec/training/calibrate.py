"""Sets the chances and the sums of a trained network right, on the validation rows."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping

import numpy as np
import torch
from torch import Tensor

from jointrec.batches import Assembler
from jointrec.batches.assemble import knows
from jointrec.batches.loader import rows_of
from jointrec.calibration import About, Settled
from jointrec.calibration.base import Place
from jointrec.labels import DAY
from jointrec.network import JointNetwork
from jointrec.prepare import Asked, Prepared
from jointrec.prepare.labels import settles_after
from jointrec.splits import TEST, TRAIN, VALID

from .head_outputs import HeadOutputs, Rows, outputs_of_heads
from .totals import set_total


def calibrate(network: JointNetwork, assembler: Assembler, tasks: Collection[str]) -> None:
    """Sets some tasks right, each step of a funnel after the one before it, and moves them on.

    Validation rows are the newest that a model may know of, and the network has not learned from
    them: chances are fitted to their labels, and sums of amounts and counts. A task without known
    labels there stays as it is. Then chances follow the days, as :func:`follow` has it. Heads are
    asked once, about all rows that either needs.

    :param tasks: Whole funnels.
    """
    for grain in assembler.grains.values():
        source = assembler.prepared.asked[grain.name]
        asked = _with_befores(network, [t for t in grain.tasks if t in tasks and _set(network, t)])
        following = tuple(t for t in asked if _follows(network, t))
        newer = _newer(source, following)
        rows = np.union1d(rows_of(assembler, source, VALID, asked), newer)
        if not asked or not len(rows):
            continue
        heads = outputs_of_heads(network, assembler, source, rows, asked)
        valid = heads.knowing({task: knows(source, task, VALID)[rows] for task in asked})
        said: dict[str, Tensor] = {}
        for task in asked:  # in the order of the funnel
            said[task] = _set_right(network, task, valid, said)
        at = torch.from_numpy(np.isin(rows, newer))
        _follow_all(network, source, following, newer, heads.some(at))


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
        newer = _newer(source, asked)
        if len(newer):
            heads = outputs_of_heads(network, assembler, source, newer, asked)
            _follow_all(network, source, asked, newer, heads)


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


def _set(network: JointNetwork, task: str) -> bool:
    """Whether something of a task is set right: its chances or its sum."""
    project = network.project
    summed = project.calibration.totals and project.tasks[task].has_total
    chances = network.calibrated(task) is not None or network.several(task) is not None
    return summed or chances


def _with_befores(network: JointNetwork, tasks: Collection[str]) -> tuple[str, ...]:
    """The tasks, with all that they come after, in the order of their grain."""
    whole = set(tasks)
    for task in tasks:
        before = network.project.tasks[task].after
        while before is not None and before in network.tasks:
            whole.add(before)
            before = network.project.tasks[before].after
    return tuple(task for task in network.tasks if task in whole)


def _newer(source: Asked, tasks: Collection[str]) -> Rows:
    """The rows with a known label from the first on that validates or tests.

    None where training goes on after it, or where rows have no time.
    """
    nothing = np.zeros(0, dtype=np.int64)
    if source.times is None or not tasks:
        return nothing
    train, valid, test = (
        np.any([source.parts[task] == part for task in tasks], axis=0)
        for part in (TRAIN, VALID, TEST)
    )
    if not (valid | test).any():
        return nothing
    begins = int(source.times[valid | test].min())
    if int(source.times[train].max(initial=begins - 1)) >= begins:
        return nothing
    known = np.any([~np.isnan(source.labels[task]) for task in tasks], axis=0)
    return np.flatnonzero(known & (source.times >= begins))


def _set_right(
    network: JointNetwork, task: str, heads: HeadOutputs, said: Mapping[str, Tensor]
) -> Tensor:
    """Sets one task right, and gives what it says after that."""
    if network.calibrated(task) is not None:
        return _fit(network, task, heads, said)
    if network.several(task) is not None:
        return _fit_several(network, task, heads, said)
    if _set(network, task):
        return set_total(network, task, heads, said)
    return network.place(task, said)(heads.own[task])


def _fit(
    network: JointNetwork, task: str, heads: HeadOutputs, said: Mapping[str, Tensor]
) -> Tensor:
    """Fits the chances of one task, and gives those that it says after that."""
    calibrator = network.calibrated(task)
    assert calibrator is not None
    logits, labels, weights = heads.own[task][:, 0], heads.labels[task], heads.weights[task]
    known = ~labels.isnan()
    if known.any():
        place = _place(network, task, said, known)
        asked = network.project.tasks[task]

        def placed(own: Tensor) -> Tensor:
            return asked.among_learned(place(own))

        about = heads.about.some(known)
        calibrator.fit(logits[known], labels[known], placed, weights[known], about)
    with torch.no_grad():
        moved: Tensor = calibrator(logits, heads.about)
        return network.place(task, said)(moved[:, None])


def _fit_several(
    network: JointNetwork, task: str, heads: HeadOutputs, said: Mapping[str, Tensor]
) -> Tensor:
    """Fits the several chances of one task, and gives those that it says after that."""
    several, own = network.several(task), heads.own[task]
    assert several is not None
    happened = network.project.tasks[task].happened(heads.labels[task], own.shape[1])
    several.fit(own, happened, heads.weights[task])
    with torch.no_grad():
        moved: Tensor = several(own)
        return network.place(task, said)(moved)


def _follow_all(
    network: JointNetwork, source: Asked, tasks: tuple[str, ...], rows: Rows, heads: HeadOutputs
) -> None:
    """Moves tasks on with some rows, in the order of their funnel.

    :param heads: What their heads say of the rows.
    """
    if not len(rows) or source.times is None:
        return
    said: dict[str, Tensor] = {}
    for task in tasks:
        settled = source.times[rows] + settles_after(network.project, task)
        said[task] = _follow(network, task, heads, torch.from_numpy(-(-settled // DAY)), said)


def _follow(
    network: JointNetwork,
    task: str,
    heads: HeadOutputs,
    settled: Tensor,
    said: Mapping[str, Tensor],
) -> Tensor:
    """Moves one task on, and gives what it says of each row once the row is settled."""
    calibrator = network.calibrated(task)
    assert calibrator is not None
    known = torch.nonzero(~heads.labels[task].isnan())[:, 0]
    # All rows follow, also those of no that a task leaves out of training: none is set apart here.
    calibrator.follow(
        Settled(
            heads.own[task][known, 0],
            heads.labels[task][known],
            settled[known],
            heads.about.some(known),
            heads.weights[task][known],
        ),
        lambda some: _place(network, task, said, known[some]),
    )
    with torch.no_grad():
        moved: Tensor = calibrator(heads.own[task][:, 0], About(settled, heads.about.segments))
        return network.place(task, said)(moved[:, None])


def _place(network: JointNetwork, task: str, said: Mapping[str, Tensor], rows: Tensor) -> Place:
    """From a task's own log odds for some rows to those it has in its funnel.

    :param said: What the steps before it say of all rows.
    """
    place = network.place(task, {name: outputs[rows] for name, outputs in said.items()})
    return lambda own: place(own[:, None])[:, 0]
