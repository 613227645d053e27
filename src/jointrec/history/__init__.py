"""How past events become one vector: one encoder per file. ``__all__`` is the registry."""

from .attention import Attention
from .base import CausalEncoder, History, HistoryEncoder
from .gru import GRU
from .mean import Mean
from .sasrec import SASRec

__all__ = ["GRU", "Attention", "CausalEncoder", "History", "HistoryEncoder", "Mean", "SASRec"]
