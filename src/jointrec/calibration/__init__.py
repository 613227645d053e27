"""How chances are set right on the newest rows, one way per file. ``__all__`` is the registry."""

from .base import NOTHING, About, Calibration, Calibrator, Settled
from .following import Following
from .platt import Platt
from .raw import Raw
from .temperature import Temperature

__all__ = [
    "NOTHING",
    "About",
    "Calibration",
    "Calibrator",
    "Following",
    "Platt",
    "Raw",
    "Settled",
    "Temperature",
]
