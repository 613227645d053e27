"""The verbs: ``fit`` makes a model, ``load`` reads one."""

from .fitting import Compare, fit
from .model import Model, load

__all__ = ["Compare", "Model", "fit", "load"]
