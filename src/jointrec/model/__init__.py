"""The verbs: ``fit`` makes a model, ``load`` reads one."""

from .bundle import load
from .fitting import fit
from .model import Model

__all__ = ["Model", "fit", "load"]
