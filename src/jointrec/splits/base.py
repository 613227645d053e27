"""The contract of a split: which rows train, which choose, which judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int8, Int64

TRAIN = 0
"""The part of the rows that are learned from."""
VALID = 1
"""The part of the rows that choose: when to stop, which way is better."""
TEST = 2
"""The part of the rows that judge, once."""
UNUSED = 3
"""The part of the rows whose label was not known in time: those in an embargo."""


@dataclass(frozen=True)
class Cuts:
    """The moments (µs UTC) at which validation and test begin; None where time plays no part.

    A label counts as known to training only if it was known before ``valid``, and to validation
    only if it was known before ``test``.
    """

    valid: int | None
    test: int | None


@dataclass(frozen=True)
class Split(ABC):
    """A way to cut rows into train, valid and test."""

    @abstractmethod
    def cuts(self, first: int, last: int, zone: str = "UTC") -> Cuts:
        """Where time is cut, given the first and the last moment of the data (µs UTC).

        :param zone: The time zone of declared moments that name none.
        """

    @abstractmethod
    def parts(
        self,
        moments: Int64[np.ndarray, "rows"] | None,
        known_at: Int64[np.ndarray, "rows"] | None,
        keys: Int64[np.ndarray, "rows"],
        cuts: Cuts,
    ) -> Int8[np.ndarray, "rows"]:
        """The part of each row.

        :param moments: When each row is asked. None for rows without a time.
        :param known_at: When the label of each row is known. None for rows without a time.
        :param keys: A stable hash of the entity that rows without a time, or a split by entity, are
            cut by (the first entity of the grain).
        """
