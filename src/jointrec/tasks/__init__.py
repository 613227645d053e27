"""What is asked: one kind of question per file. ``__all__`` is the registry."""

from .amount import Amount
from .base import Earlier, Metric, State, Task
from .binary import Binary
from .choice import Choice
from .count import Count
from .multi import Multi
from .ordinal import Ordinal
from .quantiles import Quantiles
from .retrieval import Retrieval
from .sequence import Sequence
from .survival import Survival

__all__ = [
    "Amount",
    "Binary",
    "Choice",
    "Count",
    "Earlier",
    "Metric",
    "Multi",
    "Ordinal",
    "Quantiles",
    "Retrieval",
    "Sequence",
    "State",
    "Survival",
    "Task",
]
