"""The loss of amounts that are not exceeded with given chances."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def pinball(
    quantiles: Float[Tensor, "rows levels"],
    labels: Float[Tensor, "rows"],
    levels: Sequence[float],
) -> Float[Tensor, "rows"]:
    r"""The loss of quantiles: amounts that are not exceeded with the chances ``levels``.

    .. math:: \frac1K \sum_k \max\left( \tau_k (x - q_k),\ (\tau_k - 1)(x - q_k) \right)

    Koenker and Bassett (1978), https://doi.org/10.2307/1913643. The true quantiles make it least.

    :param quantiles: One q for each level.
    :param labels: What was seen. Never null.
    :param levels: The chances, each above 0 and below 1.
    :return: In the unit of the labels, from 0 up.

    >>> pinball(torch.tensor([[0.0, 4.0]]), torch.tensor([2.0]), (0.5, 0.75))  # (1 + 0.5) / 2
    tensor([0.7500])
    """
    chance = torch.tensor(levels, dtype=quantiles.dtype, device=quantiles.device)
    over = labels[:, None] - quantiles
    return torch.maximum(chance * over, (chance - 1) * over).mean(1)
