"""Loops over rows as machine code, where numba is installed (``jointrec[fast]``).

What PyTorch does pass by pass waits for memory in every pass; one loop over the rows waits once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from inspect import unwrap
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

Loop = Callable[..., None]


@cache
def compiled(loop: Loop) -> Loop | None:
    """A loop as machine code; None where numba is not installed.

    The first call with arrays of some types takes one to two seconds.
    """
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


def parts_of(rows: int) -> list[tuple[int, int]]:
    """The first row of a part and the one after its last, a part for each thread of PyTorch."""
    count = max(1, min(torch.get_num_threads(), rows))
    return list(pairwise(rows * part // count for part in range(count + 1)))


def at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Runs jobs at the same time, the first of them here: loops that hold no lock of Python's."""
    others = [_pool().submit(job) for job in jobs[1:]]
    jobs[0]()
    for other in others:
        other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="jointrec-loop")
