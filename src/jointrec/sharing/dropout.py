"""Dropping activations, at a byte of chance each."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

BYTES = 256


def dropped(x: Float[Tensor, "*shape"], share: float) -> Float[Tensor, "*shape"]:
    """Sets some numbers to zero by chance, and scales the others so that the mean stays.

    Dropout (`Srivastava et al., 2014 <https://jmlr.org/papers/v15/srivastava14a.html>`_). Where we
    leave the paper: the share is rounded to the nearest of 255 steps, so that one draw of a
    generator serves eight numbers; drawing one for each would cost as much as a small layer.

    :param share: The share that is dropped, from 0 to below 1.
    """
    least = min(round(share * BYTES), BYTES - 1)
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
    words.random_(-(1 << 63), None)  # all 64 bits
    kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= least
    return x * kept.to(x.dtype).mul_(BYTES / (BYTES - least))
