"""How a step of a funnel builds on the one before, one way per file. ``__all__`` is the list."""

from .aitm import AITM
from .base import Funnel, Step
from .escm2 import ESCM2
from .product import Product
from .resflow import ResFlow

__all__ = ["AITM", "ESCM2", "Funnel", "Product", "ResFlow", "Step"]
