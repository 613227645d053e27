"""Other ways to answer a task, one per file. The list is the registry."""

from .base import Baseline, Question
from .lightgbm import LightGBM
from .logistic import LogisticRegression
from .popularity import Popularity

__all__ = ["Baseline", "LightGBM", "LogisticRegression", "Popularity", "Question"]
