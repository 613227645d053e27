"""How a step of a funnel builds on the one before, one way per file. ``__all__`` is the list."""

from .aitm import AITM
from .base import Funnel, Step
from .product import Product
from .resflow import ResFlow

__all__ = ["AITM", "Funnel", "Product", "ResFlow", "Step"]
