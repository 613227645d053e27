"""Whole runs over small grains, in seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from quick import small_grains_seldom


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with small_grains_seldom():
        yield
