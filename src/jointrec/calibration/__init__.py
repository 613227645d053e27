"""How chances are set right on the newest rows, one way per file. ``__all__`` is the registry."""

from .base import NOTHING, About, Calibration, Calibrator, Settled
from .by_segment import BySegment
from .following import Following
from .isotonic import Isotonic
from .platt import Platt
from .raw import Raw
from .several import Several
from .temperature import Temperature

__all__ = [
    "NOTHING",
    "About",
    "BySegment",
    "Calibration",
    "Calibrator",
    "Following",
    "Isotonic",
    "Platt",
    "Raw",
    "Settled",
    "Several",
    "Temperature",
]
