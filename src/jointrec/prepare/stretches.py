"""Stretches of time in which there could be no answer: without stock nothing is sold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int64

from jointrec.labels import DAY
from jointrec.project import Project

from .joining import joined
from .tables import Tables
from .timeline import Timeline

FOREVER = int(np.iinfo(np.int64).max) - 1
"""When a stretch ends that has not ended yet (µs)."""


def barred(
    project: Project,
    event: str,
    codes: Mapping[str, Int64[np.ndarray, "rows"]],
    begin: Int64[np.ndarray, "rows"],
    end: Int64[np.ndarray, "rows"],
    tables: Tables,
) -> Bool[np.ndarray, "rows"]:
    """For each row whether a stretch of any of its things reaches into its window.

    A stretch lasts from the time of a row of the event to what ``ends`` says, for ever where that
    is null, and for a day where the event has no ``ends``. One that ends before it begins is the
    moment of its beginning.

    :param event: The event whose rows are the stretches.
    :param codes: For each entity its code in each row.
    :param begin: The first µs of each window.
    :param end: The first µs after it.
    """
    frame, ends = tables.events[event], project.event[event].ends
    shared = [entity for entity in project.event[event].entities if entity in codes]
    keys, asked = joined(frame, codes, shared)
    start = frame["@time"].to_numpy()
    stop = start + DAY if ends is None else frame[ends].fill_null(FOREVER).to_numpy()
    kept = keys >= 0
    begun = Timeline.build(keys[kept], start[kept])
    over = Timeline.build(keys[kept], np.maximum(stop, start + 1)[kept])
    # Whatever is over by the beginning has begun before the end: what is left is in the window.
    count = begun.count(begun.before(asked, end)) - over.count(over.before(asked, begin + 1))
    found: Bool[np.ndarray, "rows"] = count > 0
    return found
