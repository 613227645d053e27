"""The verbs: ``fit`` makes a model, ``load`` reads one."""

from .compare import Compare
from .fitting import fit
from .model import Model, load

__all__ = ["Compare", "Model", "fit", "load"]
