"""Meet some things as strangers while training, as often as they will be strangers later.

An id gets a vector of its own from some training rows on, so in training rows nearly every id has
one: a user is looked up and what it did is known by heart. Later most users may be new. Then the
vector of the unknown id, which training hardly ever saw, has to serve them all, and what leaned on
the ids falls. So training hides the id of a thing at a moment with a chance that makes strangers as
frequent as they are among the validation rows, of which no label is read. Dropping ids for this is
from Volkovs et al. 2017, `DropoutNet <https://papers.nips.cc/paper/7081>`_, with one fixed rate.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from jointrec.prepare.prepared import Asked, Prepared
from jointrec.splits import TRAIN, VALID

ID = "@id"
"""What the field of the key itself is called."""

LEAST, MOST = 0.05, 0.95
"""Ids are hidden at least and at most this often."""


def id_column(prepared: Prepared, entity: str) -> int | None:
    """Which single-valued field of an entity is its key; None where keys have no vectors."""
    names = prepared.layout.things[entity].ids
    return names.index(ID) if ID in names else None


def hidden_rate(prepared: Prepared, asked: Asked, entity: str) -> float:
    """With which chance the id of an entity is hidden in the training rows of a grain.

    With the share ``t`` of strangers among training rows and ``v`` among validation rows it is
    ``(v - t) / (1 - t)``, within :data:`LEAST` and :data:`MOST`. A stranger is who has no vector of
    its own, or one that no training row moves.
    """
    column = id_column(prepared, entity)
    if column is None:
        return 0.0
    train, valid = asked.known_in(TRAIN), asked.known_in(VALID)
    ids = prepared.things[entity].fields.ids[:, column]
    own = ids != ids[0]
    codes = prepared.things[entity].codes_of(asked.moments[entity].things[asked.at[entity]])
    met = np.zeros(len(ids), dtype=bool)
    met[codes[train]] = True
    if not train.any() or not valid.any():
        return LEAST
    before, later = 1 - own[codes[train]].mean(), 1 - (own & met)[codes[valid]].mean()
    rate = (later - before) / max(1 - before, 1e-9)
    return float(np.clip(rate, LEAST, MOST))


def hide(
    codes: Int64[np.ndarray, "moments"], size: int, rate: float, chance: np.random.Generator
) -> Int64[np.ndarray, "moments"]:
    """Codes, some of them as strangers: ``size`` higher. The unknown thing, 0, stays.

    >>> hide(np.array([0, 1, 2]), 10, 1.0, np.random.default_rng(0))
    array([ 0, 11, 12])
    """
    hidden = (chance.random(len(codes)) < rate) & (codes > 0)
    return np.where(hidden, codes + size, codes)
