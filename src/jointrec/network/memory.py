"""Memory that one answer leaves is kept for the next."""

from __future__ import annotations

from functools import cache

import torch

BLOCK = (32 << 20) - (64 << 10)
"""Just below the largest block from which glibc learns what to keep."""


@cache
def keep_memory() -> None:
    """Has glibc keep up to 64 MiB that are free, where it would give them back to the system.

    It keeps what is free up to twice the size of the largest block that it was given back, of at
    most 32 MiB (``M_TRIM_THRESHOLD`` in ``mallopt(3)``), so one is taken and given back, unread.
    Otherwise a request leaves a few MiB that the system takes, and clears for the next one page by
    page: a sixth of its time. Other allocators take no notice.
    """
    torch.empty(BLOCK, dtype=torch.uint8)
