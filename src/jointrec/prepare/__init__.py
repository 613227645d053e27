"""From tables to arrays: clean, count, look back, look ahead; learned on training rows only."""

from .labels import Rows
from .loading import load
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

__all__ = [
    "Asked",
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
    "build_reader",
    "load",
    "over",
    "prepare",
    "prepared_of",
]
