"""JointRec, through what it shows: `Project`, `fit`, `predict`.

The rows are prepared first, as `jointrec prepare` does, in a process of its own whose time is told
apart. `fit` then trains one whole pass; steps are timed by the watch that it tells.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import declared
import numpy as np
import polars as pl
import torch
from job import BATCH, Clock, peak_mib
from workload import AMOUNT

import jointrec as jr
from jointrec.training import Epoch, Interrupted, Progress, Watch


class Timed(Watch):
    """Notes when the steps were done, and how much memory training took.

    :param warm: How many steps go before the clock starts.
    :param steps: After how many more the run is stopped, as by Ctrl-C; 0 lets it go on.
    """

    def __init__(self, warm: int, steps: int) -> None:
        self._warm, self._until = warm, warm + steps if steps else 0
        self.clock: Clock | None = None
        self.trained: dict[str, float] = {}
        self.peak, self._rows = 0, 0.0
        self.epochs: list[Epoch] = []

    def stage(self, name: str) -> None:
        if name == "compare":
            self.peak = peak_mib()

    def step(self, progress: Progress) -> None:
        if progress.epoch > 1:
            return
        if progress.step == self._warm:
            self.clock, self._rows = Clock(), rows_of_a_step(progress)
        elif progress.step in (progress.steps, self._until) and self.clock is not None:
            self.trained = self.clock.read(round(self._rows * (progress.step - self._warm)))
        if progress.step == self._until:
            self.peak = peak_mib()
            raise KeyboardInterrupt

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


def rows_of_a_step(progress: Progress) -> float:
    """Rows of one step: all steps of a pass are of one size, but for a row."""
    passes = 1 - progress.step / progress.steps + progress.epochs - progress.epoch
    return progress.seconds_left * progress.rows_per_second / passes / progress.steps


def prepare(project: jr.Project, folder: Path, out: Path) -> dict[str, float]:
    """Writes what training reads. What it took."""
    from jointrec.plan import plan
    from jointrec.prepare import hand_over

    clock = Clock()
    hand_over(project, plan(project), out, root=folder)
    rows = pl.scan_parquet(folder / "train.parquet").select(pl.len()).collect().item()
    return {**clock.read(int(rows)), "peak_mib": peak_mib()}


def train(project: jr.Project, given: argparse.Namespace) -> dict[str, Any]:
    """One fit, and what it took; with it the scores of the rows held out."""
    watch = Timed(given.warm, given.steps)
    none = jr.Compare(alone=False, baselines=(), rounds=1)
    told: dict[str, Any] = {
        "versions": {"jointrec": jr.__version__, "torch": torch.__version__},
    }
    clock = Clock()
    try:
        model = jr.fit(project, prepared=given.prepared, compare=none, watch=watch)
    except Interrupted:
        return told | {"train": watch.trained, "peak_mib": watch.peak}
    told |= {
        "train": watch.trained,
        "fit": clock.read(watch.epochs[0].rows * len(watch.epochs)),
        "peak_mib": watch.peak,
        "epochs": len(watch.epochs),
        "loss": watch.epochs[-1].losses,
        "valid": [epoch.valid for epoch in watch.epochs],
    }
    if given.save:
        model.save(given.save)
    return told | score(model, given)


def score(model: jr.Model, given: argparse.Namespace) -> dict[str, Any]:
    """How fast rows of a file are answered: for all tasks together, and for one."""
    tasks = list(model.project.tasks)
    held = pl.read_parquet(given.data / "held.parquet")
    held = held.head(given.scored) if given.scored else held
    model.predict(tasks[0], rows=held.head(BATCH))
    clock = Clock()
    said = model.predict(tasks, rows=held)
    told = {"score": clock.read(len(held))}
    clock = Clock()
    model.predict(tasks[0], rows=held)
    told["score_one_task"] = clock.read(len(held))
    if given.answers:
        found = np.stack([said[task].to_numpy() for task in tasks], axis=1)
        if AMOUNT in tasks:
            found[:, tasks.index(AMOUNT)] = np.log1p(found[:, tasks.index(AMOUNT)])
        np.save(given.answers, found.astype(np.float32))
    return told


def main() -> None:
    """The command: ``--prepare`` writes, without it trains. One line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--model", type=Path, help="a saved model, to score with")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--warm", type=int, default=4)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--scored", type=int, default=0)
    parser.add_argument("--answers", default="")
    parser.add_argument("--dense", action="store_true")
    parser.add_argument("--precision", default="")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=declared.RATE)
    parser.add_argument("--table-rate", type=float, default=declared.TABLE_RATE)
    given = parser.parse_args()
    project = declared.project(
        dense=given.dense, precision=given.precision, epochs=given.epochs, rate=given.rate,
        table_rate=given.table_rate,
    )  # fmt: skip
    folder = declared.learned(given.data)
    if given.prepare:
        told = prepare(project, folder, given.prepared)
    elif given.model:
        told = score(jr.load(given.model), given)
    else:
        told = train(project, given)
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main()
