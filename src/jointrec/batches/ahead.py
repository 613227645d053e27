"""Do the next piece of work in a thread while the last one is being used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


def ahead(make: Callable[[int], Made], count: int) -> Iterator[Made]:
    """``make(0)``, ``make(1)`` … in order, each begun while the one before it is in use.

    What ``make`` raises is raised here, at its place in the order.

    >>> list(ahead(lambda number: number * number, 4))
    [0, 1, 4, 9]
    """
    if count == 1:  # nothing is in use yet, and a thread takes a millisecond to begin
        yield make(0)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        coming = thread.submit(make, 0) if count else None
        for number in range(count):
            assert coming is not None
            made = coming.result()
            if number + 1 < count:
                coming = thread.submit(make, number + 1)
            yield made
