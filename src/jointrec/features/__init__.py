"""How a column is read: one kind of column per file. ``__all__`` is the registry."""

from .base import Bags, Dated, Encoded, Feature, Ids, Numbers, State
from .category import Category
from .number import Number
from .set import Set
from .text import Text
from .time import Time

__all__ = [
    "Bags",
    "Category",
    "Dated",
    "Encoded",
    "Feature",
    "Ids",
    "Number",
    "Numbers",
    "Set",
    "State",
    "Text",
    "Time",
]
