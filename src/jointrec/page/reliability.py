"""Whether chances are right, as diagrams: what was said beside what was seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from jointrec.evaluation import Report
from jointrec.functional.reliability import Reliability

from .drawing import svg
from .markup import Markup, joined, tag

SIDE, LEFT, TOP = 240, 68, 10
"""The sides of a diagram, and the room for what stands beside it and above it."""
LEAST = 1e-5
"""Chances below this are drawn as if they were this, as axes are logarithms."""


def reliability_section(report: Report) -> Markup:
    """A diagram for each task with chances; nothing where there is none."""
    drawn = [
        tag("figure", _caption(name, task.reliability), _diagram(name, task.reliability))
        for name, task in report.tasks.items()
        if task.reliability
    ]
    if not drawn:
        return Markup("")
    told = tag(
        "p",
        "What was said and what was seen, in fifteen shares of equally many rows. On the dashed "
        "line both are equal: above it more was seen than said. ",
        tag("span", "Before calibration", class_="key-before"),
        " and ",
        tag("span", "after", class_="key-after"),
        ". ECE is how far both are apart on average; predicted over observed is 1 where neither is "
        "more.",
    )
    return joined(told, tag("div", *drawn, class_="figures"))


def _caption(name: str, both: Mapping[str, Reliability]) -> Markup:
    told = [
        tag("div", tag("span", when, class_=f"key-{when}"),
            f" ECE {found.ece:.4f}, predicted over observed {found.pcoc:.2f}")
        for when, found in both.items()
    ]  # fmt: skip
    return tag("figcaption", tag("b", name), *told)


def _diagram(name: str, both: Mapping[str, Reliability]) -> Markup:
    """What was said and what was seen, before and after."""
    lowest = min(
        max(min([v for v in (*found.said, *found.seen) if v > 0], default=LEAST), LEAST)
        for found in both.values()
    )
    # A hair above a power of ten is that power.
    decades = max(1, math.ceil(-math.log10(lowest) - 1e-9))

    def at(chance: float) -> float:
        """A chance as a share of an axis."""
        return 1 + math.log10(max(chance, 10.0**-decades)) / decades

    def point(said: float, seen: float) -> tuple[float, float]:
        return LEFT + at(said) * SIDE, TOP + (1 - at(seen)) * SIDE

    low, right = TOP + SIDE, LEFT + SIDE
    shapes: list[Markup] = []
    for decade in range(decades + 1):
        x, y = point(10.0**-decade, 10.0**-decade)
        told = f"{100 * 10.0**-decade:g} %"
        shapes.append(tag("path", class_="grid", d=f"M{x:.1f} {TOP}V{low}M{LEFT} {y:.1f}H{right}"))
        shapes.append(tag("text", told, class_="axis", x=x, y=low + 16, text_anchor="middle"))
        shapes.append(tag("text", told, class_="axis", x=LEFT - 6, y=y + 4, text_anchor="end"))
    middle = LEFT + SIDE / 2
    shapes.append(tag("text", "said", class_="axis", x=middle, y=low + 33, text_anchor="middle"))
    turned = f"translate(12 {TOP + SIDE / 2:.0f}) rotate(-90)"
    shapes.append(tag("text", "seen", class_="axis", transform=turned, text_anchor="middle"))
    shapes.append(tag("path", class_="mark", d=f"M{LEFT} {low}L{right} {TOP}"))
    for when, found in both.items():
        points = [point(said, seen) for said, seen in zip(found.said, found.seen, strict=True)]
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        shapes.append(tag("path", class_="before" if when == "before" else "rate", d=line))
        if when == "after":
            shapes += _dots(points, found)
    return svg(joined(*shapes), right + 22, low + 40, f"Chances of {name}, said and seen")


def _dots(points: list[tuple[float, float]], found: Reliability) -> Iterator[Markup]:
    told = zip(points, found.said, found.seen, found.rows, strict=True)
    for (x, y), said, seen, rows in told:
        title = tag("title", f"said {said:.4f}, seen {seen:.4f}, {rows:,} rows")
        yield tag("circle", title, class_="dot", cx=x, cy=y, r=3)
