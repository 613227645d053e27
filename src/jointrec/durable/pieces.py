"""Arrays in files that nobody sees: their pages belong to the system, which may write them out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np


def unlinked_array(rows: int, kind: Any, folder: Path | None = None) -> np.ndarray:
    """An array to be filled, in a file that is unlinked already: it goes when nobody needs it.

    :param folder: Where the file is. Default: where the system keeps what is temporary.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        # Not `np.memmap` any longer: a plain array, whose slices are plain as well.
        return np.asarray(np.memmap(file, mode="w+", dtype=kind, shape=(rows,)))
