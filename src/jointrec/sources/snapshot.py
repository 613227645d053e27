"""One connection and one snapshot of each database for all that is read in one load."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from jointrec.errors import SourceError

ATTEMPTS = 3
_PAUSE = 0.5
"""Seconds before the second attempt; twice as long before the third."""


class ConnectionLost(SourceError):
    """The connection to a database broke; nothing that was read through it is to be used."""


class Opened(ABC):
    """What stays open during a load."""

    @abstractmethod
    def close(self) -> None:
        """Ends it, and the snapshot with it. Never raises."""


Result = TypeVar("Result")
Some = TypeVar("Some", bound=Opened)
_OPENED: ContextVar[dict[Hashable, Opened] | None] = ContextVar("opened", default=None)


def in_one_snapshot(work: Callable[[], Result]) -> Result:
    """Does some reading with one connection to each database, so that its tables fit each other.

    PostgreSQL, MySQL, SQLite and DuckDB then show all their tables as they were at one moment.
    Where a connection breaks, all the work is done anew in a new snapshot, up to three times: so
    ``work`` must keep nothing of what it read until it returns. Inside other such work it joins.

    :param work: What reads, such as ``lambda: [sources.read(…), sources.read(…)]``.
    :raises SourceError: where the connection breaks each time.

    >>> in_one_snapshot(lambda: 7)
    7
    """
    if _OPENED.get() is not None:
        return work()
    lost: ConnectionLost | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(_PAUSE * attempt)
        with _all_closed_after():
            try:
                return work()
            except ConnectionLost as error:
                lost = error
    raise SourceError(
        f"{lost} This was tried {ATTEMPTS} times, each time from the start, and nothing of it is "
        "used. Look at the server and the network, and run it again."
    )


@contextmanager
def _all_closed_after() -> Iterator[None]:
    opened: dict[Hashable, Opened] = {}
    token = _OPENED.set(opened)
    try:
        yield
    finally:
        _OPENED.reset(token)
        for connection in opened.values():
            connection.close()


def shared(key: Hashable, open_new: Callable[[], Some]) -> tuple[Some, bool]:
    """The connection of this load, and whether the caller must close it as there is no load."""
    opened = _OPENED.get()
    if opened is None:
        return open_new(), True
    if key not in opened:
        opened[key] = open_new()
    return opened[key], False  # type: ignore[return-value]


def forget(key: Hashable, connection: Opened) -> None:
    """Closes a connection: the next of this load who asks gets another, in a new snapshot."""
    connection.close()
    opened = _OPENED.get()
    # A reader that was dropped may be tidied up long after, in the midst of another load.
    if opened is not None and opened.get(key) is connection:
        del opened[key]
