"""Rounds of training: each system in a process of its own, one at a time, in an order of chance."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from environments import python_of
from results import Results
from rich.progress import Progress
from systems import HERE, LEVELS, LIGHTGBM, SYSTEMS, System, of_level
from workload import BINARY, TASKS, Workload, written

from jointrec.functional import metrics

RATES = ((1e-3, 0.05), (2e-3, 0.05), (1e-3, 0.02), (5e-4, 0.02))
"""What tuning tries: the rate of the network and that of the table."""

SCORED = 32_768
"""Held-out rows that are scored in every round."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1", "OMP_WAIT_POLICY": "passive", "PYTHONDONTWRITEBYTECODE": "1",
    "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
}  # fmt: skip


Told = dict[str, Any]


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    :param rounds: How often all is measured; at a million ids once, unless whole passes are asked.
    :param rows: The rows of the table, the held-out ones among them.
    :param steps: Timed steps at each size of the ids; JointRec takes at least 30.
    :param whole: Whether the peers train a whole pass as well, to be judged by held-out rows.
    """

    rounds: int = 2
    rows: int = 1_000_000
    held: int = 100_000
    steps: tuple[tuple[str, int], ...] = (("1k", 20), ("100k", 16), ("1M", 2), ("1M met", 3))
    whole: bool = False


@dataclass(frozen=True)
class Place:
    """Where things are kept: environments, tables, what was prepared of them."""

    cache: Path
    results: Results

    def run(self, python: Path | str, *words: Any) -> dict[str, Any]:
        """What a script prints as its last line.

        :raises RuntimeError: with the end of what it said, where it fails.
        """
        room = tempfile.gettempdir()
        done = subprocess.run(
            [str(python), *map(str, words)], capture_output=True, text=True, cwd=room,
            env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{words[0]} failed: {(done.stderr or done.stdout)[-2000:]}")
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return told

    def attempt(self, mark: dict[str, Any], run: Callable[..., Told], *given: Any) -> None:
        """Measures what was not measured yet; what fails is kept with its reason."""
        if self.results.done(**mark):
            return
        try:
            told = run(*given)
        except RuntimeError as error:
            told = {"failed": str(error).replace(f"{HERE}/", "")[-400:]}
        self.results.add(**mark, **told)


def measure(
    place: Place, effort: Effort, levels: list[str], systems: list[str], progress: Progress
) -> None:
    """All rounds; what was measured before at this commit is not measured again."""
    tables = {
        level: written(Workload(LEVELS[level], effort.rows, effort.held), place.cache)
        for level in levels
    }
    for level in levels:
        prepare(place, level, tables[level])
    todo = [
        (number, level, system)
        for number in range(effort.rounds)
        for level, system in _shuffled(number, levels)
        if system.name in systems and (number == 0 or effort.whole or not level.startswith("1M"))
    ]
    bar = progress.add_task("training", total=len(todo))
    for number, level, system in todo:
        progress.update(bar, description=f"round {number + 1} · {level} · {system.name}")
        mark = {"part": "training", "round": number, "level": level, "system": system.name}
        place.attempt(mark, _one, place, effort, level, system, tables[level])
        progress.advance(bar)


def floors(place: Place, rounds: int, progress: Progress) -> None:
    """The product floor, in every round."""
    for number in progress.track(range(rounds), description="product floor"):
        mark = {"part": "floor", "round": number}
        place.attempt(mark, place.run, sys.executable, HERE / "floor.py")


def quality(place: Place, effort: Effort, levels: list[str], progress: Progress) -> None:
    """A whole pass of JointRec in both precisions, of LightGBM, and if asked of the peers."""
    todo: list[tuple[str, System]] = []
    for level in levels:
        for system in of_level(level):
            asked = effort.whole and level in ("1k", "100k")
            if system.own or (asked and system.model == "mmoe"):
                todo.append((level, system))
    if "1k" in levels:
        todo.append(("1k", LIGHTGBM))
    for level, system in progress.track(todo, description="whole passes"):
        mark = {"part": "quality", "level": level, "system": system.name}
        place.attempt(mark, _whole, place, effort, level, system)


def tuned(place: Place, effort: Effort, progress: Progress) -> None:
    """JointRec with the best of some rates, chosen by its validation rows, at 1,000 ids a column.

    It trains until no task gains; the rows held out are asked once, by the chosen one.
    """
    mark = {"part": "tuned", "level": "1k", "system": "jointrec"}
    if place.results.done(**mark):
        return
    table = written(Workload(LEVELS["1k"], effort.rows, effort.held), place.cache)
    prepare(place, "1k", table)
    system = next(system for system in SYSTEMS if system.name == "jointrec")
    tried = []
    with tempfile.TemporaryDirectory() as room:
        for number, (rate, rows) in enumerate(progress.track(RATES, description="tuning")):
            answers = Path(room) / f"{number}.npy"
            words = ["--answers", answers, "--epochs", 8, "--rate", rate, "--table-rate", rows]
            told = _run(place, system, "1k", table, words)
            best = {
                task: min(one[task] for one in told["valid"] if task in one)
                for task in told["valid"][0]
            }
            tried.append({**told, "rate": rate, "table_rate": rows, "valid": best})
        chosen = min(range(len(tried)), key=lambda number: sum(tried[number]["valid"].values()))
        found = judged(table, effort.held, np.load(Path(room) / f"{chosen}.npy"))
    place.results.add(**mark, tried=tried, chosen=RATES[chosen], held_out=found)


def _whole(place: Place, effort: Effort, level: str, system: System) -> dict[str, Any]:
    """A whole pass, and how good the answers to the held-out rows are."""
    table = written(Workload(LEVELS[level], effort.rows, effort.held), place.cache)
    if system.own:
        prepare(place, level, table)
    with tempfile.TemporaryDirectory() as room:
        answers = Path(room) / "answers.npy"
        words = ["--answers", answers, "--warm", 4 if system.own else 0]
        if system.own:
            model = _model(place, level, system)
            model.parent.mkdir(parents=True, exist_ok=True)
            words += ["--save", model]
        told = _run(place, system, level, table, words)
        if system.model == "mmoe":
            told["held_out"] = judged(table, effort.held, np.load(answers))
    return told


def judged(table: Path, held: int, answers: np.ndarray) -> dict[str, dict[str, float]]:
    """How good answers to the held-out rows are: AUC and log-loss; of the amount its ranking."""
    labels = np.load(table / "labels.npy", mmap_mode="r")[-held:]
    found = {}
    for n, task in enumerate(TASKS):
        known = ~np.isnan(labels[:, n])
        truth = labels[known, n].astype(np.float64)
        said = answers[known, n].astype(np.float64)
        if task in BINARY:
            chance = said.clip(1e-7, 1 - 1e-7)
            found[task] = {
                "auc": round(float(metrics.auc(truth, said)), 5),
                "log_loss": round(float(metrics.log_loss(truth, chance)), 5),
            }
        else:
            found[task] = {"gini": round(float(metrics.gini(truth, said)), 5)}
    return found


def _shuffled(number: int, levels: list[str]) -> Iterator[tuple[str, System]]:
    """Sizes in their order, the systems of each in an order drawn anew for every round."""
    for level in levels:
        systems = list(of_level(level))
        random.Random(f"{number} {level}").shuffle(systems)
        for system in systems:
            if not system.once or number == 0:
                yield level, system


def _one(place: Place, effort: Effort, level: str, system: System, table: Path) -> dict[str, Any]:
    steps = dict(effort.steps)[level]
    slow = level.startswith("1M") and not system.own
    words: list[Any] = ["--warm", 4 if system.own else 1 if slow else 2]
    if not system.own:
        return _run(place, system, level, table, [*words, "--steps", steps, "--scored", SCORED])
    told = _run(place, system, level, table, [*words, "--steps", max(steps, 30)])
    model = _model(place, level, system)
    if model.exists():  # of the whole pass: a run that is stopped early leaves none
        told |= _run(place, system, level, table, ["--model", model, "--scored", SCORED])
    return told


def _run(place: Place, system: System, level: str, table: Path, words: list[Any]) -> dict[str, Any]:
    if system.own:
        prepared = prepared_of(place, level, system.model)
        own = ["--data", table, "--prepared", prepared]
        return place.run(sys.executable, HERE / system.script, *own, *system.words, *words)
    asked = ["--data", table, "--ids", LEVELS[level], *words]
    if level == "1M met":
        asked.append("--encoded")
    python = python_of(system.environment, place.cache)
    return place.run(python, HERE / system.script, *asked, *system.words)


def prepared_of(place: Place, level: str, model: str) -> Path:
    """Where the table is kept as JointRec prepared it."""
    commit = place.results.told["commit"]
    return place.cache / "prepared" / f"{level.replace(' ', '-')}-{model}-{commit}"


def _model(place: Place, level: str, system: System) -> Path:
    return place.cache / "models" / f"{level} {system.name}".replace(" ", "-")


def prepare(place: Place, level: str, table: Path) -> None:
    """Prepares the table for JointRec, once for each model; what it took is kept as well."""
    own = {system.model for system in of_level(level) if system.own}
    for model in sorted(own) if level in LEVELS else ["mmoe"]:
        out = prepared_of(place, level, model)
        if out.exists() and place.results.done(part="prepare", level=level, model=model):
            continue
        shutil.rmtree(out, ignore_errors=True)
        words = ["--data", table, "--prepared", out, "--prepare"]
        words += ["--dense"] if model == "dense" else []
        told = place.run(sys.executable, HERE / "run_jointrec.py", *words)
        place.results.add(part="prepare", level=level, model=model, **told)
