"""How numbers of the past become inputs: one way per file. ``__all__`` is the registry."""

from .base import Numeric, NumericReader
from .piecewise_linear import PiecewiseLinear
from .plain import Plain

__all__ = ["Numeric", "NumericReader", "PiecewiseLinear", "Plain"]
