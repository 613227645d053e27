"""Memory that a step of training or an answer leaves is kept for the next."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

TRIM, MMAP = -1, -3
"""``M_TRIM_THRESHOLD`` and ``M_MMAP_THRESHOLD`` of ``mallopt(3)``."""
KEPT, LARGEST = 1 << 30, 1 << 25
"""How many bytes may stay free, and the most that glibc lets a block have that it keeps."""
AFTER = 1 << 27
"""How many bytes may stay free when training is over."""
BLOCK = LARGEST - (64 << 10)
"""Just below the largest block from which glibc learns what to keep."""


@contextmanager
def freed_is_kept() -> Iterator[None]:
    """Inside it what a step frees stays with the process for the next one; after it what is free
    goes back.

    A step takes and frees blocks of megabytes. glibc would hand them back to the system, which
    fills them with zeros and maps them page by page when they are asked for again: two to four
    thousand pages a step, 3 to 5 % of its time (docs/log.md, 2026-11-26). Where the C library is
    another one nothing changes.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(MMAP, LARGEST)
    libc.mallopt(TRIM, KEPT)
    try:
        yield
    finally:
        libc.mallopt(TRIM, AFTER)
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


@cache
def keep_memory() -> None:
    """Has glibc keep up to 64 MiB that are free, where it would give them back to the system.

    It keeps what is free up to twice the size of the largest block that it was given back, of at
    most 32 MiB, so one is taken and given back, unread. Otherwise a request leaves a few MiB that
    the system takes, and clears for the next one page by page: a sixth of its time. Other
    allocators take no notice.
    """
    torch.empty(BLOCK, dtype=torch.uint8)
