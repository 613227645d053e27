"""Other ways to answer a task, one per file. The list is the registry."""

from .base import Baseline, Question
from .bg_nbd import BGNBD
from .bm25 import BM25
from .ease import EASE
from .ets import ETS
from .item_knn import ItemKNN
from .lightgbm import LightGBM
from .logistic import LogisticRegression
from .popularity import Popularity
from .rfm import RFM
from .seasonal_naive import SeasonalNaive
from .tfidf import TfidfLightGBM

EVERY: tuple[Baseline, ...] = (
    LightGBM(),
    LogisticRegression(),
    Popularity(),
    ItemKNN(),
    EASE(),
    SeasonalNaive(),
    ETS(),
    RFM(),
    BGNBD(),
    BM25(),
    TfidfLightGBM(),
)
"""All of them, in the order of reports."""
__all__ = [
    "BGNBD",
    "BM25",
    "EASE",
    "ETS",
    "EVERY",
    "RFM",
    "Baseline",
    "ItemKNN",
    "LightGBM",
    "LogisticRegression",
    "Popularity",
    "Question",
    "SeasonalNaive",
    "TfidfLightGBM",
]
