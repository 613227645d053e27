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

WORTH = 500_000
"""The fewest numbers of a step for which numba is loaded and loops over them compiled: one to two
seconds for each, once."""

BITS = {torch.float32: np.uint32, torch.bfloat16: np.uint16}
"""What the numbers of a type are where numba, which knows no bf16, is told of bits."""


def pays(numbers: int, of: Tensor, loop: Loop) -> bool:
    """Whether a loop over so many numbers is worth its compiling: in training, on a CPU, of a type
    that it is written for.

    :param of: What the numbers are, or are looked up in.
    """
    learns = torch.is_grad_enabled() and of.requires_grad
    fits = numbers >= WORTH and of.device.type == "cpu" and of.dtype in BITS
    return learns and fits and compiled(loop) is not None


@cache
def compiled(loop: Loop) -> Loop | None:
    """A loop as machine code; None where numba is not installed.

    The first call with arrays of some types takes one to two seconds.
    """
    njit = _compiler()
    if njit is None:
        return None
    # Nothing is kept on disk: numba would read it back by pickle.
    made: Loop = njit(nogil=True, fastmath={"reassoc", "contract"})(unwrap(loop))
    return made


@cache
def _compiler() -> Callable[..., Any] | None:
    """What makes machine code; it knows what loops may call."""
    try:
        from numba import njit
        from numba.extending import overload
    except ImportError:
        return None
    overload(widen, strict=False)(lambda given, bits: unwrap(widen))  # noqa: ARG005
    overload(narrow, strict=False)(lambda bits, told: unwrap(narrow))  # noqa: ARG005
    compiler: Callable[..., Any] = njit
    return compiler


def widen(given: np.ndarray[Any, Any], bits: np.ndarray[Any, Any]) -> None:
    """For loops: numbers of float32 or bf16, as bits, become the bits of float32."""
    if given.itemsize == 2:
        for i in range(len(bits)):
            bits[i] = np.uint32(given[i]) << 16
    else:
        for i in range(len(bits)):
            bits[i] = given[i]


def narrow(bits: np.ndarray[Any, Any], told: np.ndarray[Any, Any]) -> None:
    """For loops: the other way; to the nearest of bf16, and of two to the even one."""
    if told.itemsize == 2:
        for i in range(len(bits)):
            told[i] = (bits[i] + np.uint32(0x7FFF) + ((bits[i] >> 16) & 1)) >> 16
    else:
        for i in range(len(bits)):
            told[i] = bits[i]


def machine(loop: Loop) -> Loop:
    """A loop as machine code, of which :func:`pays` was asked before."""
    made = compiled(loop)
    assert made is not None, "without numba no loop pays"
    return made


def bits_of(x: Tensor) -> np.ndarray[Any, Any]:
    """The bits of numbers, in the same memory."""
    whole = torch.int32 if x.element_size() == 4 else torch.int16
    return x.detach().view(whole).numpy().view(BITS[x.dtype])


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
