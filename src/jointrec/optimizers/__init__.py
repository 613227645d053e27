"""How gradients move weights: one optimizer per file. ``__all__`` is the registry.

An :class:`Optimizer` moves the weights of the network, a :class:`TableUpdate` the rows of the
embedding table.
"""

from .adam import Adam
from .adamw import AdamW
from .base import Optimizer
from .lazy_adam import LazyAdam
from .rowwise_adagrad import RowwiseAdagrad
from .sgd import SGD
from .table_update import TableUpdate

__all__ = ["SGD", "Adam", "AdamW", "LazyAdam", "Optimizer", "RowwiseAdagrad", "TableUpdate"]
