"""What was learned, measured: every way of answering on the same rows, with intervals."""

from .baselines import Baseline
from .evaluate import Oracle, Ways, evaluate, ranks
from .report import Report, TaskReport
from .table import report_table, spell, verdicts

__all__ = [
    "Baseline",
    "Oracle",
    "Report",
    "TaskReport",
    "Ways",
    "evaluate",
    "ranks",
    "report_table",
    "spell",
    "verdicts",
]
