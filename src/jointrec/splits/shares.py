"""Cuts rows by a hash of their key, so that a key is in the same part wherever it is met."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int8, Int64

from jointrec.errors import ProjectError

from .base import TEST, TRAIN, VALID


def check_shares(valid: float, test: float, *, at: str) -> None:
    """Refuses shares that leave no part of the rows to training, validation or test.

    :raises ProjectError: where a share is not above 0, or both together are not below 1.
    """
    if not (valid > 0 and test > 0 and valid + test < 1):
        raise ProjectError(
            f"{at} should be shares above 0 that leave some rows to training, such as 0.1 for "
            f"validation and 0.2 for test. Found {valid:g} and {test:g}."
        )


def by_share(
    keys: Int64[np.ndarray, "rows"], *, valid: float, test: float
) -> Int8[np.ndarray, "rows"]:
    """The part of each key: about ``test`` of all keys in test, about ``valid`` in validation.

    :param keys: Any numbers; equal ones go to the same part, whatever other rows there are.

    >>> by_share(np.array([7, 8, 7]), valid=0.1, test=0.2).tolist()
    [0, 0, 0]
    """
    place = _mixed(keys) / 2.0**64
    parts = np.full(len(keys), TRAIN, dtype=np.int8)
    parts[place < valid + test] = VALID
    parts[place < test] = TEST
    return parts


def _mixed(keys: Int64[np.ndarray, "rows"]) -> np.ndarray:
    """SplitMix64's finaliser: keys that are close together end far apart, in [0, 2^64)."""
    mixed = keys.astype(np.int64).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
