"""Lets passes be short, so that tests of whole runs take seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jointrec.batches import order


@contextmanager
def small_grains_seldom(rows: int = 400, steps: int = order.FEWEST_STEPS) -> Iterator[None]:
    """Grains are passed until they gave so many rows, and not thousands, while this lasts.

    :param steps: A pass of few rows has so many steps at least.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FEWEST_TAKEN", rows)
        patch.setattr(order, "FEWEST_STEPS", steps)
        yield
