"""How far the vector of an id is trusted: the more, the more training rows have moved it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from jointrec.batches.strangers import id_column
from jointrec.plan import Plan
from jointrec.prepare.prepared import Prepared
from jointrec.splits import TRAIN


def trust_in(plan: Plan, prepared: Prepared, k: float) -> Float[Tensor, "rows"]:
    r"""For each row of the table by what its vector is multiplied: :math:`n / (n + k)` for an id.

    What stands beside an id (features, counters, history) then counts for more where the id was
    seldom met: the weight of n observations against a prior worth k of them (Bühlmann 1967, as
    credibility). Words, values and the vector that unknown ids share are trusted wholly.

    :param plan: The tasks that are learned.
    :param k: From so many training rows on an id is trusted half.
    """
    trust = np.ones(prepared.layout.table_rows, np.float32)
    for entity, things in prepared.things.items():
        column = id_column(prepared, entity)
        if column is None:
            continue
        rows = things.fields.ids[:, column]
        met = np.zeros(len(trust))
        np.add.at(met, rows, _times_met(plan, prepared, entity))
        own = np.unique(rows[rows != rows[0]])
        trust[own] = met[own] / (met[own] + k)
    return torch.from_numpy(trust)


def _times_met(plan: Plan, prepared: Prepared, entity: str) -> Float64[np.ndarray, "things"]:
    """How many training rows ask about each thing, or have it as the answer."""
    size = len(prepared.things[entity].keys)
    met = np.zeros(size)
    for grain in plan.grains:
        asked = prepared.asked[grain.name]
        trains = {
            task: (asked.parts[task] == TRAIN) & ~np.isnan(asked.labels[task])
            for task in grain.tasks
        }
        if entity in grain.sees:
            rows = np.any(list(trains.values()), axis=0)
            codes = asked.moments[entity].things[asked.at[entity][rows]]
            met += np.bincount(codes, minlength=size)
        for task in grain.tasks:
            if plan.catalogue.get(task) == entity:
                right = asked.labels[task][trains[task]].astype(np.int64)
                met += np.bincount(right, minlength=size)
    return met
