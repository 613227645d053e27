"""How chances are set right on the newest rows, one way per file. ``__all__`` is the registry."""

from .base import Calibration, Calibrator
from .platt import Platt
from .raw import Raw
from .temperature import Temperature

__all__ = ["Calibration", "Calibrator", "Platt", "Raw", "Temperature"]
