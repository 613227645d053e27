"""How tasks pull on what they share: one method per file. ``__all__`` is the registry."""

from .base import Balancer, Balancing
from .equal import Equal
from .geometric import Geometric
from .mgda import MGDA
from .normalized import Normalized
from .uncertainty import Uncertainty
from .upgrad import UPGrad
from .weighted import Weighted

__all__ = [
    "MGDA",
    "Balancer",
    "Balancing",
    "Equal",
    "Geometric",
    "Normalized",
    "UPGrad",
    "Uncertainty",
    "Weighted",
]
