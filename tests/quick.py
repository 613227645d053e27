"""Lets very small grains be passed less often, so that tests of whole runs take seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jointrec.batches import order


@contextmanager
def small_grains_seldom(rows: int = 400) -> Iterator[None]:
    """Grains are passed until they gave so many rows, and not thousands, while this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FEWEST_TAKEN", rows)
        yield
