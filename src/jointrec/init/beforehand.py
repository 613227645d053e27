"""Which columns of an event are known at its moment, so that they may be read."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl
from jaxtyping import Float64

from jointrec.functional.metrics import auc

from .columns import Column, truth_of
from .look import Seen
from .names import LASTED, PROPENSITY, TOOK, VALUE, snake

Outcome = Float64[np.ndarray, "rows"]

MOST_MISSING = 0.5
"""A column that is missing more often is mostly told by what came of the row."""
AFTERWARDS = (VALUE, TOOK, LASTED, PROPENSITY)
"""What names of numbers tell that are known afterwards, or, as propensities, by the shop alone."""
FAR = 0.8
"""A number that orders rows by a label with an AUC beyond this, or one below its counterpart, may
well have been measured afterwards."""
LACKING = 0.65
"""The same of whether it is missing: who is not known clicks a little less, but not by far."""


def outcomes_in(table: Seen, labels: Collection[str]) -> list[Outcome]:
    """What came of the rows of an event, by each of its labels that is a flag or a number: 1 where
    it is yes, or more than its median; nan where it is unknown."""
    found = []
    for label in labels:
        kind, values = table.column(label).kind, table.sample[label]
        if kind == "flag":
            yes = truth_of(values)
        elif kind == "number":
            numbers = values.cast(pl.Float64, strict=False)
            yes = numbers > (numbers.median() or 0.0)
        else:
            continue
        found.append(yes.cast(pl.Float64).set(values.is_null(), None).to_numpy())
    return found


def known_beforehand(column: Column, table: Seen, outcomes: Collection[Outcome]) -> bool:
    """Whether a column of an event is likely to be known at the moment itself.

    Texts and flags that are rarely missing are. Numbers are where the rows say what came of them
    too (so each is something shown, and not something done): those whose names speak neither of
    money nor of how long something lasted, and that tell no label by themselves, nor by being
    missing.

    :param outcomes: What came of the rows, by :func:`outcomes_in`.
    """
    if column.missing >= MOST_MISSING:
        return False
    if column.kind in ("text", "flag"):
        return True
    name = snake(column.name)
    if column.kind != "number" or any(word.search(name) for word in AFTERWARDS):
        return False
    numbers = table.sample[column.name].cast(pl.Float64, strict=False).to_numpy()
    return bool(outcomes) and not any(_tells(numbers, outcome) for outcome in outcomes)


def _tells(numbers: Float64[np.ndarray, "rows"], outcome: Outcome) -> bool:
    """Whether a number, or that it is missing, orders rows by an outcome far better than chance."""
    missing = np.isnan(numbers)
    alone = auc(np.where(missing, np.nan, outcome), np.nan_to_num(numbers))
    lacking = auc(outcome, missing.astype(np.float64))
    # What is not defined, as there is nothing to tell apart, is beyond nothing.
    return abs(alone - 0.5) > FAR - 0.5 or abs(lacking - 0.5) > LACKING - 0.5
