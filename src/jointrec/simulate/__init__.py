"""A shop in which every probability is known: for the demo, the tests and the oracle of reports."""

from __future__ import annotations

from .shop import Shop

__all__ = ["Shop"]
