"""Encode, fuse, share, head: the one network that answers every task."""

from .answers import answers_of, outputs_of
from .joint_network import JointNetwork
from .table import FusedTable

__all__ = ["FusedTable", "JointNetwork", "answers_of", "outputs_of"]
