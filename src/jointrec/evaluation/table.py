"""The report as a table for a person: one line per task, every way side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from jointrec.functional.intervals import Interval

from .report import Report, TaskReport
from .slices import BOUNDS, Slice, events_of

ORDER = ("joint", "alone", "lightgbm", "popularity", "oracle")
BEST = "best of the others"
SIGNS = {
    "better": ("▲", "green"),
    "level": ("=", "dim"),
    "worse": ("▼", "red"),
    "unknown": ("?", "dim"),
}


def ways_of(report: Report) -> list[str]:
    """The ways of answering that the report has, joint first and the oracle last."""
    found = {way for task in report.tasks.values() for way in task.systems}
    others = sorted(found - set(ORDER))
    return [way for way in (*ORDER[:-1], *others, ORDER[-1]) if way in found]


def report_table(report: Report) -> Table:
    """The deciding metric of every task, for every way, with 95 % intervals.

    Ways beyond the usual ones share a column where there are several: of each task it has the best.
    ▲ joint is better, ▼ worse, = level: by the interval of the paired difference.
    """
    ways, others = _columns(report)
    table = Table(title="Each task's deciding metric on test rows, with 95 % intervals")
    table.add_column("task", style="bold")
    table.add_column("grain")
    table.add_column("test rows", justify="right")
    table.add_column("yes", justify="right")
    table.add_column("metric")
    for way in ways:
        table.add_column(way, justify="right")
    for name, task in report.tasks.items():
        positives = "" if task.positives is None else f"{task.positives:,}"
        arrow = "↑" if task.better == "higher" else "↓"
        table.add_row(
            Text(name), Text(task.grain), f"{task.rows:,}", positives, f"{task.metric} {arrow}",
            *[_best(task, others) if way == BEST else _cell(task, way) for way in ways],
        )  # fmt: skip
    table.caption = "↑ higher is better · ↓ lower is better · joint is ▲ better, ▼ worse, = level"
    return table


def slices_table(report: Report) -> Table | None:
    """The deciding metric of joint for those that training met never, rarely and often.

    None where no row of any task is about somebody that training hardly met.
    """
    table = Table(title="joint, by how many training events name the user, the item …")
    for name in ("task", "by"):
        table.add_column(name, style="bold" if name == "task" else None)
    for name in BOUNDS:
        table.add_column(f"{name} ({events_of(name)})", justify="right")
    shown = False
    for name, task in report.tasks.items():
        told = name
        for entity, slices in task.slices.items():
            if "joint" not in task.systems or not set(slices) - {"warm"}:
                continue
            cells = [_slice_cell(slices[one]) if one in slices else "–" for one in BOUNDS]
            table.add_row(Text(told), Text(f"{entity}: {task.metric}"), *cells)
            told, shown = "", True
    return table if shown else None


def _slice_cell(found: Slice) -> str:
    return f"{spell(found.systems['joint'])} · {found.counted}"


def _columns(report: Report) -> tuple[list[str], list[str]]:
    """The columns, and the ways of which one of them has the best."""
    ways = ways_of(report)
    others = [way for way in ways if way not in ORDER]
    if len(others) < 2:
        return ways, []
    usual = [way for way in ways if way in ORDER[:-1]]
    return [*usual, BEST, *(way for way in ways if way == ORDER[-1])], others


def _best(task: TaskReport, others: Iterable[str]) -> Text:
    """The best of some ways, and what it is called."""
    found = {way: task.systems[way][task.metric].value for way in others if way in task.systems}
    known = {way: value for way, value in found.items() if not math.isnan(value)}
    if not known:
        return Text("–", style="dim")
    best = (min if task.better == "lower" else max)(known, key=known.__getitem__)
    return Text(f"{best} ").append_text(_cell(task, best))


def _cell(task: TaskReport, way: str) -> Text:
    if way not in task.systems:
        return Text("–", style="dim")
    text = Text(spell(task.systems[way][task.metric]))
    if way in task.gains and way != "oracle":
        sign, style = SIGNS[task.verdict(way)]
        text.append(f" {sign}", style=style)
    return text


def spell(interval: Interval) -> str:
    """An interval as people read it.

    >>> spell(Interval(0.7994, 0.791, 0.8071))
    '.799 (.791–.807)'
    >>> spell(Interval(-0.1, -0.25, 0.05))
    '-.100 (-.250 to .050)'
    """
    if math.isnan(interval.value):
        return "not defined"
    value, low, high = (_short(number) for number in (interval.value, interval.low, interval.high))
    if math.isnan(interval.low):
        return value
    # A dash beside a minus sign cannot be told from one.
    return f"{value} ({low}{' to ' if low.startswith('-') else '–'}{high})"


def _short(number: float) -> str:
    if math.isnan(number):
        return "?"
    text = f"{number:.3f}" if abs(number) < 10 else f"{number:,.1f}"
    if text in ("0.000", "-0.000"):
        return ".000"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def verdicts(report: Report, other: str) -> dict[str, Iterable[str]]:
    """The tasks for which joint is better than, level with and worse than another way."""
    found: dict[str, list[str]] = {"better": [], "level": [], "worse": [], "unknown": []}
    for name, task in report.tasks.items():
        if other in task.systems:
            found[task.verdict(other)].append(name)
    return {verdict: tuple(names) for verdict, names in found.items()}
