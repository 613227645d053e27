"""How rows are cut into train, valid and test. ``__all__`` is the registry."""

from .base import TEST, TRAIN, UNUSED, VALID, Cuts, Split
from .by_entity import ByEntity
from .by_time import ByTime

__all__ = ["TEST", "TRAIN", "UNUSED", "VALID", "ByEntity", "ByTime", "Cuts", "Split"]
