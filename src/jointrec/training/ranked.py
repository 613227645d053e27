"""How high a network puts the right one of a catalogue, which says which pass is best.

The loss of such a task is least some passes before its order is best: a network that goes on
becomes too sure of itself, which the loss counts and a list of ten does not show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from jointrec.batches import Batch
from jointrec.network.table import gathered


def ndcg(
    outputs: Float[Tensor, "rows candidates"],
    labels: Int[Tensor, "rows"],
    log_q: Float[Tensor, "candidates"] | None = None,
) -> Float[Tensor, "rows"]:
    """1 / log₂(1 + rank) of the right one: 1 where it is first, towards 0 the farther down.

    It is not cut at ten, so that a few hundred rows say which of two networks is better. Those that
    are level stand before the right one.

    :param outputs: Scores, higher is better, with ``log_q`` taken off them.
    :param labels: The places of the right ones.
    :param log_q: log of the chance with which each candidate is here, where not all are: one that
        is here with the chance q stands for 1 / q.

    >>> ndcg(torch.tensor([[0.1, 0.9, 0.5], [0.9, 0.1, 0.5]]), torch.tensor([1, 1])).tolist()
    [1.0, 0.5]
    """
    scores = outputs if log_q is None else outputs + log_q
    before = ~(scores < scores.gather(1, labels[:, None]))
    before = before.scatter(1, labels[:, None], value=False)
    if log_q is None:
        ahead = before.sum(dim=1).float()
    else:
        ahead = before.to(log_q.dtype) @ torch.exp(-log_q)
    return 1.0 / torch.log2(2.0 + ahead)


def ranked(
    tasks: Sequence[str], outputs: Mapping[str, Tensor], batch: Batch
) -> dict[str, tuple[float, int]]:
    """Of each of some tasks that rank a catalogue the sum over its known rows, and how many."""
    found = {}
    for examples in batch.examples:
        for task in tasks:
            if task in examples.candidates and task in examples.known:
                known = torch.nonzero(examples.known[task]).squeeze(1)
                labels = examples.labels[task][known].long()
                log_q = examples.candidates[task].log_q
                values = ndcg(gathered(outputs[task], known), labels, log_q)
                found[task] = (values.double().sum().item(), len(known))
    return found
