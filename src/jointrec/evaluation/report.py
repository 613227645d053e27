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
         "gains": {"alone": {"value": 0.01, "low": 0.0, "high": 0.02, "verdict": "level"}, …},
         "slices": {"user": {"cold": {"training_events": "0", "rows": 4711, "positives": 260,
                                      "joint": {…}, "alone": {…}}, "tail": {…}, "warm": {…}}},
         "reliability": {"before": {"ece": 0.011, "pcoc": 1.21, "said": […], "seen": […],
                                    "rows": […]}, "after": {…}},
         "by_propensity": {"effective_rows": 60311.5, "joint": {"auc": {…}}, "alone": {…}}}}}

What each key says is told at :class:`TaskReport`. A way of answering that does not apply to a task
or was left out has no key. A number that is not defined (an AUC of one class, an interval of one
cluster) is null. The table in the terminal shows the same numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from jointrec.functional.intervals import Interval
from jointrec.functional.reliability import Reliability

from .slices import Slice

SCHEMA = 1
"""The version of the JSON. It rises when a key changes its meaning or goes away."""


@dataclass(frozen=True)
class ByPropensity:
    """Metrics in which rows weigh 1 / propensity: what they would be had all been seen alike.

    Self-normalised: a metric divides by the sum of the weights, which are cut off as in training.

    :param effective_rows: How many rows of equal weight would be as sure: (Σw)² / Σw² (Kish).
    :param systems: As in :class:`TaskReport`.
    """

    effective_rows: float
    systems: Mapping[str, Mapping[str, Interval]]


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
    :param slices: For each entity that training events name its slices, by how often they do: see
        `jointrec.evaluation.slices`.
    :param reliability: Of a task of chances what ``joint`` said ``before`` it was set right and
        ``after``, beside what happened.
    :param by_propensity: Of a task with a ``propensity`` all metrics again, each row weighted by 1
        over the chance with which it came to be seen.
    :param gains_by: The same as ``gains`` by every metric that has a better side, for each other
        way: of those that are best at 0 or 1, how much nearer to it joint is.
    :param shown: Of a task that ranks a catalogue, for ``joint`` and ``alone``: ``coverage@10``,
        the share of the catalogue that stands in some list of ten, and ``novelty@10``, how little
        known what stands there is, in bits.
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
    slices: Mapping[str, Mapping[str, Slice]] = field(default_factory=dict)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    by_propensity: ByPropensity | None = None
    gains_by: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    shown: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

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
        **_systems_to_plain(task.systems),
        "gains": {
            other: {**_interval_to_plain(gain), "verdict": task.verdict(other)}
            for other, gain in task.gains.items()
        },
        "slices": {
            entity: {name: _slice_to_plain(slice_) for name, slice_ in slices.items()}
            for entity, slices in task.slices.items()
        },
        **_more_to_plain(task),
    }


def _more_to_plain(task: TaskReport) -> dict[str, Any]:
    """What only some kinds of tasks have."""
    more: dict[str, Any] = {}
    if task.gains_by:
        more["gains_by_metric"] = _systems_to_plain(task.gains_by)
    if task.reliability:
        more["reliability"] = {
            when: {name: _number_to_plain(value) for name, value in asdict(found).items()}
            for when, found in task.reliability.items()
        }
    if task.by_propensity is not None:
        more["by_propensity"] = {
            "effective_rows": task.by_propensity.effective_rows,
            **_systems_to_plain(task.by_propensity.systems),
        }
    if task.shown:
        more["shown"] = {way: dict(found) for way, found in task.shown.items()}
    return more


def _slice_to_plain(found: Slice) -> dict[str, Any]:
    return {
        "training_events": found.events,
        "rows": found.rows,
        "positives": found.positives,
        **{way: _interval_to_plain(value) for way, value in found.systems.items()},
    }


def _systems_to_plain(systems: Mapping[str, Mapping[str, Interval]]) -> dict[str, Any]:
    return {
        system: {name: _interval_to_plain(value) for name, value in metrics.items()}
        for system, metrics in systems.items()
    }


def _task_from_plain(data: Mapping[str, Any]) -> TaskReport:
    own = {
        "kind", "grain", "sees", "label", "rows", "positives", "train_rows", "clusters",
        "gauc_clusters", "metric", "better", "gains", "slices", "reliability", "by_propensity",
        "gains_by_metric",
        "shown",
    }  # fmt: skip
    weighted = data.get("by_propensity")
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
        systems=_systems_from_plain(data, own),
        gains={other: _interval_from_plain(gain) for other, gain in data["gains"].items()},
        clusters=data["clusters"],
        gauc_clusters=data["gauc_clusters"],
        slices={
            entity: {name: _slice_from_plain(found) for name, found in slices.items()}
            for entity, slices in data.get("slices", {}).items()
        },
        reliability={
            when: _reliability_from_plain(found)
            for when, found in data.get("reliability", {}).items()
        },
        gains_by=_systems_from_plain(data.get("gains_by_metric", {}), ()),
        by_propensity=None
        if weighted is None
        else ByPropensity(
            weighted["effective_rows"], _systems_from_plain(weighted, {"effective_rows"})
        ),
        shown=data.get("shown", {}),
    )


def _systems_from_plain(
    data: Mapping[str, Any], own: Collection[str]
) -> dict[str, dict[str, Interval]]:
    return {
        system: {name: _interval_from_plain(value) for name, value in metrics.items()}
        for system, metrics in data.items()
        if system not in own
    }


def _slice_from_plain(data: Mapping[str, Any]) -> Slice:
    own = ("training_events", "rows", "positives")
    systems = {w: _interval_from_plain(value) for w, value in data.items() if w not in own}
    return Slice(data["training_events"], data["rows"], data["positives"], systems)


def _reliability_from_plain(data: Mapping[str, Any]) -> Reliability:
    told, parts = (data["ece"], data["pcoc"]), (data["said"], data["seen"], data["rows"])
    found, over = (math.nan if number is None else float(number) for number in told)
    return Reliability(found, over, *map(tuple, parts))


def _number_to_plain(value: Any) -> Any:
    """A number that is not defined as null; anything else as it is."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _interval_to_plain(interval: Interval) -> dict[str, float | None]:
    numbers = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _interval_from_plain(data: Mapping[str, Any]) -> Interval:
    numbers = [data[name] for name in ("value", "low", "high")]
    value, low, high = (math.nan if number is None else float(number) for number in numbers)
    return Interval(value, low, high)
