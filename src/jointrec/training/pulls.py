"""How tasks pull on what they share: inner products of their gradients, in one pass back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from jointrec.sharing import Heard


def pulls(
    losses: Float[Tensor, "tasks"], tasks: Sequence[str], heard: Sequence[Heard]
) -> Float[Tensor, "tasks tasks"]:
    """For each two tasks the inner product of their gradients at what they share.

    A task's vector is ``h_t = Σ_e s_te f_e`` of shared things f with shares s, so its gradient at
    f_e is ``s_te ∂ℓ_t/∂h_t``. No loss leads to the vector of another task, so one pass back from
    the sum of all losses gives every ``∂ℓ_t/∂h_t``, through heads only, and ::

        ⟨g_s, g_t⟩ = Σ_rows (Σ_e s_se s_te) ⟨∂ℓ_s/∂h_s, ∂ℓ_t/∂h_t⟩

    Shares are taken as they are. Tasks of two grains have no row in common: 0.

    :param losses: The mean loss of each task; the graph is kept.
    :param tasks: Their names.
    :param heard: What tasks got, grain after grain.
    """
    found = losses.new_zeros(len(tasks), len(tasks))
    vectors = [vector for one in heard for vector in one.vectors.values()]
    if not losses.requires_grad or not vectors:
        return found
    gradients = iter(
        torch.autograd.grad(losses.sum(), vectors, retain_graph=True, allow_unused=True)
    )
    places = {task: place for place, task in enumerate(tasks)}
    for one in heard:
        own = [next(gradients) for _ in one.vectors]
        there = [n for n, gradient in enumerate(own) if gradient is not None]
        if not there:
            continue
        pulled, shares = torch.stack([own[n] for n in there], dim=1), one.shares.detach()[:, there]
        products = (pulled @ pulled.mT).to(losses.dtype) * (shares @ shares.mT).to(losses.dtype)
        at = torch.tensor([places[[*one.vectors][n]] for n in there])
        found[at[:, None], at[None, :]] = products.sum(dim=0)
    return found
