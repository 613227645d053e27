"""What is summed of an event: a column, or the product of two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Float64


def product(frame: pl.DataFrame, columns: Sequence[str]) -> Float64[np.ndarray, "rows"]:
    """The product of some columns of each row; nan where one of them is null.

    >>> rows = pl.DataFrame({"pieces": [2, 3, None], "price": [1.5, None, 4.0]})
    >>> product(rows, ["pieces", "price"]).tolist()
    [3.0, nan, nan]
    """
    found = np.ones(len(frame))
    for column in columns:
        found *= frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found
