"""From tables to arrays: clean, count, look back, look ahead; learned on training rows only."""

from .cache import Cache
from .delivery import hand_over, open_handover, with_own_tables
from .labels import Rows
from .lending import borrow, lend
from .loading import load
from .obtaining import obtain
from .preparation import Preparation
from .prepare import asked_again, build_reader, over, prepare, prepared_of
from .prepared import (
    Asked,
    Fields,
    FieldsLayout,
    Layout,
    Moments,
    Past,
    Popularity,
    Prepared,
    Things,
)
from .reader import Reader
from .tables import Tables
from .timeline import Span, Timeline
from .training_rows import times_met

__all__ = [
    "Asked",
    "Cache",
    "Fields",
    "FieldsLayout",
    "Layout",
    "Moments",
    "Past",
    "Popularity",
    "Preparation",
    "Prepared",
    "Reader",
    "Rows",
    "Span",
    "Tables",
    "Things",
    "Timeline",
    "asked_again",
    "borrow",
    "build_reader",
    "hand_over",
    "lend",
    "load",
    "obtain",
    "open_handover",
    "over",
    "prepare",
    "prepared_of",
    "times_met",
    "with_own_tables",
]
