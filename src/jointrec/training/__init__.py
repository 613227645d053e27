"""Trains one network for all tasks, and keeps for each funnel the pass at which it was best."""

from .alone import alone
from .apart import Apart, worth_apart
from .calibrate import followed
from .checkpoint import Interrupted
from .progress import live_watch
from .threads import threads
from .train import Trained, train
from .watch import Epoch, Progress, Watch

__all__ = [
    "Apart",
    "Epoch",
    "Interrupted",
    "Progress",
    "Trained",
    "Watch",
    "alone",
    "followed",
    "live_watch",
    "threads",
    "train",
    "worth_apart",
]
