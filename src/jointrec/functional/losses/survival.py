"""The loss of how long something takes, of which some was only followed for a while."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


def survival(
    logits: Float[Tensor, "rows bins"],
    times: Float[Tensor, "rows"],
    happened: Bool[Tensor, "rows"],
    edges: Sequence[float],
) -> Float[Tensor, "rows"]:
    r"""The loss of a time to an event, in discrete time and with right-censoring.

    With :math:`h_k = \sigma(z_k)` the chance that it happens in bin k, where it did not before:

    .. math::
        -\sum_{j < k} \log(1 - h_j) - \log h_k \quad \text{where it happened in bin } k,
        \qquad -\sum_j e_j \log(1 - h_j) \quad \text{where it had not}

    and :math:`e_j` from 0 to 1 is the share of bin j for which it was followed: Cox (1972), Brown
    (1975), Gensheimer and Narasimhan (2019), https://doi.org/10.7717/peerj.6257. They count a bin
    that was not followed to its end as whole or as none; with the same hazard all through a bin it
    is a share of it, which is exact.

    :param logits: The log odds of each bin's hazard.
    :param times: How long until it happened, or how long it was followed; 0 or more. Never null.
    :param happened: Whether it happened; if not, it was only followed so long.
    :param edges: Where bins end, ascending, one more than bins; the first is 0. Same unit as times,
        of which none is beyond the last.
    :return: Nats, from 0 up.

    >>> times, seen = torch.tensor([1.5, 1.5, 2.0]), torch.tensor([True, False, False])
    >>> survival(torch.zeros(3, 2), times, seen, (0.0, 1.0, 2.0))  # log 2 times 2, 1.5 and 2
    tensor([1.3863, 1.0397, 1.3863])
    """
    ends = torch.tensor(edges, dtype=logits.dtype, device=logits.device)
    starts, widths = ends[:-1], ends.diff()
    followed = ((times[:, None] - starts) / widths).clamp(0, 1)
    # The bin in which a time lies: one that is on an edge lies in the bin that begins there.
    place = torch.searchsorted(ends[1:-1], times.contiguous(), right=True)[:, None]
    here = torch.zeros_like(logits).scatter(1, place, 1.0) * happened[:, None]
    return (followed * (1 - here) * F.softplus(logits) + here * F.softplus(-logits)).sum(1)
