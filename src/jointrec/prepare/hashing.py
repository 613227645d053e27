"""Hashes of arrays, tables and this package: the names of what was computed from them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from jointrec.sources.summing import add_table


class Hash:
    """The SHA-256 of several things, each told apart from the next."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def say(self, value: Any) -> Hash:
        """Adds what JSON can hold."""
        return self.add(json.dumps(value, sort_keys=True, default=repr).encode())

    def add(self, data: bytes | memoryview) -> Hash:
        """Adds bytes."""
        self._sum.update(len(data).to_bytes(8, "little"))
        self._sum.update(data)
        return self

    def array(self, values: np.ndarray) -> Hash:
        """Adds an array: its type, its shape and its values."""
        self.say([values.dtype.str, values.shape])
        return self.add(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)

    def frame(self, frame: pl.DataFrame) -> Hash:
        """Adds a table: its columns, their types and all values, in order."""
        add_table(self._sum, frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
        return self

    def name(self) -> str:
        """The hash as 32 hex digits."""
        return self._sum.hexdigest()[:32]


@cache
def package() -> str:
    """The hash of this package's own code and of the versions of what it computes with."""
    found = Hash().say([np.__version__, pl.__version__, pa.__version__])
    root = Path(__file__).parents[1]
    for file in sorted(root.rglob("*.py")):
        found.say(file.relative_to(root).as_posix()).add(file.read_bytes())
    return found.name()
