"""How past events become one vector: one encoder per file. ``__all__`` is the registry."""

from .attention import Attention
from .base import History, HistoryEncoder
from .mean import Mean

__all__ = ["Attention", "History", "HistoryEncoder", "Mean"]
