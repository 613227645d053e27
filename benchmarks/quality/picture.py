"""Draws a report as a picture, and writes it into a page as a table: wins and losses alike.

    python benchmarks/quality/picture.py runs/merch/report.json \
        --page docs/examples/merch.md --picture docs/assets/merch.svg

The picture has a row for each task: the deciding metric of every way of answering with its 95 %
interval. Each row has a scale of its own, because a deviance and an AUC have nothing in common;
better is always to the right, and the ends of the scale are written down. Beside it stands how much
better joint is than training alone and than LightGBM (of a catalogue: than popularity), by the
interval of the paired difference.

The table, below the picture if one is drawn, goes between ``<!-- table: NAME -->`` and
``<!-- /table -->``, NAME being the name of the page's file. What stands around it is not touched.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jointrec.durable import write_file
from jointrec.errors import DataError, JointRecError
from jointrec.evaluation import Report, TaskReport, spell
from jointrec.functional.intervals import Interval

WAYS = ("joint", "alone", "lightgbm", "popularity", "oracle")
OTHERS = "best of the others"
SPELLED = {
    OTHERS: OTHERS, "joint": "joint", "alone": "alone", "lightgbm": "LightGBM",
    "popularity": "popularity", "oracle": "oracle",
}  # fmt: skip
LOOKS = {  # colours that stay apart for colour-blind readers, and a mark for those without colour
    "joint": ("#00796b", "o"), "alone": ("#d55e00", "s"), "lightgbm": ("#0072b2", "D"),
    "popularity": ("#a6761d", "^"), "oracle": ("#333333", "*"),
}  # fmt: skip
SIGNS = {"better": "▲", "level": "=", "worse": "▼", "unknown": "?"}
COLOURS = {"better": "#00796b", "level": "#666666", "worse": "#c62828", "unknown": "#666666"}
RIVALS = ("alone", "lightgbm", "popularity")


@dataclass(frozen=True)
class Scale:
    """The scale of one row: where a value of the deciding metric stands between worst and best.

    :param worst: The value at the left end.
    :param best: The value at the right end. Below ``worst`` where lower is better.
    """

    worst: float
    best: float

    def place(self, value: float) -> float:
        """Where a value stands: 0 at the worst end, 1 at the best."""
        return (value - self.worst) / (self.best - self.worst)


def scale_of(task: TaskReport) -> Scale | None:
    """The scale that holds every way with its interval; None where nothing is defined."""
    ends = [
        end
        for way, metrics in task.systems.items()
        if way in WAYS or way == best_other(task)
        for one in [metrics[task.metric]]
        for end in (one.value, one.low, one.high)
        if math.isfinite(end)
    ]
    if not ends:
        return None
    least, most = min(ends), max(ends)
    room = 0.0 if most > least else max(abs(most) * 0.05, 0.01)
    low, high = least - room, most + room
    return Scale(low, high) if task.better == "higher" else Scale(high, low)


def ways_of(tasks: Iterable[TaskReport]) -> list[str]:
    """The ways of answering that some task has, in the order in which they are shown.

    Those beyond the usual ones share a place, in which each task has the best of them.
    """
    found = {way for task in tasks for way in task.systems}
    usual = [way for way in WAYS if way in found]
    return usual + [OTHERS] * bool(found - set(WAYS))


def best_other(task: TaskReport) -> str | None:
    """Of the ways beyond the usual ones the best at a task; None where there is none."""
    others = {
        way: metrics[task.metric].value
        for way, metrics in task.systems.items()
        if way not in WAYS and math.isfinite(metrics[task.metric].value)
    }
    if not others:
        return None
    return (min if task.better == "lower" else max)(sorted(others), key=others.__getitem__)


def gain(task: TaskReport, rival: str) -> str:
    """How much better joint is than another way, as people read it: ``▲ +.012``."""
    if rival not in task.gains:
        return "–"
    found = task.gains[rival]
    if math.isnan(found.value):
        return "not defined"
    return f"{SIGNS[task.verdict(rival)]} {signed(found.value)}"


def signed(number: float) -> str:
    """A difference with its sign.

    >>> signed(0.0124), signed(-0.5), signed(0.00001)
    ('+.012', '−.500', '.000')
    """
    text = spell(Interval(abs(number), math.nan, math.nan))
    if text == ".000":
        return text
    return f"{'+' if number > 0 else '−'}{text}"


def table(report: Report) -> str:
    """The deciding metric of every task for every way, as Markdown, and of which run it is."""
    ways = ways_of(report.tasks.values())
    rivals = [rival for rival in RIVALS if rival in ways]
    head = ["task", "kind", "grain", "test rows", "yes", "metric"]
    head += [SPELLED.get(way, way) for way in ways]
    head += [f"gain on {SPELLED[rival]}" for rival in rivals]
    lines = [head, ["---", "---", "---", "--:", "--:", "---", *["--:"] * (len(head) - 6)]]
    for name, task in report.tasks.items():
        yes = "" if task.positives is None else f"{task.positives:,}"
        arrow = "↑" if task.better == "higher" else "↓"
        cells = [f"`{name}`", task.kind, task.grain, f"{task.rows:,}", yes]
        cells.append(f"{task.metric} {arrow}")
        cells += [_shown(task, way) for way in ways]
        cells += [_gain_with_interval(task, rival) for rival in rivals]
        lines.append(cells)
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return (
        f"{rows}\n\n"
        "↑ higher is better, ↓ lower is better. In brackets: 95 % intervals. A gain is how much "
        "better joint is, on the same resampled test rows: ▲ better, = level, ▼ worse.\n\n"
        f"{_counted(report, rivals)}\n\n{_run(report.facts)}"
    )


def _shown(task: TaskReport, way: str) -> str:
    if way == OTHERS:
        best = best_other(task)
        return "–" if best is None else f"{best} {spell(task.systems[best][task.metric])}"
    return spell(task.systems[way][task.metric]) if way in task.systems else "–"


def _gain_with_interval(task: TaskReport, rival: str) -> str:
    found = task.gains.get(rival)
    if found is None or math.isnan(found.low):
        return gain(task, rival)
    return f"{gain(task, rival)} ({signed(found.low)} to {signed(found.high)})"


def _counted(report: Report, rivals: list[str]) -> str:
    """How often joint is better, level and worse."""
    lines = []
    for rival in rivals:
        verdicts = [task.verdict(rival) for task in report.tasks.values() if rival in task.systems]
        counts = [f"{verdicts.count(one)} {one}" for one in SIGNS if one in verdicts]
        lines.append(f"Against {SPELLED[rival]}: {', '.join(counts)}.")
    return " ".join(lines)


def _run(facts: Mapping[str, Any]) -> str:
    """What a reader must know to repeat the run."""
    known = [
        f"{name} {facts[key]}"
        for key, name in (
            ("jointrec", "JointRec"), ("torch", "torch"), ("python", "Python"), ("seed", "seed"),
            ("threads", "threads"), ("test_from", "tested from"), ("sharing", "sharing"),
            ("fusion", "fusion"), ("history", "history"), ("balancing", "balancing"),
            ("budget", "budget"), ("passes", "passes"),
        )
        if facts.get(key) is not None
    ]  # fmt: skip
    seconds = facts.get("seconds") or {}
    if seconds:
        spent = ", ".join(f"{stage} {length:,.0f} s" for stage, length in seconds.items())
        known.append(f"time: {spent}")
    return f"The run: {'; '.join(known)}." if known else ""


def fill(text: str, name: str, filling: str, *, at: str) -> str:
    """A page with the table between its markers replaced.

    :raises DataError: where the page does not have the two markers exactly once.
    """
    begin, end = f"<!-- table: {name} -->", "<!-- /table -->"
    found = re.findall(rf"{re.escape(begin)}.*?{re.escape(end)}", text, re.DOTALL)
    if len(found) != 1 or text.count(begin) != 1:
        raise DataError(f"{at}: should hold `{begin}` and then `{end}` once.")
    return text.replace(found[0], f"{begin}\n\n{filling.strip()}\n\n{end}")


def shown(picture: Path | None, page: Path) -> str:
    """The line of a page that shows a picture; nothing where there is none."""
    if picture is None:
        return ""
    place = os.path.relpath(picture.resolve(), page.resolve().parent)
    alt = "Every task: each way of answering with its 95 % interval, better to the right"
    return f"![{alt}]({Path(place).as_posix()})\n\n"


def draw(report: Report, path: Path) -> None:
    """Writes the picture, as SVG or PNG by its ending. The same report gives the same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    settings: Any = {
        "svg.fonttype": "path", "svg.hashsalt": "jointrec", "font.family": "DejaVu Sans",
        "font.size": 9.5, "axes.linewidth": 0.6,
    }  # fmt: skip
    tasks = report.tasks
    ways = ways_of(tasks.values())
    with matplotlib.rc_context(settings):
        figure, axes = plt.subplots(figsize=(9.6, 0.52 * len(tasks) + 1.25), facecolor="white")
        figure.subplots_adjust(left=0.235, right=0.7, top=1 - 0.62 / figure.get_figheight(),
                               bottom=0.55 / figure.get_figheight())  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(len(tasks) - 0.5, -0.5), yticks=[], xticks=[])
        axes.set_frame_on(False)
        for row, (name, task) in enumerate(tasks.items()):
            _draw_row(axes, row, name, task, ways)
        _draw_words(axes, len(tasks), ways)
        # Fixed ids and no date: a picture only changes when its numbers do.
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=160)
        plt.close(figure)


def _draw_row(axes: Any, row: int, name: str, task: TaskReport, ways: list[str]) -> None:
    if row % 2 == 0:
        axes.axhspan(row - 0.5, row + 0.5, xmin=-0.5, xmax=1.7, color="#f4f6f6", zorder=0,
                     clip_on=False)  # fmt: skip
    arrow = "↑" if task.better == "higher" else "↓"
    left: dict[str, Any] = {"ha": "right", "va": "center", "clip_on": False}
    fits = min(1.0, 20 / len(name))  # a long name would begin outside the picture
    axes.text(-0.09, row - 0.17, name, weight="bold", size=10 * fits, **left)
    axes.text(-0.09, row + 0.2, f"{task.metric} {arrow}  {task.rows:,} rows", color="#666666",
              size=7.5, **left)  # fmt: skip
    scale = scale_of(task)
    if scale is None:
        axes.text(0.5, row, "not defined", ha="center", va="center", color="#666666")
    else:
        own = {way: best_other(task) if way == OTHERS else way for way in ways}
        _draw_ways(axes, row, task, scale, [w for w in own.values() if w and w in task.systems])
    baseline = "popularity" if "lightgbm" not in task.gains else "lightgbm"
    for place, rival in ((1.25, "alone"), (1.5, baseline)):
        if rival in task.gains:
            middle: dict[str, Any] = {"ha": "center", "va": "center", "clip_on": False}
            lower = 0.17 if rival == "popularity" else 0.0
            colour = COLOURS[task.verdict(rival)]
            axes.text(place, row - lower, gain(task, rival), color=colour, **middle)
            if lower:
                axes.text(place, row + 0.2, rival, color="#666666", size=7.5, **middle)


def _draw_ways(axes: Any, row: int, task: TaskReport, scale: Scale, ways: list[str]) -> None:
    small: dict[str, Any] = {"va": "center", "size": 7, "color": "#888888", "clip_on": False}
    for place, side, end in ((-0.01, "right", scale.worst), (1.01, "left", scale.best)):
        told = f"{end:,.0f}" if abs(end) >= 1000 else spell(Interval(end, math.nan, math.nan))
        axes.text(place, row, told, ha=side, **small)
    for n, way in enumerate(ways):
        found = task.systems[way][task.metric]
        if math.isnan(found.value):
            continue
        colour, mark = LOOKS.get(way, ("#7b1fa2", "v"))
        height = row + (n - (len(ways) - 1) / 2) * 0.17
        if math.isfinite(found.low) and math.isfinite(found.high):
            ends = [scale.place(found.low), scale.place(found.high)]
            axes.plot(ends, [height] * 2, color=colour, lw=1.4, solid_capstyle="butt", zorder=2)
        size = 6.5 if mark == "*" else 4.5
        axes.plot(scale.place(found.value), height, mark, color=colour, ms=size, zorder=3,
                  clip_on=False)  # fmt: skip


def _draw_words(axes: Any, rows: int, ways: list[str]) -> None:
    handles = [
        axes.plot([], [], LOOKS.get(way, ("#7b1fa2", "v"))[1], ms=5.5,
                  color=LOOKS.get(way, ("#7b1fa2", "v"))[0], label=SPELLED.get(way, way))[0]
        for way in ways
    ]  # fmt: skip
    # Six in a row would reach into the heads of the columns beside it.
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False,
                ncols=len(ways) if len(ways) < 6 else math.ceil(len(ways) / 2),
                handletextpad=0.1, columnspacing=1.2)  # fmt: skip
    above: dict[str, Any] = {"ha": "center", "va": "bottom", "size": 8, "clip_on": False}
    axes.text(1.25, -0.6, "joint against\nalone", **above)
    axes.text(1.5, -0.6, "joint against\nLightGBM", **above)
    axes.text(0.5, rows - 0.38,
              "worse  ←  each row has its own scale; lines are 95 % intervals  →  better\n"
              "joint is ▲ better, = level, ▼ worse, by the interval of the paired difference",
              ha="center", va="top", size=7.5, color="#555555", clip_on=False)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the script; 2 where something is wrong with the report or the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("report", type=Path, help="a report.json")
    parser.add_argument("--page", type=Path, help="the Markdown page whose table is written")
    parser.add_argument("--picture", type=Path, help="the picture to write: .svg or .png")
    given = parser.parse_args(arguments)
    try:
        report = Report.from_json(given.report.read_text(encoding="utf-8"))
        if given.picture is not None:
            given.picture.parent.mkdir(parents=True, exist_ok=True)
            draw(report, given.picture)
        if given.page is not None:
            text = given.page.read_text(encoding="utf-8")
            filling = shown(given.picture, given.page) + table(report)
            filled = fill(text, given.page.stem, filling, at=str(given.page))
            write_file(given.page, filled.encode())
    except (JointRecError, OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"Error: {given.report}: {type(error).__name__}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
