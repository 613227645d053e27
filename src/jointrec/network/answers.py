"""What a network answers for some rows, piece by piece."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from jointrec.batches import Assembler, pieces
from jointrec.functional.memory import keep_memory
from jointrec.prepare.prepared import Asked, Prepared
from jointrec.tasks import Task

from .joint_network import JointNetwork

Outputs = Mapping[str, Tensor]
"""For each task the outputs for some rows."""


def answers_of(
    network: JointNetwork,
    prepared: Prepared,
    asked: Asked,
    tasks: Collection[str],
    rows: Int64[np.ndarray, "rows"],
    *,
    told: bool = False,
) -> Iterator[dict[str, Float64[np.ndarray, "piece *answers"]]]:
    """For each piece of the rows, in their order, the answer of each task to each row.

    Pieces bound the memory: a task that ranks a catalogue gives a row one score per candidate, in
    the order of the catalogue (code 1 first).

    :param told: All that a person is told of each answer, instead of the answer itself.
    :param asked: Rows of one grain of the network's plan; labels are not read.
    """
    for outputs, _ in outputs_of(network, prepared, asked, tasks, rows):
        yield {task: _said(network.project.tasks[task], outputs[task], told) for task in tasks}


def outputs_of(
    network: JointNetwork,
    prepared: Prepared,
    asked: Asked,
    tasks: Collection[str],
    rows: Int64[np.ndarray, "rows"],
) -> Iterator[tuple[Outputs, Outputs]]:
    """For each piece of the rows, in their order, the outputs of each task and those of its head.

    The second are of all that the tasks come after as well, before anything is set right or put in
    its funnel: :meth:`JointNetwork.as_learned` does the latter.

    Rows are those of one grain of the plan, as for :func:`answers_of`.
    """
    keep_memory()
    assembler = Assembler.of(network.project, prepared, network.plan)
    training = network.training
    if training:
        network.eval()
    try:
        for batch in pieces(assembler, asked, rows):
            heads: dict[str, Tensor] = {}
            with torch.inference_mode():
                outputs = network(batch, tasks=tasks, heads=heads)
            yield outputs, heads
    finally:
        if training:  # walking over all modules takes as long as many a request
            network.train()


def _said(task: Task, outputs: Tensor, told: bool) -> Float64[np.ndarray, "piece *answers"]:
    with torch.inference_mode():
        said = task.told(outputs) if told else task.answer(outputs)
        return said.double().numpy()
