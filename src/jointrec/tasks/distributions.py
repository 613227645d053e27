"""The ways in which an amount may be spread, side by side: what each gives, learns and answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn.functional import logsigmoid

from jointrec.functional import answers, bands, funnel, losses

from .horizons import log_more, logit_given
from .numbers import bounded_share, logit

Labels = Float64[np.ndarray, "rows"]
Numbers = Sequence[float]
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
    :param grow: Its outputs over a longer time, of those over a shorter one and what is added.
    :param grow_start: What must be added to outputs to give others (see `jointrec.tasks.base`).
    :param quantiles: Amounts that are not exceeded with some chances; None where it has none.
    :param scale: The size of the loss of these, where it is not that loss itself.
    :param place: Which output is the logarithm of the size of amounts; None where none is.
    :param chance: Whether the first output is the logit of anything at all.
    :param zero: Whether it knows of nothing at all; if not, a label of 0 is unknown.
    """

    size: int
    loss: Callable[[Tensor, Tensor], Tensor]
    answer: Callable[[Tensor], Tensor]
    constant: Callable[[Labels], Outputs]
    grow: Callable[[Tensor, Tensor], Tensor]
    grow_start: Callable[[Numbers, Numbers], tuple[float, ...]]
    quantiles: Callable[[Tensor, Sequence[float]], Tensor] | None = None
    scale: Callable[[Labels], float] | None = None
    place: int | None = 0
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


def _zero_inflated_grow(earlier: Tensor, own: Tensor) -> Tensor:
    """Of the amounts the mean is added to, so its log and that of the chance give the location."""
    chance, raw = funnel.either(earlier[:, 0], own[:, 0]), own[:, 2]
    before = logsigmoid(earlier[:, 0]) + _log_mean_of(earlier[:, 1], earlier[:, 2])
    mean = torch.logaddexp(before, own[:, 1])
    half = losses.lognormal_scale(raw).square() / 2
    return torch.stack([chance, mean - logsigmoid(chance) - half, raw], dim=1)


def _zero_inflated_grow_start(constant: Numbers, earlier: Numbers) -> tuple[float, ...]:
    means = []
    for outputs in (constant, earlier):
        chance, location, raw = torch.tensor(outputs, dtype=torch.float64)
        means.append(float(logsigmoid(chance) + _log_mean_of(location, raw)))
    return (-logit_given(-constant[0], -earlier[0]), log_more(means[0], means[1]), constant[2])


def _lognormal_grow(earlier: Tensor, own: Tensor) -> Tensor:
    mean = torch.logaddexp(_log_mean_of(earlier[:, 0], earlier[:, 1]), own[:, 0])
    return torch.stack([mean - losses.lognormal_scale(own[:, 1]).square() / 2, own[:, 1]], dim=1)


def _lognormal_grow_start(constant: Numbers, earlier: Numbers) -> tuple[float, ...]:
    means = []
    for outputs in (constant, earlier):
        location, raw = torch.tensor(outputs, dtype=torch.float64)
        means.append(float(_log_mean_of(location, raw)))
    return (log_more(means[0], means[1]), constant[1])


def _log_mean_of(location: Tensor, raw: Tensor) -> Tensor:
    """The log of the mean of a log-normal distribution."""
    return location + losses.lognormal_scale(raw).square() / 2


def _log_grow_start(constant: Numbers, earlier: Numbers) -> tuple[float, ...]:
    return (log_more(constant[0], earlier[0]),)


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
        _zero_inflated_grow,
        _zero_inflated_grow_start,
        bands.zero_inflated_lognormal_quantiles,
        _zero_inflated_scale,
        place=1,
        chance=True,
    ),
    "lognormal": Distribution(
        2,
        losses.lognormal,
        answers.lognormal_mean,
        lambda labels: _lognormal_constant(np.log(labels)),
        _lognormal_grow,
        _lognormal_grow_start,
        bands.lognormal_quantiles,
        _zero_inflated_scale,
        zero=False,
    ),
    "tweedie": Distribution(
        1,
        _first(losses.tweedie),
        lambda outputs: answers.count_mean(outputs[:, 0]),
        _log_mean,
        torch.logaddexp,
        _log_grow_start,
    ),
    "huber_log": Distribution(
        1,
        _first(losses.huber_log),
        lambda outputs: answers.amount_of_log(outputs[:, 0]),
        _huber_centre,
        torch.logaddexp,
        _log_grow_start,
        place=None,
    ),
}
"""By the name that a declaration gives."""
