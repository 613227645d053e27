"""How tasks pull on what they share: one method per file. ``__all__`` is the registry."""

from .base import Balancer, Balancing
from .equal import Equal
from .geometric import Geometric
from .normalized import Normalized
from .uncertainty import Uncertainty
from .weighted import Weighted

__all__ = [
    "Balancer",
    "Balancing",
    "Equal",
    "Geometric",
    "Normalized",
    "Uncertainty",
    "Weighted",
]
