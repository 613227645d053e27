"""How many threads a training step is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

NUMBERS_A_THREAD = 500_000
"""Below so many numbers for each, threads that wake each other at every product lose more than they
share: eight tasks at four grains take 92 ms a step on one thread and 120 on two, one flat table of
twice the rows 81 and 50 (docs/log.md)."""


def threads_for(rows: int, width: int) -> int:
    """The threads for the products of a step: at most as many as there are now, at least one.

    It follows from the project and not from a measurement, so that a run gives the same bits again.

    :param rows: The rows of the largest grain in a step: products are computed grain by grain.
    :param width: How many numbers a row has when products begin.

    >>> threads_for(900, 500)
    1
    """
    return max(1, min(torch.get_num_threads(), rows * width // NUMBERS_A_THREAD))


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
