"""Metrics of what is shown, whoever liked it: how much of a catalogue, and how little known."""

import numpy as np
from jaxtyping import Float64, Integer

from jointrec.errors import DataError

from .rows import NAN


def catalogue_coverage(shown: Integer[np.ndarray, "lists k"], size: int) -> float:
    """The share of a catalogue that stands in at least one list.

    Herlocker and others (2004), *catalogue coverage*. From 0 to 1; nan without lists or catalogue.

    :param shown: Places in the catalogue, from 0.
    :param size: How many items the catalogue has.
    :raises DataError: where a place is not in it.

    >>> catalogue_coverage(np.array([[0, 1], [1, 2]]), 6)
    0.5
    """
    if not shown.size or not size:
        return NAN
    _check(shown, size)
    return len(np.unique(shown)) / size


def novelty(shown: Integer[np.ndarray, "lists k"], chosen: Float64[np.ndarray, "items"]) -> float:
    r"""How little known what is shown is, in bits: the mean of :math:`-\log_2 p`.

    Zhou and others (2010), *self-information*: p is the share of all choices that fell on the item,
    so 10 bits is an item that one choice in 1,024 falls on. One choice is added to every item, or
    one that was never chosen would be infinitely new. Nan without lists.

    :param shown: Places in the catalogue, from 0.
    :param chosen: How often each item was chosen, 0 or more.
    :raises DataError: where a place is not in the catalogue.

    >>> novelty(np.array([[0, 1]]), np.array([2.0, 0.0]))  # 3/4 and 1/4 of the choices
    1.207518749639422
    """
    if not shown.size:
        return NAN
    _check(shown, len(chosen))
    bits = -np.log2((chosen + 1.0) / (chosen + 1.0).sum())
    return float(bits[shown].mean())


def _check(shown: Integer[np.ndarray, "lists k"], size: int) -> None:
    if shown.min() < 0 or shown.max() >= size:
        raise DataError(
            f"Places shown should be from 0 to {size - 1}, those of a catalogue of {size}. "
            f"Found {shown.min()} to {shown.max()}."
        )
