"""What the heads of a network say of some rows, kept for those who set the network right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from jointrec.batches import Assembler, pieces
from jointrec.calibration import About
from jointrec.network import JointNetwork
from jointrec.prepare import Asked

Rows = Int64[np.ndarray, "_"]


@dataclass(frozen=True)
class HeadOutputs:
    """What the heads of some tasks say of some rows, and what is known of the rows.

    :param own: By task what its own head gives.
    :param labels: By task the labels; nan where unknown.
    :param weights: By task how much each row counts.
    """

    own: Mapping[str, Tensor]
    labels: Mapping[str, Tensor]
    weights: Mapping[str, Tensor]
    about: About

    def some(self, rows: Bool[Tensor, "rows"]) -> HeadOutputs:
        """Some of the rows."""
        return HeadOutputs(
            {task: own[rows] for task, own in self.own.items()},
            {task: labels[rows] for task, labels in self.labels.items()},
            {task: weights[rows] for task, weights in self.weights.items()},
            self.about.some(rows),
        )

    def knowing(self, known: Mapping[str, Bool[np.ndarray, "rows"]]) -> HeadOutputs:
        """The same rows, of which only some labels are known.

        :param known: By task which.
        """
        labels = {
            task: labels.masked_fill(torch.from_numpy(~known[task]), torch.nan)
            for task, labels in self.labels.items()
        }
        return replace(self, labels=labels)


def outputs_of_heads(
    network: JointNetwork, assembler: Assembler, source: Asked, rows: Rows, tasks: tuple[str, ...]
) -> HeadOutputs:
    """Asks the heads of some tasks about some rows of a grain, whatever part of the split they are.

    :param rows: At least one.
    """
    own: dict[str, list[Tensor]] = {task: [] for task in tasks}
    labels: dict[str, list[Tensor]] = {task: [] for task in tasks}
    weights: dict[str, list[Tensor]] = {task: [] for task in tasks}
    about: list[About] = []
    with torch.no_grad():
        for batch in pieces(assembler, source, rows):
            heads: dict[str, Tensor] = {}
            network(batch, tasks=tasks, heads=heads)
            (examples,) = batch.examples
            about.append(network.about(batch, examples))
            for task in tasks:
                unknown = ~examples.known[task]
                own[task].append(heads[task])
                labels[task].append(examples.labels[task].masked_fill(unknown, torch.nan))
                alike = torch.ones(len(unknown), dtype=torch.float64)
                weights[task].append(examples.weights.get(task, alike))
    return HeadOutputs(
        {task: torch.cat(parts) for task, parts in own.items()},
        {task: torch.cat(parts) for task, parts in labels.items()},
        {task: torch.cat(parts) for task, parts in weights.items()},
        About.joined(about),
    )
