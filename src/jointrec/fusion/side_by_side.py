"""Parts of a row, one after the other, with a sign for each that is there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def side_by_side(
    parts: Sequence[Float[Tensor, "rows _"] | None], sizes: Sequence[int]
) -> Float[Tensor, "rows size"]:
    """All parts and then one sign per part: 1 where it is there, 0 where zeros stand for it.

    Without the signs a network could not tell a part that is missing from one that is all zeros.
    Where products are computed in bf16, the parts are cast to it here, once for all that reads the
    row.

    >>> side_by_side([torch.ones(2, 1), None], [1, 2])
    tensor([[1., 0., 0., 1., 0.],
            [1., 0., 0., 1., 0.]])
    """
    some = next(part for part in parts if part is not None)
    rows = len(some)
    device, kind = some.device.type, some.dtype
    if torch.is_autocast_enabled(device):
        kind = torch.get_autocast_dtype(device)
    blocks = [
        some.new_zeros(rows, size, dtype=kind) if part is None else part.to(kind)
        for part, size in zip(parts, sizes, strict=True)
    ]
    signs = torch.tensor([part is not None for part in parts], dtype=kind, device=some.device)
    return torch.cat([*blocks, signs.expand(rows, -1)], dim=1)


def width_of(sizes: Sequence[int]) -> int:
    """How wide parts of these sizes and their signs are together.

    >>> width_of([1, 2])
    5
    """
    return sum(sizes) + len(sizes)
