"""How wrong a network is, task by task, over the labels that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from jointrec.batches import Batch, Examples
from jointrec.functional.losses import inverse_propensity
from jointrec.network.table import gathered
from jointrec.project import Project
from jointrec.tasks import Task

ENOUGH = 32
"""A batch with fewer known rows of a task than this counts for it in proportion."""


def summed(
    project: Project, tasks: Sequence[str], outputs: Mapping[str, Tensor], batch: Batch
) -> tuple[Float[Tensor, "tasks"], Int[Tensor, "tasks"]]:
    """For each task the sum of the losses of its known rows, and how many they are.

    A task without a known row has the sum 0, which leads to no parameter.
    """
    sums = {task: torch.zeros(()) for task in tasks}
    counts = dict.fromkeys(tasks, 0)
    for examples in batch.examples:
        for task in examples.grain.tasks:
            if task not in sums or task not in examples.known:
                continue
            known = torch.nonzero(examples.known[task]).squeeze(1)
            if len(known):
                labels = examples.labels[task][known]
                losses = _of_rows(project.tasks[task], task, examples, outputs[task], known, labels)
                losses = losses + _given(project, task, examples, outputs, known)
                sums[task], counts[task] = losses.sum().float(), len(known)
    return torch.stack([sums[task] for task in tasks]), torch.tensor(list(counts.values()))


def _of_rows(
    task: Task, name: str, examples: Examples, outputs: Tensor, known: Tensor, labels: Tensor
) -> Float[Tensor, "known"]:
    """The loss of each known row, weighed, with its share of what the order in its list costs."""
    said = gathered(outputs, known)
    sides = examples.at.get(examples.grain.entities[0])
    sides = sides if examples.lists is None else examples.lists
    weights = examples.weights.get(name)
    losses = task.loss(said, labels)
    if task.list_share and sides is not None:
        in_lists = task.loss_in_lists(said, labels, sides[known])
        losses = (1 - task.list_share) * losses + task.list_share * in_lists
    return losses if weights is None else losses * weights[known].to(losses.dtype)


def _given(
    project: Project,
    name: str,
    examples: Examples,
    outputs: Mapping[str, Tensor],
    known: Tensor,
) -> Float[Tensor, "known"] | float:
    """What a step costs given the one before it, where the funnel of the project asks for that."""
    share, clip = project.funnel.propensity_share
    task = project.tasks[name]
    before = task.after
    if not share or before is None or before not in outputs or before not in examples.known:
        return 0.0
    if not task.form == project.tasks[before].form == "chance" or task.lengthens(
        project.tasks[before]
    ):
        return 0.0
    happened = examples.known[before][known] & (examples.labels[before][known] > 0)
    own, earlier = (gathered(outputs[one], known)[:, 0] for one in (name, before))
    labels = examples.labels[name][known].to(own.dtype)
    return share * inverse_propensity(own, earlier, labels, happened, clip)


def to_learn(sums: Float[Tensor, "tasks"], counts: Int[Tensor, "tasks"]) -> Float[Tensor, "tasks"]:
    """The mean loss over the known rows of each task.

    A mean over few rows is mostly chance, and as large as one over many. So that a task of which a
    batch knows three rows does not shake what all tasks share, fewer than :data:`ENOUGH` rows are
    divided by that many.
    """
    return sums / counts.clamp(min=ENOUGH)
