"""Loops over the rows of a table as machine code, where numba is installed (``jointrec[fast]``).

What PyTorch does to rows here and there, pass by pass, waits for memory in every pass; one loop
waits once. It pays where a step touches many rows of a table that no cache holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import unwrap
from typing import Any

import numpy as np
from torch import Tensor

Loop = Callable[..., None]

WORTH = 8_192
"""The fewest rows of a step for which numba is loaded and the loop compiled: two seconds once."""


def compiled_for(loop: Loop, table: Tensor, touched: Tensor) -> Loop | None:
    """A loop as machine code; None where PyTorch does as well, or numba is not installed."""
    if len(touched) < WORTH or table.device.type != "cpu":
        return None
    return _compiled(loop)


@cache
def _compiled(loop: Loop) -> Loop | None:
    try:
        from numba import njit
    except ImportError:
        return None
    # Nothing is kept on disk: numba would read it back by pickle.
    made: Loop = njit(nogil=True, fastmath={"reassoc", "contract"})(unwrap(loop))
    return made


def arrays(*tensors: Tensor) -> tuple[np.ndarray[Any, Any], ...]:
    """Tensors as arrays that share their memory."""
    return tuple(tensor.detach().numpy() for tensor in tensors)
