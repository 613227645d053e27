"""Sets the sums of amounts and counts right, on the validation rows."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from jaxtyping import Float64
from torch import Tensor

from jointrec.batches import Assembler, pieces
from jointrec.batches.loader import rows_of
from jointrec.network import JointNetwork
from jointrec.splits import VALID

SPREAD = 0.3
"""How far the logarithm of a factor lies from 0 as a rule: before anything is seen, and as wrong as
the past may be of what comes next."""
MOST = 1.5
"""Beyond this logarithm no factor is looked for."""
Rows = Float64[Tensor, "rows"]


def set_totals(network: JointNetwork, assembler: Assembler, tasks: Collection[str]) -> None:
    """Finds the factors of some tasks, each after the one that it lengthens.

    A factor moves the mean by what the sum over the validation rows is off, and by less the less
    sure it is that it is off: it is drawn towards 1 as the mode of a posterior is.

    :param tasks: Whole funnels.
    """
    project = network.project
    if not project.calibration.totals:
        return
    for grain in assembler.grains.values():
        asked = tuple(t for t in grain.tasks if t in tasks)
        if not any(project.tasks[task].has_total for task in asked):
            continue
        source = assembler.prepared.asked[grain.name]
        rows = rows_of(assembler, source, VALID, asked)
        own: dict[str, list[Tensor]] = {task: [] for task in asked}
        told: dict[str, list[Tensor]] = {task: [] for task in asked}
        labels: dict[str, list[Tensor]] = {task: [] for task in asked}
        with torch.no_grad():
            for batch in pieces(assembler, source, rows, part=VALID):
                heads: dict[str, Tensor] = {}
                outputs = network(batch, tasks=asked, heads=heads)
                (examples,) = batch.examples
                for task in asked:
                    known, answers = examples.known[task], examples.labels[task].double()
                    own[task].append(heads[task].double())
                    told[task].append(outputs[task].double())
                    labels[task].append(answers.masked_fill(~known, torch.nan))
            said: dict[str, Tensor] = {}
            for task in asked if len(rows) else ():  # in the order of the funnel
                said[task] = torch.cat(told[task])
                if project.tasks[task].has_total:
                    seen = torch.cat(labels[task])
                    said[task] = _set(network, task, torch.cat(own[task]), seen, said)


def _set(
    network: JointNetwork, task: str, own: Tensor, labels: Rows, said: dict[str, Tensor]
) -> Tensor:
    """Sets one task, and gives its outputs after that."""
    asked = network.project.tasks[task]
    place = network.place(task, said)
    known = ~labels.isnan()
    factor = torch.zeros((), dtype=torch.float64)
    if known.any():

        def off(log_factor: float) -> Rows:
            scaled = asked.scaled(own, torch.tensor(log_factor, dtype=torch.float64))
            return (asked.answer(place(scaled)).double() - labels)[known]

        factor = torch.tensor(drawn_in(off, float(labels[known].sum())), dtype=torch.float64)
        network.totals[network.tasks.index(task)] = factor
    return place(asked.scaled(own, factor))


def drawn_in(off: Callable[[float], Rows], total: float) -> float:
    """The logarithm of the factor that brings the sum of what is off to 0, drawn towards 0.

    :param off: Answers less labels, with a factor.
    :param total: The sum of the labels.

    >>> labels = torch.tensor([2.0, 4.0, 6.0] * 50, dtype=torch.float64)
    >>> log = drawn_in(lambda log: 2.718281828**log * labels / 2 - labels, 600.0)
    >>> 0.69 < log < 0.7  # twice as much
    True
    """
    if total <= 0:
        return 0.0
    low, high = -MOST, MOST
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if float(off(middle).sum()) < 0 else (low, middle)
    found = (low + high) / 2
    # The error of the sum as a share of it, about that of its logarithm.
    unsure = float(off(found).square().sum()) / total**2
    return found * SPREAD**2 / (SPREAD**2 + unsure)
