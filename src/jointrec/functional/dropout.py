"""Dropping activations, at a byte of chance each."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

BYTES = 256
WHOLE = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def dropped(
    x: Float[Tensor, "*shape"], share: float, training: bool = True
) -> Float[Tensor, "*shape"]:
    """Sets some numbers to zero by chance, and scales the others so that the mean stays.

    Dropout (`Srivastava et al., 2014 <https://jmlr.org/papers/v15/srivastava14a.html>`_). Where we
    leave the paper: on a CPU the share is rounded to the nearest 256th, so that one draw of a
    generator serves eight numbers: what PyTorch does takes as long as a small layer.

    :param share: The share that is dropped, from 0 to below 1.
    :param training: Otherwise nothing is.
    """
    if not share or not training:
        return x
    if x.device.type != "cpu":
        return F.dropout(x, share)
    stays, scale = kept(x.numel(), share)
    # The bits of a number, times 0 or 1, are those of 0.0 or of the number: PyTorch would take four
    # times as long to make bf16 of what is true or false.
    bits = torch.tensor(scale, dtype=x.dtype).view(WHOLE[x.element_size()])
    factors = np.multiply(stays.view(np.int8), bits.numpy(), dtype=bits.numpy().dtype)
    return x * torch.from_numpy(factors).view(x.dtype).view(x.shape)


def kept(count: int, share: float) -> tuple[Bool[np.ndarray, "count"], float]:
    """Which of so many numbers are kept, and what each of them is multiplied by."""
    least = min(round(share * BYTES), BYTES - 1)
    words = torch.empty(-(-count // 8), dtype=torch.int64)
    words.random_(-(1 << 63), None)  # all 64 bits
    return words.numpy().view(np.uint8)[:count] >= least, BYTES / (BYTES - least)
