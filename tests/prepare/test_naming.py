"""Which thing each row names: found in shares of the keys as at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from jointrec.prepare.cleaning.naming import places_of
from jointrec.prepare.workspace import IN_MEMORY, OnDisk

KEYS = st.text("abc7é", min_size=1, max_size=3)


@settings(max_examples=40)
@given(st.lists(KEYS, unique=True, max_size=40), st.lists(KEYS | st.none(), max_size=40))
def test_a_place_is_that_of_the_key(keys: list[str], named: list[str | None]) -> None:
    place = {key: number for number, key in enumerate(keys, 1)}
    wanted = [place.get(name, 0) if name is not None else 0 for name in named]
    column, known = pl.Series(named, dtype=pl.String), pl.Series(keys, dtype=pl.String)
    assert places_of(column, known, IN_MEMORY).to_list() == wanted
    with TemporaryDirectory() as folder:
        for piece in (1, 3):  # ten shares of the keys, or some
            found = places_of(column, known, OnDisk(Path(folder), piece=piece))
            assert found.to_list() == wanted and found.dtype == pl.Int64
        assert not list(Path(folder).iterdir())
