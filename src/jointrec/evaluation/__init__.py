"""What was learned, measured: every way of answering on the same rows, with intervals."""

from .baselines import Baseline
from .evaluate import Answers, Oracle, Ways, evaluate
from .report import Report, TaskReport
from .table import report_table, spell, verdicts, ways_of

__all__ = [
    "Answers",
    "Baseline",
    "Oracle",
    "Report",
    "TaskReport",
    "Ways",
    "evaluate",
    "report_table",
    "spell",
    "verdicts",
    "ways_of",
]
