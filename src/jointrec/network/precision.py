"""In which numbers products are computed."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from jointrec.budget import Precision

Computed = str
"""``fp32`` or ``bf16``: what :data:`Precision` comes to on a machine."""

WORTH = 1_024
"""The fewest rows of a step for which bf16 pays: casting costs more than it saves below."""


def has_bf16() -> bool:
    """Whether this processor multiplies bf16 numbers faster than others."""
    can = torch.cpu.get_capabilities()
    return any(can.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def computed_in(precision: Precision, rows: int) -> Computed:
    """What steps of so many rows are computed in, on this machine.

    >>> computed_in("fp32", 100_000), computed_in("auto", 8)
    ('fp32', 'fp32')
    """
    if precision != "auto":
        return precision
    return "bf16" if rows >= WORTH and has_bf16() else "fp32"


def products_in(computed: Computed, device: str) -> AbstractContextManager[object]:
    """Inside it linear layers and products are computed so; all weights stay float32.

    bf16 has the range of float32 and 8 bits of its digits; products are summed in float32
    (`Kalamkar et al., 2019 <https://arxiv.org/abs/1905.12322>`_).
    """
    return torch.autocast(device, torch.bfloat16, enabled=computed == "bf16")


def exact(device: str) -> AbstractContextManager[object]:
    """Inside it nothing is computed in bf16: where digits decide, and where bf16 is slow."""
    return torch.autocast(device, enabled=False)


def products_of(x: Tensor) -> torch.dtype:
    """The type in which products of a tensor are computed here: its own, or that of autocast."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
