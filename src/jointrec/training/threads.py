"""How many threads a training step is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

ROWS_A_THREAD = 8_192
"""A step of fewer rows is faster on one thread than on two that wake each other at every product:
1.6 times as fast at 2,048 rows of eight tasks, on two cores (docs/log.md)."""


def threads_for(rows: int) -> int:
    """The threads for steps of so many rows: at most as many as there are now, at least one.

    It follows from the project and not from a measurement, so that a run gives the same bits again.

    >>> threads_for(2_048)
    1
    """
    return max(1, min(torch.get_num_threads(), rows // ROWS_A_THREAD))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Products inside are computed by so many threads; after it by as many as before.

    >>> before = torch.get_num_threads()
    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
