"""The report: what was measured, for every task and every way of answering it.

``report.json`` is a stable schema; ``schema`` rises when a key changes its meaning or goes away::

    {"schema": 1,
     "facts": {"jointrec": "0.1.0", "seed": 0, "test_from": "2024-05-31T00:00:00+00:00", …},
     "tasks": {"click": {
         "kind": "Binary", "grain": "impression", "sees": ["user", "item"],
         "label": "impression.clicked",
         "rows": 95757, "positives": 5099, "train_rows": 401223,
         "clusters": 21034, "gauc_clusters": 2911,
         "metric": "auc", "better": "higher",
         "joint": {"auc": {"value": 0.71, "low": 0.70, "high": 0.72}, "gauc": {…}, …},
         "alone": {…}, "lightgbm": {…}, "popularity": {…}, "oracle": {…},
         "gains": {"alone": {"value": 0.01, "low": 0.0, "high": 0.02, "verdict": "level"}, …}}}}

What each key says is told at :class:`TaskReport`. A way of answering that does not apply to a task
or was left out has no key. A number that is not defined (an AUC of one class, an interval of one
cluster) is null. The table in the terminal shows the same numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jointrec.functional.intervals import Interval

SCHEMA = 1
"""The version of the JSON. It rises when a key changes its meaning or goes away."""


@dataclass(frozen=True)
class TaskReport:
    """What was measured for one task, on test rows only.

    :param kind: The kind of task.
    :param grain: The rows it is asked of.
    :param sees: The entities that the answer may depend on.
    :param label: The label, as declared.
    :param rows: Test rows with a known label.
    :param positives: How many of them are above 0; None where that means nothing.
    :param train_rows: Training rows with a known label.
    :param metric: The metric that decides, and whether higher or lower is better.
    :param systems: For each way of answering (``joint``, ``alone``, ``lightgbm`` …, ``oracle``),
        every metric with its interval.
    :param gains: For each other way, how much better joint is by the deciding metric (above 0 is
        better), on the same resampled clusters.
    :param clusters: How many clusters (users, say) the intervals resample.
    :param gauc_clusters: How many of them GAUC is about: those in which both answers are known.
        None where it is not among the metrics.
    """

    kind: str
    grain: str
    sees: tuple[str, ...]
    label: str
    rows: int
    positives: int | None
    train_rows: int
    metric: str
    better: str
    systems: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Interval]
    clusters: int
    gauc_clusters: int | None = None

    def verdict(self, other: str) -> str:
        """Whether joint is better than, worse than or level with another way of answering."""
        gain = self.gains.get(other)
        if gain is None or math.isnan(gain.low):
            return "unknown"
        if gain.low > 0:
            return "better"
        return "worse" if gain.high < 0 else "level"


@dataclass(frozen=True)
class Report:
    """What was measured for every task.

    :param tasks: One report for each task.
    :param facts: Of the run: the cuts, seeds, versions, seconds, sizes.
    """

    tasks: Mapping[str, TaskReport]
    facts: Mapping[str, Any]

    def to_json(self) -> str:
        """The report as text. A number that is not defined is null."""
        data = {
            "schema": SCHEMA,
            "facts": self.facts,
            "tasks": {name: _task_to_plain(task) for name, task in self.tasks.items()},
        }
        return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that gave the text."""
        data = json.loads(text)
        tasks = {name: _task_from_plain(task) for name, task in data["tasks"].items()}
        return cls(tasks, data["facts"])


def _task_to_plain(task: TaskReport) -> dict[str, Any]:
    return {
        "kind": task.kind,
        "grain": task.grain,
        "sees": list(task.sees),
        "label": task.label,
        "rows": task.rows,
        "positives": task.positives,
        "train_rows": task.train_rows,
        "clusters": task.clusters,
        "gauc_clusters": task.gauc_clusters,
        "metric": task.metric,
        "better": task.better,
        **{
            system: {name: _interval_to_plain(value) for name, value in metrics.items()}
            for system, metrics in task.systems.items()
        },
        "gains": {
            other: {**_interval_to_plain(gain), "verdict": task.verdict(other)}
            for other, gain in task.gains.items()
        },
    }


def _task_from_plain(data: Mapping[str, Any]) -> TaskReport:
    own = {
        "kind", "grain", "sees", "label", "rows", "positives", "train_rows", "clusters",
        "gauc_clusters", "metric", "better", "gains",
    }  # fmt: skip
    return TaskReport(
        kind=data["kind"],
        grain=data["grain"],
        sees=tuple(data["sees"]),
        label=data["label"],
        rows=data["rows"],
        positives=data["positives"],
        train_rows=data["train_rows"],
        metric=data["metric"],
        better=data["better"],
        systems={
            system: {name: _interval_from_plain(value) for name, value in metrics.items()}
            for system, metrics in data.items()
            if system not in own
        },
        gains={other: _interval_from_plain(gain) for other, gain in data["gains"].items()},
        clusters=data["clusters"],
        gauc_clusters=data["gauc_clusters"],
    )


def _interval_to_plain(interval: Interval) -> dict[str, float | None]:
    numbers = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _interval_from_plain(data: Mapping[str, Any]) -> Interval:
    numbers = [data[name] for name in ("value", "low", "high")]
    value, low, high = (math.nan if number is None else float(number) for number in numbers)
    return Interval(value, low, high)
