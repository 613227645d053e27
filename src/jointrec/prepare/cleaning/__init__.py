"""Cleaning: what is odd in a table is found, counted, shown, and dealt with as the project says.

A kind of finding about values or rows is one class; ``__all__`` is the registry, in the order in
which they are looked for. What can be read at all, keys and times come first (``rows``, ``times``),
as without them there is nothing to look at.
"""

from .base import Detector
from .bots import Bot
from .clock import ClockBack, ClockBurst, CrowdedDay
from .columns import ConstantColumn, MixedTypes
from .likeness import NearDuplicate, RepeatedRow
from .negative import NegativeNumber, Return
from .numbers import AbsurdNumber, LargeNumber
from .texts import Mojibake
from .unnamed import Unnamed

# Rows that must not count come first; then numbers, before any is capped; then the others.
# ruff: noqa: RUF022
__all__ = [
    "Detector",
    "RepeatedRow",
    "Bot",
    "ClockBurst",
    "ClockBack",
    "CrowdedDay",
    "Return",
    "NegativeNumber",
    "AbsurdNumber",
    "LargeNumber",
    "MixedTypes",
    "Mojibake",
    "ConstantColumn",
    "NearDuplicate",
    "Unnamed",
]


def detectors() -> tuple[type[Detector], ...]:
    """The kinds of finding, in the order in which they are looked for."""
    listed = [globals()[name] for name in __all__]
    return tuple(kind for kind in listed if kind is not Detector)
