"""From labels to grains, from declarations alone: no table is read to make a plan."""

from .columns import Use, columns_of, features_of, key_column, uses
from .grains import DEFAULT_EVERY, Asking, Grain, Plan, timed
from .planning import plan
from .texts import texts_beside

__all__ = [
    "DEFAULT_EVERY",
    "Asking",
    "Grain",
    "Plan",
    "Use",
    "columns_of",
    "features_of",
    "key_column",
    "plan",
    "texts_beside",
    "timed",
    "uses",
]
