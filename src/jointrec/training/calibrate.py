"""Sets the chances of a trained network right, on the validation rows."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from jointrec.batches import Assembler, pieces
from jointrec.batches.loader import rows_of
from jointrec.network import JointNetwork
from jointrec.splits import VALID


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
        own: dict[str, list[Tensor]] = {task: [] for task in asked}
        labels: dict[str, list[Tensor]] = {task: [] for task in asked}
        weights: dict[str, list[Tensor]] = {task: [] for task in asked}
        with torch.no_grad():
            for batch in pieces(assembler, source, rows, part=VALID):
                heads: dict[str, Tensor] = {}
                network(batch, tasks=asked, heads=heads)
                (examples,) = batch.examples
                for task in asked:
                    unknown = ~examples.known[task]
                    own[task].append(heads[task][:, 0])
                    labels[task].append(examples.labels[task].masked_fill(unknown, torch.nan))
                    alike = torch.ones(len(unknown), dtype=torch.float64)
                    weights[task].append(examples.weights.get(task, alike))
        said: dict[str, Tensor] = {}
        for task in asked:  # in the order of the funnel
            logits, seen, counts = (torch.cat(found[task]) for found in (own, labels, weights))
            _fit(network, task, logits, seen, counts, said)


def _fit(
    network: JointNetwork,
    task: str,
    logits: Tensor,
    labels: Tensor,
    weights: Tensor,
    said: dict[str, Tensor],
) -> None:
    """Fits one task, and notes what it says after that."""
    calibrator = network.calibrated(task)
    assert calibrator is not None
    known = ~labels.isnan()
    if known.any():
        earlier = {name: outputs[known] for name, outputs in said.items()}
        place = network.place(task, earlier)
        asked = network.project.tasks[task]

        def placed(own: Tensor) -> Tensor:
            return asked.among_learned(place(own[:, None])[:, 0])

        calibrator.fit(logits[known], labels[known], placed, weights[known])
    with torch.no_grad():
        said[task] = network.place(task, said)(calibrator(logits)[:, None])
