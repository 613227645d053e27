"""The loss of levels that stand in an order."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from .scales import GAP_FLOOR


def log_odds_above(outputs: Float[Tensor, "rows steps"]) -> Float[Tensor, "rows steps"]:
    r"""The log odds that a grade is above each level but the last: falling by construction.

    .. math:: z_1 = o_1, \qquad z_k = z_{k-1} - \mathrm{softplus}(o_k) - \mathrm{GAP\_FLOOR}

    :param outputs: The log odds of any grade above the lowest, then a raw distance for each step.

    >>> log_odds_above(torch.tensor([[2.0, 0.0, 0.0]]))
    tensor([[2.0000, 1.3069, 0.6137]])
    """
    return outputs[:, :1] - F.pad(_gaps(outputs).cumsum(1), (1, 0))


def ordinal(
    outputs: Float[Tensor, "rows steps"], labels: Int[Tensor, "rows"]
) -> Float[Tensor, "rows"]:
    r"""The loss of a grade: levels that stand in an order, such as a relevance of 0 to 3.

    The cumulative logit of McCullagh (1980), `Regression Models for Ordinal Data
    <https://doi.org/10.1111/j.2517-6161.1980.tb01109.x>`_. With :math:`z_k` the log odds of a grade
    of k or more (:func:`log_odds_above`), of which :math:`z_0 = \infty` and that beyond the last
    level is :math:`-\infty`:

    .. math::
        -\log\left(\sigma(z_y) - \sigma(z_{y+1})\right)
        = \mathrm{softplus}(-z_y) + \mathrm{softplus}(z_{y+1})
        - \log\left(1 - e^{z_{y+1} - z_y}\right)

    The right side is what is computed: a difference of chances that are nearly equal would lose all
    digits. The paper has the same thresholds for every row; here the distances between them are a
    row's own, so that some rows are graded more surely than others. Thresholds cannot cross.

    :param outputs: levels - 1 numbers, as :func:`log_odds_above` takes them.
    :param labels: The place of the level, from 0 to levels - 1. Never null.
    :return: Nats, from 0 up.

    >>> ordinal(torch.tensor([[0.0, 0.0]] * 3), torch.tensor([0, 1, 2]))  # 1/2, 1/6, 1/3
    tensor([0.6931, 1.7918, 1.0986])
    """
    labels = labels.long()
    above, last = log_odds_above(outputs), outputs.shape[1]
    reached = above.gather(1, (labels - 1).clamp(min=0)[:, None]).squeeze(1)
    missed = above.gather(1, labels.clamp(max=last - 1)[:, None]).squeeze(1)
    loss = torch.where(labels > 0, F.softplus(-reached), 0.0)
    loss = loss + torch.where(labels < last, F.softplus(missed), 0.0)
    if last == 1:
        return loss
    between = (labels > 0) & (labels < last)
    gap = _gaps(outputs).gather(1, (labels - 1).clamp(0, last - 2)[:, None]).squeeze(1)
    # The gap of another row's level stands in where there is none, so that its log is finite.
    return loss - torch.where(between, torch.log(-torch.expm1(-gap)), 0.0)


def _gaps(outputs: Float[Tensor, "rows steps"]) -> Float[Tensor, "rows gaps"]:
    return F.softplus(outputs[:, 1:]) + GAP_FLOOR
