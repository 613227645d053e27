"""One page about the data of a project: the plan, the findings, every column, and what drifts.

It is a single file. It names no other host, runs no script, and whatever comes from the data is put
in as text only.
"""

from .columns import Column, describe
from .drift import Drift, drift_of
from .page import html_of, write_page

__all__ = ["Column", "Drift", "describe", "drift_of", "html_of", "write_page"]
