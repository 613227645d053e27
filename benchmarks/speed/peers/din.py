"""What the two libraries with DIN are given on the sequence workload, and how they are timed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from job import Clock, peak_mib
from sequences import LAST, SEQUENCE_BATCH, TOP

ASKED = (64, 16)
"""The layers that weigh one past event against the item of the row."""
__all__ = ["ASKED", "TOP", "columns", "measure"]


def columns(
    rows: np.ndarray, past: np.ndarray, kinds: np.ndarray, *, length: bool = False
) -> dict[str, np.ndarray]:
    """A column for each feature; ids from 1, as 0 fills up a short past, at its end."""
    count = (past >= 0).sum(axis=1)
    at = np.arange(LAST) + (LAST - count)[:, None]  # the oldest first, and nothing after the last
    items = np.where(at < LAST, np.take_along_axis(past, at.clip(max=LAST - 1), axis=1), -1)
    found = {"user": rows[:, 0], "item": rows[:, 1] + 1, "kind": rows[:, 2] + 1}
    found |= {"hist_item": items + 1, "hist_kind": np.where(items < 0, 0, kinds[items] + 1)}
    if length:
        found["length"] = count.clip(min=1)
    return {name: column.astype(np.int64) for name, column in found.items()}


def measure(
    build: Callable[[], Any],
    train: Callable[[Any, dict[str, np.ndarray], np.ndarray], Any],
    make: Callable[..., dict[str, np.ndarray]],
    packages: tuple[str, ...],
) -> None:
    """Trains some steps after some, and prints one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--warm", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    given = parser.parse_args()
    arrays = {n: np.load(given.data / f"{n}.npy") for n in ("rows", "past", "labels", "kinds")}
    some = np.random.default_rng(0).permutation(len(arrays["rows"]))
    some = some[: (given.warm + given.steps) * SEQUENCE_BATCH]
    x = make(arrays["rows"][some], arrays["past"][some], arrays["kinds"])
    y = arrays["labels"][some, 0]
    cut, system = given.warm * SEQUENCE_BATCH, build()
    train(system, {name: column[:cut] for name, column in x.items()}, y[:cut])
    clock = Clock()
    train(system, {name: column[cut:] for name, column in x.items()}, y[cut:])
    told = {"versions": {name: version(name) for name in packages}, "peak_mib": peak_mib()}
    print("\n" + json.dumps({**told, "train": clock.read(len(y) - cut)}))
