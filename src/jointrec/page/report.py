"""The report as a page: every task, whether its chances are right, and who is new."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from jointrec import durable
from jointrec.errors import JointRecError
from jointrec.evaluation import Report, TaskReport, spell, ways_of
from jointrec.functional.reliability import Reliability

from .drawing import svg
from .markup import Markup, joined, tag
from .page import head

SIDE, EDGE = 260, 34
"""The sides of a diagram, and the room for what stands beside its axes."""
LEAST = 1e-5
"""Chances below this are drawn as if they were this, as axes are logarithms."""
SIGNS = {"better": "▲", "level": "=", "worse": "▼"}


def write_report(report: Report, path: Path, *, name: str = "") -> Path:
    """Writes a report to a file: a page where it ends in ``.html``, else JSON.

    :param name: What to call it on the page. Default: by the folder of the file.
    :raises JointRecError: where there can be no such file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JointRecError(
            f"{path}: no file can be made there ({error.strerror}). Choose another."
        ) from None
    page = path.suffix in (".html", ".htm")
    text = report_html(report, name=name or path.parent.name) if page else report.to_json()
    durable.write_file(path, text.encode())
    return path


def report_html(report: Report, *, name: str) -> str:
    """The page of a report as text: one file that loads nothing and runs nothing.

    :param name: What to call it.
    """
    sections = {
        "Tasks": _tasks(report),
        "Are chances right?": _reliability(report),
        "Who and what is new": _slices(report),
    }
    body = joined(
        tag("header", tag("h1", name), tag("p", "Test rows only, with 95 % intervals.")),
        tag(
            "main",
            *[tag("section", tag("h2", title), part) for title, part in sections.items() if part],
        ),
        tag("footer", "Made by jointrec. It loads nothing and runs nothing."),
    )
    return "<!doctype html>\n" + tag(
        "html", head(f"{name}: the report"), tag("body", body), lang="en"
    )


def _tasks(report: Report) -> Markup:
    ways = ways_of(report)
    rows = []
    for name, task in report.tasks.items():
        cells = [name, task.grain, f"{task.rows:,}", _count(task.positives), _metric(task)]
        for way in ways:
            found = task.systems.get(way, {}).get(task.metric)
            sign = SIGNS.get(task.verdict(way), "") if way not in ("joint", "oracle") else ""
            cells.append("–" if found is None else f"{spell(found)} {sign}".rstrip())
        rows.append(cells)
    told = tag("p", "▲ joint is better, ▼ worse, = level, by the interval of the difference.")
    heads = ["task", "grain", "test rows", "yes", "metric", *ways]
    return joined(told, _table(heads, rows))


def _slices(report: Report) -> Markup:
    rows = [
        [name, entity, f"{kind}: {found.events}", f"{found.rows:,}", _count(found.positives),
         _metric(task), spell(found.systems["joint"]) if "joint" in found.systems else "–"]
        for name, task in report.tasks.items()
        for entity, slices in task.slices.items()
        for kind, found in slices.items()
    ]  # fmt: skip
    if not rows:
        return Markup("")
    told = tag("p", "Test rows by how many training events name their user, their item …")
    heads = ["task", "by", "training events", "rows", "yes", "metric", "joint"]
    return joined(told, _table(heads, rows))


def _reliability(report: Report) -> Markup:
    drawn = [
        tag("figure", tag("figcaption", _caption(name, task)), _diagram(name, task.reliability))
        for name, task in report.tasks.items()
        if task.reliability
    ]
    if not drawn:
        return Markup("")
    told = tag(
        "p",
        "What was said, from left to right, and what was seen, from bottom to top, in fifteen "
        "shares of equally many rows: the line after calibration, dotted before. On the dashed "
        "line both are equal. Axes are logarithms.",
    )
    return joined(told, tag("div", *drawn, class_="figures"))


def _caption(name: str, task: TaskReport) -> str:
    told = [
        f"{when} ECE {found.ece:.4f}, predicted over observed {found.pcoc:.2f}"
        for when, found in task.reliability.items()
    ]
    return f"{name}: {'; '.join(told)}"


def _diagram(name: str, both: Mapping[str, Reliability]) -> Markup:
    """What was said and what was seen, before and after."""
    lowest = min(
        max(min([v for v in (*found.said, *found.seen) if v > 0], default=LEAST), LEAST)
        for found in both.values()
    )
    decades = max(1, math.ceil(-math.log10(lowest)))

    def at(chance: float) -> float:
        """A chance as a share of an axis."""
        return 1 + math.log10(max(chance, 10.0**-decades)) / decades

    def point(said: float, seen: float) -> tuple[float, float]:
        return EDGE + at(said) * SIDE, (1 - at(seen)) * SIDE

    shapes: list[Markup] = []
    for decade in range(decades + 1):
        share = (decades - decade) / decades
        x, y, told = EDGE + share * SIDE, (1 - share) * SIDE, f"{10.0**-decade:g}"
        shapes.append(
            tag("path", class_="grid", d=f"M{x:.1f} 0V{SIDE}M{EDGE} {y:.1f}H{EDGE + SIDE}")
        )
        shapes.append(tag("text", told, class_="axis", x=x, y=SIDE + 16, text_anchor="middle"))
        shapes.append(tag("text", told, class_="axis", x=EDGE - 5, y=y + 4, text_anchor="end"))
    shapes.append(tag("path", class_="mark", d=f"M{EDGE} {SIDE}L{EDGE + SIDE} 0"))
    for when, found in both.items():
        points = [point(said, seen) for said, seen in zip(found.said, found.seen, strict=True)]
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        shapes.append(tag("path", class_="bridge" if when == "before" else "rate", d=line))
        if when == "after":
            shapes += _dots(points, found)
    return svg(joined(*shapes), SIDE + EDGE + 12, SIDE + 24, f"Chances of {name}, said and seen")


def _dots(points: list[tuple[float, float]], found: Reliability) -> Iterator[Markup]:
    told = zip(points, found.said, found.seen, found.rows, strict=True)
    for (x, y), said, seen, rows in told:
        title = tag("title", f"said {said:.4f}, seen {seen:.4f}, {rows:,} rows")
        yield tag("circle", title, class_="dot", cx=x, cy=y, r=3)


def _table(heads: list[str], rows: list[list[str]]) -> Markup:
    first = tag("thead", tag("tr", *[tag("th", head) for head in heads]))
    others = [tag("tr", *[tag("td", cell) for cell in cells]) for cells in rows]
    return tag("div", tag("table", first, tag("tbody", *others)), class_="wide")


def _metric(task: TaskReport) -> str:
    return f"{task.metric} {'↑' if task.better == 'higher' else '↓'}"


def _count(positives: int | None) -> str:
    return "" if positives is None else f"{positives:,}"
