"""Small plots as SVG, drawn in the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .markup import Markup, joined, tag

WIDTH, HEIGHT = 168, 36


def histogram(
    train: Sequence[float], test: Sequence[float], bars: Sequence[str], *, name: str
) -> Markup:
    """Bars for training rows; a line of the same heights for test rows, if there are any.

    :param bars: What each bar stands for: shown when it is pointed at.
    :param name: What is drawn, for those who do not see it.
    """
    if not train:
        return tag("span", "–", class_="none")
    most = max([*train, *test]) or 1.0
    step = WIDTH / len(train)
    shapes: list[Markup] = []
    for place, (share, what) in enumerate(zip(train, bars, strict=True)):
        told = f"{what}: train {share:.1%}"
        told += f", test {test[place]:.1%}" if test else ""
        height = max(share / most * (HEIGHT - 2), 0.75 if share else 0)
        title = tag("title", told)
        shapes.append(
            joined(
                tag(
                    "rect", title, class_="bar", x=place * step + 0.5, y=HEIGHT - height,
                    width=max(step - 1, 0.75), height=height,
                ),
                tag(
                    "rect", title, class_="hover", x=place * step, y=0, width=step, height=HEIGHT
                ),
            )
        )  # fmt: skip
    if test:
        steps = [f"M0 {HEIGHT - test[0] / most * (HEIGHT - 2):.1f}"]
        for place, share in enumerate(test):
            steps.append(f"V{HEIGHT - share / most * (HEIGHT - 2):.1f}H{(place + 1) * step:.1f}")
        shapes.insert(len(shapes), tag("path", class_="line", d="".join(steps)))
    return svg(joined(*shapes), WIDTH, HEIGHT, name)


def sparkline(
    values: Sequence[float], marks: Sequence[float], *, name: str, width: int = 420
) -> Markup:
    """A line over time, with a mark where validation and test begin.

    :param values: One for each stretch of time; nan where there is nothing.
    :param marks: Where the marks stand, as shares of the whole time.
    """
    numbers = np.asarray(values, dtype=float)
    known = numbers[~np.isnan(numbers)]
    height = 44
    if len(known) == 0:
        return tag("span", "–", class_="none")
    low, high = min(0.0, float(known.min())), float(known.max())
    spread = high - low or 1.0
    step = width / max(len(numbers) - 1, 1)
    at = [
        (place * step, height - 3 - (value - low) / spread * (height - 6), place)
        for place, value in enumerate(numbers)
        if not np.isnan(value)
    ]
    # Whole where one stretch follows another, dotted over those of which nothing is known.
    inside = [mark * width for mark in marks if 0 < mark < 1]
    shapes = [tag("path", class_="mark", d=f"M{x:.1f} 0V{height}") for x in inside]
    shapes.append(_path("bridge", at, longest=len(numbers)))
    shapes.append(_path("rate", at, longest=1))
    alone = [
        point
        for before, point, after in zip([None, *at[:-1]], at, [*at[1:], None], strict=True)
        if not (before and point[2] - before[2] == 1) and not (after and after[2] - point[2] == 1)
    ]
    shapes += [tag("circle", class_="dot", cx=x, cy=y, r=2) for x, y, _ in alone]
    return svg(joined(*shapes), width, height, name)


def _path(kind: str, at: Sequence[tuple[float, float, int]], *, longest: int) -> Markup:
    """A line through points, but not over more than so many stretches without one."""
    drawn = ""
    for place, (x, y, number) in enumerate(at):
        goes_on = place > 0 and number - at[place - 1][2] <= longest
        drawn += f"{'L' if goes_on else 'M'}{x:.1f} {y:.1f}"
    return tag("path", class_=kind, d=drawn)


def svg(inner: Markup, width: int, height: int, name: str) -> Markup:
    """A picture of shapes.

    :param name: What is drawn, for those who do not see it.
    """
    return tag(
        "svg", inner, role="img", aria_label=name, viewBox=f"0 0 {width} {height}",
        width=width, height=height,
    )  # fmt: skip
