"""From raw runs to the figures that the page shows: paces, ratios round by round, goals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from results import found, pace, spread

Runs = Sequence[dict[str, Any]]
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class Goal:
    """A promise, and what was measured of it.

    :param text: What is promised.
    :param least: Reached from this value on; None where there is only a most.
    :param most: Reached up to this value; None where there is only a least.
    :param values: What was measured, for each round; empty where it was not.
    :param unit: How the value is written: ``×``, ``%``, ``ms`` or another.
    """

    text: str
    values: Sequence[float]
    least: float | None = None
    most: float | None = None
    unit: str = "×"

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps the promise; None where nothing was measured."""
        if not self.values:
            return None
        value = spread(self.values)[0]
        above = self.least is None or value >= self.least
        return above and (self.most is None or value <= self.most)


def paces(runs: Runs, system: str, level: str, of: str = "train") -> dict[int, float]:
    """Rows for each second of processor time, by round."""
    some = found(runs, part="training", system=system, level=level)
    return {run["round"]: pace(run[of]) for run in some if run.get(of)}


def ratios(runs: Runs, peer: str, level: str, *, own: str = "", of: str = "train") -> list[float]:
    """How many times as fast JointRec was as a peer, in each round that has both."""
    own = own or ("jointrec dense" if peer.endswith("dense") else "jointrec")
    ours, theirs = paces(runs, own, level.replace(" met", ""), of), paces(runs, peer, level, of)
    return [ours[number] / theirs[number] for number in sorted(ours) if number in theirs]


def memory(runs: Runs, peer: str, level: str) -> list[float]:
    """The peak memory of JointRec as a share of a peer's, in each round that has both."""
    some = found(runs, part="training", level=level)
    peak = {(run["system"], run["round"]): run["peak_mib"] for run in some if run.get("peak_mib")}
    rounds = sorted({number for _, number in peak})
    both = [n for n in rounds if ("jointrec", n) in peak and (peer, n) in peak]
    return [peak["jointrec", n] / peak[peer, n] for n in both]


def floor_shares(runs: Runs, precision: str, system: str, level: str = "1k") -> list[float]:
    """The share of the product floor that training reaches, in percent, by round."""
    floors = {run["round"]: run[precision] for run in found(runs, part="floor") if precision in run}
    ours = paces(runs, system, level)
    return [100 * ours[n] / floors[n]["rows_per_cpu_s"] for n in sorted(ours) if n in floors]


def piece(runs: Runs, name: str, of: str = "train") -> dict[int, dict[int, float]]:
    """The pace of a piece: by its size, by round."""
    sizes: dict[int, dict[int, float]] = {}
    for run in found(runs, part="pieces", piece=name):
        if run.get(of):
            sizes.setdefault(run["size"], {})[run["round"]] = pace(run[of])
    return dict(sorted(sizes.items()))


def between(sizes: dict[int, dict[int, float]], one: int, other: int) -> list[float]:
    """The pace at one size over that at another, by round."""
    first, second = sizes.get(one, {}), sizes.get(other, {})
    return [first[n] / second[n] for n in sorted(first) if n in second]


def latencies(
    runs: Runs, system: str, of: str = "p50", key: str = "latency_ms"
) -> dict[int, float]:
    """Milliseconds for one user and 1,000 candidates, by round."""
    some = found(runs, part="serving", system=system)
    return {run["round"]: run[key][of] for run in some if key in run}


def over(ours: dict[int, float], theirs: dict[int, float]) -> list[float]:
    """What peers take over what JointRec takes, by round."""
    return [theirs[n] / ours[n] for n in sorted(ours) if n in theirs]


def held_out(runs: Runs, level: str, system: str, part: str = "quality") -> dict[str, Any]:
    """How good the answers of a system to the held-out rows were; empty where not measured."""
    for run in found(runs, part=part, level=level, system=system):
        if "held_out" in run:
            return dict(run["held_out"])
    return {}


def sequence_ratios(runs: Runs) -> list[float]:
    """JointRec over the plain transformer, by round."""

    def by_round(system: str) -> dict[int, float]:
        some = found(runs, part="sequences", system=system)
        return {run["round"]: pace(run["train"]) for run in some if run.get("train")}

    return over(by_round("plain transformer"), by_round("jointrec"))


def precision_losses(runs: Runs, level: str) -> list[float]:
    """How much more log-loss bf16 has than fp32 on the held-out rows: the worst of the tasks."""
    short, long = held_out(runs, level, "jointrec"), held_out(runs, level, "jointrec fp32")
    lost = [
        short[task]["log_loss"] - long[task]["log_loss"]
        for task in short
        if "log_loss" in short[task] and task in long
    ]
    return [max(lost)] if lost else []


def behind_trees(runs: Runs) -> list[float]:
    """How much AUC the tuned model has beyond LightGBM: the worst of the tasks."""
    ours = held_out(runs, "1k", "jointrec", "tuned") or held_out(runs, "1k", "jointrec")
    theirs = held_out(runs, "1k", "lightgbm")
    gained = [
        ours[task]["auc"] - theirs[task]["auc"]
        for task in ours
        if "auc" in ours[task] and task in theirs
    ]
    return [min(gained)] if gained else []


def goals(runs: Runs) -> list[Goal]:
    """Every promise, with what was measured."""
    listed: list[Goal] = []
    for peer, least in (
        ("torch-rechub", {"1k": 3.5, "100k": 5, "1M": 60}),
        ("deepctr-torch", {"1k": 3, "100k": 5, "1M": 60}),
        ("keras", {"1k": 2.5, "100k": 2.5}),
        ("keras dense", {"1k": 2.5, "100k": 2.5}),
        ("plain torch", {"1k": 3, "100k": 3}),
    ):
        for level, times in least.items():
            text = f"training against {peer}, {level} ids a column"
            listed.append(Goal(text, ratios(runs, peer, level), least=times))
    precision = "bf16" if any("bf16" in run for run in found(runs, part="floor")) else "fp32"
    shares = floor_shares(runs, precision, "jointrec")
    listed.append(Goal(f"share of the product floor ({precision})", shares, least=65, unit="%"))
    for peer in ("torch-rechub", "deepctr-torch", "plain torch", "fuxictr"):
        text = f"peak memory at 1M ids a column, as a share of {peer}"
        listed.append(Goal(text, memory(runs, peer, "1M"), most=1 / 3, unit=""))
    return [*listed, *_own(runs), *_answers(runs), *_quality(runs)]


def _own(runs: Runs) -> list[Goal]:
    """What JointRec promises of itself."""
    loaded = piece(runs, "loader", "loader").get(0, {})
    trained = paces(runs, "jointrec", "1k")
    share = [100 * trained[n] / loaded[n] for n in sorted(loaded) if n in trained]
    grown = [100 * (1 - r) for r in between(piece(runs, "table"), 50_000_000, 20_000)]
    many = between(piece(runs, "tasks"), 2, 32)
    rows = piece(runs, "rows")
    larger = max(rows, default=0)
    flat = [100 * (r - 1) for r in between(rows, larger, 1_000_000)] if larger > 1_000_000 else []
    own = found(runs, part="pieces", piece="rows")
    whole = {(run["size"], run["round"]): run["fit_s"] for run in runs if "fit_s" in run}
    twice = [whole[1, n] / whole[2, n] for size, n in whole if size == 1 and (2, n) in whole]
    peaks = {run["size"]: run["peak_mib"] for run in own if "peak_mib" in run}
    more = [peaks[larger] / peaks[1_000_000]] if flat and 1_000_000 in peaks else []
    return [
        Goal("files to batches, million rows/s", [one / 1e6 for one in loaded.values()], least=3,
             unit=""),
        Goal("files to batches, share of a step", share, most=3, unit="%"),
        Goal("speed lost from 20 k to 50 M table rows", grown, most=10, unit="%"),
        Goal("cost of a step from 2 to 32 tasks", many, most=2),
        Goal(f"rows/s at {larger:,} rows beside 1 M", [abs(one) for one in flat], most=10,
             unit="% off"),
        Goal(f"peak memory at {larger:,} rows beside 1 M", more, most=1.1),
        Goal("all that `fit` trains, two processes on two cores", twice, least=1.7),
        Goal("sequences, against a plain transformer", sequence_ratios(runs), least=6),
    ]  # fmt: skip


def _answers(runs: Runs) -> list[Goal]:
    """What is promised of answers."""
    ours = latencies(runs, "jointrec", "cpu_p50")
    text = "one user × 1,000 candidates, p50 of processor time"
    listed = [Goal(text, list(ours.values()), most=5, unit="ms")]
    for peer in ("torch-rechub", "deepctr-torch"):
        text = f"one user × 1,000 candidates, against {peer}"
        listed.append(Goal(text, over(ours, latencies(runs, peer, "cpu_p50")), least=3))
    text = "batch scoring of all four tasks, against deepctr-torch"
    listed.append(Goal(text, ratios(runs, "deepctr-torch", "1k", of="score"), least=4))
    return listed


def _quality(runs: Runs) -> list[Goal]:
    """What must not be lost for speed."""
    listed = [
        Goal(f"log-loss that bf16 costs, worst task, {level}", precision_losses(runs, level),
             most=0.0005, unit="")
        for level in ("1k", "100k", "1M")
    ]  # fmt: skip
    text = "AUC beyond LightGBM's, worst task, tuned, 1k"
    return [*listed, Goal(text, behind_trees(runs), least=-0.005, unit="")]


def written(goal: Goal) -> str:
    """What was measured, as people read it: the median, and the least and the most."""
    if not goal.values:
        return "not measured"
    middle, least, most = (spelled(value, goal.unit) for value in spread(goal.values))
    if len(goal.values) == 1:
        return f"{middle}{_after(goal.unit)}"
    return f"{middle}{_after(goal.unit)} ({least}–{most})"


def target(goal: Goal) -> str:
    """What is promised, as people read it."""
    bounds = [(sign, bound) for sign, bound in (("≥", goal.least), ("≤", goal.most))]
    said = [
        f"{sign} {spelled(bound, goal.unit)}{_after(goal.unit)}"
        for sign, bound in bounds
        if bound is not None
    ]
    return ", ".join(said)


def spelled(value: float, unit: str) -> str:
    """A number with as many digits as it deserves.

    >>> spelled(12.345, "×"), spelled(0.3333, ""), spelled(0.00042, ""), spelled(98.7, "%")
    ('12.3', '0.33', '0.0004', '99')
    """
    if math.isnan(value):
        return "–"
    size = abs(value)
    if unit.startswith("%"):
        return f"{value:.0f}" if size >= 10 else f"{value:.1f}"
    if size and size < 0.1:
        return f"{value:.4f}"
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 2 else f"{value:.2f}"


def _after(unit: str) -> str:
    return f" {unit}" if unit not in ("", "×") else unit
