"""Sets the sums of amounts and counts right, on the validation rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float64
from torch import Tensor

from jointrec.network import JointNetwork

from .head_outputs import HeadOutputs

SPREAD = 0.3
"""How far the logarithm of a factor lies from 0 as a rule: before anything is seen, and as wrong as
the past may be of what comes next."""
MOST = 1.5
"""Beyond this logarithm no factor is looked for."""
Rows = Float64[Tensor, "rows"]


def set_total(
    network: JointNetwork, task: str, heads: HeadOutputs, said: Mapping[str, Tensor]
) -> Tensor:
    """Finds the factor of a task, and gives what it says after that.

    The factor moves the mean by what the sum over the rows is off, and by less the less sure it is
    that it is off: it is drawn towards 1 as the mode of a posterior is.

    :param said: What the tasks that it comes after say of all rows.
    """
    asked = network.project.tasks[task]
    own, labels = heads.own[task].double(), heads.labels[task].double()
    place = network.place(task, {name: outputs.double() for name, outputs in said.items()})
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
