"""How the vectors of a row become one: one fusion per file. ``__all__`` is the registry."""

from .base import Fused, Fusion
from .concat import Concat
from .cross import Cross
from .mean import Mean
from .sum import Sum

__all__ = ["Concat", "Cross", "Fused", "Fusion", "Mean", "Sum"]
