"""The ways in which an amount may be spread, side by side: what each gives, learns and answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.functional import answers, losses

from .numbers import bounded_share, logit

Labels = Float64[np.ndarray, "rows"]
Outputs = Float64[np.ndarray, "outputs"]
NORMAL_ENTROPY = 0.5 * math.log(2 * math.pi * math.e)
"""The entropy of a normal distribution whose deviation is 1."""


@dataclass(frozen=True)
class Distribution:
    """How amounts may be spread.

    :param size: How many numbers it takes per row.
    :param loss: Of outputs and labels.
    :param answer: The amount that outputs stand for.
    :param constant: The outputs that fit some labels best.
    :param scale: The size of the loss of these, where it is not that loss itself.
    :param chance: Whether the first output is the logit of anything at all.
    :param zero: Whether it knows of nothing at all; if not, a label of 0 is unknown.
    """

    size: int
    loss: Callable[[Tensor, Tensor], Tensor]
    answer: Callable[[Tensor], Tensor]
    constant: Callable[[Labels], Outputs]
    scale: Callable[[Labels], float] | None = None
    chance: bool = False
    zero: bool = True


def _zero_inflated_constant(labels: Labels) -> Outputs:
    logs = np.log(labels[labels > 0])
    return np.array([logit(bounded_share(len(logs), len(labels))), *_lognormal_constant(logs)])


def _lognormal_constant(logs: Labels) -> Outputs:
    mean, deviation = (logs.mean(), logs.std()) if len(logs) else (0.0, 1.0)
    return np.array([mean, losses.raw_of(float(deviation), floor=losses.SCALE_FLOOR)])


def _zero_inflated_scale(labels: Labels) -> float:
    """The loss of the best constant answer, were the deviation of the log amount 1 about 0.

    So it is above 0 and the same in cents as in euros, which the loss itself, the logarithm of a
    density per unit, is not.
    """
    chance = bounded_share((labels > 0).sum(), len(labels))
    entropy = -chance * math.log(chance) - (1 - chance) * math.log1p(-chance)
    return entropy + chance * NORMAL_ENTROPY


def _log_mean(labels: Labels) -> Outputs:
    least = 0.5 / (len(labels) + 1)
    return np.array([math.log(max(labels.mean(), least)) if len(labels) else 0.0])


def _huber_centre(labels: Labels) -> Outputs:
    """Where the Huber loss of the logs is least, by bisection: its slope only rises."""
    logs = np.log1p(labels)
    low, high = float(logs.min(initial=0.0)), float(logs.max(initial=0.0))
    for _ in range(60):
        middle = (low + high) / 2
        if np.clip(middle - logs, -1, 1).sum() > 0:
            high = middle
        else:
            low = middle
    return np.array([(low + high) / 2])


def _first(
    loss: Callable[[Float[Tensor, "rows"], Float[Tensor, "rows"]], Float[Tensor, "rows"]],
) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda outputs, labels: loss(outputs[:, 0], labels)


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "zero_inflated_lognormal": Distribution(
        3,
        losses.zero_inflated_lognormal,
        answers.zero_inflated_lognormal_mean,
        _zero_inflated_constant,
        _zero_inflated_scale,
        chance=True,
    ),
    "lognormal": Distribution(
        2,
        losses.lognormal,
        answers.lognormal_mean,
        lambda labels: _lognormal_constant(np.log(labels)),
        _zero_inflated_scale,
        zero=False,
    ),
    "tweedie": Distribution(
        1, _first(losses.tweedie), lambda outputs: answers.count_mean(outputs[:, 0]), _log_mean
    ),
    "huber_log": Distribution(
        1,
        _first(losses.huber_log),
        lambda outputs: answers.amount_of_log(outputs[:, 0]),
        _huber_centre,
    ),
}
"""By the name that a declaration gives."""
