"""What was learned, measured: every way of answering on the same rows, with intervals."""

from .baselines import Baseline
from .evaluate import Oracle, Ways, evaluate
from .report import ByPropensity, Report, TaskReport
from .said import Answers
from .slices import Slice
from .table import report_table, slices_table, spell, verdicts, ways_of

__all__ = [
    "Answers",
    "Baseline",
    "ByPropensity",
    "Oracle",
    "Report",
    "Slice",
    "TaskReport",
    "Ways",
    "evaluate",
    "report_table",
    "slices_table",
    "spell",
    "verdicts",
    "ways_of",
]
