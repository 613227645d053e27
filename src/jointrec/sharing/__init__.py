"""What tasks have in common inside the network: one way per file. ``__all__`` is the registry."""

from .base import Heard, SharedNetwork, Sharing
from .mmoe import MMoE
from .ple import PLE
from .shared_bottom import SharedBottom

__all__ = ["PLE", "Heard", "MMoE", "SharedBottom", "SharedNetwork", "Sharing"]
