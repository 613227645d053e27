"""Joint multi-task learning for search and recommendation.

A shop declares its tables and its questions once; one network with shared embeddings answers all
of them. Start with :func:`read` or :class:`Project`, then :func:`fit`.

What is named here is imported when it is first used, so ``import jointrec`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        balancing,
        calibration,
        features,
        funnels,
        fusion,
        history,
        numeric,
        optimizers,
        sharing,
        simulate,
        splits,
        tasks,
    )
    from .budget import Budget
    from .errors import JointRecError
    from .labels import later
    from .leaks import find_leaks
    from .model import Compare, Model, fit, load
    from .plan import Plan
    from .project import Project, Table, parse, read
    from .schema import Entity, Event
    from .splits import ByEntity, ByTime

__version__ = "0.1.0"

_PLACES = {
    "Budget": "budget",
    "ByEntity": "splits",
    "ByTime": "splits",
    "Compare": "model",
    "Entity": "schema",
    "Event": "schema",
    "JointRecError": "errors",
    "Model": "model",
    "Plan": "plan",
    "Project": "project",
    "Table": "project",
    "find_leaks": "leaks",
    "fit": "model",
    "later": "labels",
    "load": "model",
    "parse": "project",
    "read": "project",
}
_PACKAGES = (
    "balancing",
    "calibration",
    "features",
    "funnels",
    "fusion",
    "history",
    "numeric",
    "optimizers",
    "sharing",
    "simulate",
    "splits",
    "tasks",
)

__all__ = [
    "Budget",
    "ByEntity",
    "ByTime",
    "Compare",
    "Entity",
    "Event",
    "JointRecError",
    "Model",
    "Plan",
    "Project",
    "Table",
    "balancing",
    "calibration",
    "features",
    "find_leaks",
    "fit",
    "funnels",
    "fusion",
    "history",
    "later",
    "load",
    "numeric",
    "optimizers",
    "parse",
    "read",
    "sharing",
    "simulate",
    "splits",
    "tasks",
]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f".{name}", __name__)
    if name in _PLACES:
        return getattr(import_module(f".{_PLACES[name]}", __name__), name)
    raise AttributeError(
        f"module `jointrec` has no attribute `{name}`. It has: {', '.join(__all__)}."
    )


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
