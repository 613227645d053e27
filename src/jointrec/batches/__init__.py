"""From prepared arrays to tensors: each distinct thing and each distinct moment once."""

from .assemble import Assembler
from .batch import Bag, Batch, Candidates, Examples, FieldBatch, HistoryBatch, MomentBatch, Reads
from .loader import Loader
from .pieces import pieces

__all__ = [
    "Assembler",
    "Bag",
    "Batch",
    "Candidates",
    "Examples",
    "FieldBatch",
    "HistoryBatch",
    "Loader",
    "MomentBatch",
    "Reads",
    "pieces",
]
