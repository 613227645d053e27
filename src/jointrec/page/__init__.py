"""Pages about the data of a project (the plan, the findings, every column, drift), and reports.

Each is a single file. It names no other host, runs no script, and whatever comes from the data is
put in as text only.
"""

from .columns import Column, describe
from .drift import Drift, drift_of
from .page import html_of, write_page
from .report import report_html, write_report

__all__ = [
    "Column",
    "Drift",
    "describe",
    "drift_of",
    "html_of",
    "report_html",
    "write_page",
    "write_report",
]
