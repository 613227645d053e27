"""A split by who is asked about, whatever the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int8, Int64

from .base import Cuts, Split
from .shares import by_share, check_shares


@dataclass(frozen=True)
class ByEntity(Split):
    """All rows of an entity in one part, to see how well questions about unseen ones are answered.

    The first entity of a grain decides, by a hash of its key, so the part of a key depends on
    nothing else. Time plays no part: training may know what happened later to other entities.
    For answers about the future, split :class:`ByTime`.

    :param valid: The share of entities that validate.
    :param test: The share of entities that test.
    :raises ProjectError: where a share is not above 0, or both together are not below 1.
    """

    valid: float = 0.1
    test: float = 0.2

    def __post_init__(self) -> None:
        check_shares(self.valid, self.test, at="`valid` and `test`")

    def cuts(self, first: int, last: int, zone: str = "UTC") -> Cuts:
        return Cuts(None, None)

    def parts(
        self,
        moments: Int64[np.ndarray, "rows"] | None,
        known_at: Int64[np.ndarray, "rows"] | None,
        keys: Int64[np.ndarray, "rows"],
        cuts: Cuts,
    ) -> Int8[np.ndarray, "rows"]:
        return by_share(keys, valid=self.valid, test=self.test)
