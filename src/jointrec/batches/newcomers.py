"""Meet some things without their past while training, as all that are new will be met later.

Who is asked every so often was seen before, so whatever is asked in training has a past, and that
says more than what the thing is. An item that was never sold has nothing but what it is: a network
that always had a past to lean on says of it little more than of any other. So of a few training
rows the past is hidden, as ids are (see `jointrec.batches.strangers`): what was counted is what
nobody has, and no event stands in the history. Volkovs et al. (2017, `DropoutNet
<https://papers.nips.cc/paper/7081>`_) hide what was learned of a thing's past for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jointrec.prepare.prepared import Moments

RATE = 0.1
"""How often a past is hidden."""


def forget(
    moments: Moments, nothing: Sequence[float | None], rate: float, chance: np.random.Generator
) -> Moments:
    """The same moments, some of them without what was before.

    :param nothing: For each number what it is without a past; None for one that is of no past.
        Those that ``moments`` has beyond them, which are ages, stay as well.
    :param rate: How often.
    """
    hidden = chance.random(len(moments.things)) < rate
    gone = np.array([value is not None for value in nothing], dtype=np.bool_)
    filled = np.array([value or 0.0 for value in nothing], dtype=np.float32)
    numbers = moments.numbers.copy()
    own = numbers[:, : len(nothing)]
    own[...] = np.where(hidden[:, None] & gone, filled, own)
    return replace(moments, numbers=numbers, start=np.where(hidden, moments.stop, moments.start))
