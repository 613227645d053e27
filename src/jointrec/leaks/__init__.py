"""Ways in which an answer may reach a feature: a scan of the declared columns and tasks."""

from .found import CODES, Leak, Leaks
from .scan import check_for_leaks, find_leaks, scan_answers, scan_prepared

__all__ = [
    "CODES",
    "Leak",
    "Leaks",
    "check_for_leaks",
    "find_leaks",
    "scan_answers",
    "scan_prepared",
]
