"""The report as people read it."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from jointrec.evaluation import Report, TaskReport, report_table, spell, verdicts
from jointrec.functional.intervals import Interval

NAN = math.nan


def task(systems, gains, *, metric="auc", better="higher", positives=1234) -> TaskReport:
    return TaskReport(
        kind="Binary", grain="impression", sees=("user",), label="x.y", rows=12345,
        positives=positives, train_rows=9, metric=metric, better=better,
        systems={way: {metric: interval} for way, interval in systems.items()},
        gains=gains, clusters=3,
    )  # fmt: skip


REPORT = Report(
    {
        "click": task(
            {
                "oracle": Interval(0.9, 0.89, 0.91),
                "mine": Interval(0.5, 0.4, 0.6),
                "alone": Interval(0.7, 0.69, 0.71),
                "joint": Interval(0.75, 0.74, 0.76),
            },
            {
                "alone": Interval(0.05, 0.04, 0.06),
                "oracle": Interval(-0.15, -0.2, -0.1),
                "mine": Interval(0.25, -0.1, 0.5),
            },
        ),
        "[red]": task(
            {"joint": Interval(2.5, 2.25, 3.0), "alone": Interval(1.0, 0.5, 2.0)},
            {"alone": Interval(-1.5, -2.0, -1.0)},
            metric="mae",
            better="lower",
            positives=None,
        ),
    },
    {},
)

GOLDEN = """\
task | grain | test rows | yes | metric | joint | alone | mine | oracle
click | impression | 12,345 | 1,234 | auc ↑ | .750 (.740–.760) | .700 (.690–.710) ▲ \
| .500 (.400–.600) = | .900 (.890–.910)
[red] | impression | 12,345 | | mae ↓ | 2.500 (2.250–3.000) | 1.000 (.500–2.000) ▼ | – | –
"""


def cells(text: str, bar: str = "|") -> list[list[str]]:
    """The cells of the lines that have any."""
    lines = [line.strip(f"{bar} ") for line in text.splitlines() if bar in line]
    return [[cell.strip() for cell in line.split(bar)] for line in lines]


def test_the_table_says_what_the_report_says():
    text = io.StringIO()
    Console(file=text, width=200).print(report_table(REPORT))
    assert cells(text.getvalue().replace("┃", "│"), "│") == cells(GOLDEN)


def test_of_several_others_it_shows_the_best():
    other = Interval(0.6, 0.5, 0.7)
    tasks = dict(REPORT.tasks)
    better, lower = (
        task(
            {"joint": other, "mine": other, "yours": Interval(value, 0.1, 0.9), "odd": unknown},
            {"mine": other, "yours": Interval(-0.2, -0.3, -0.1)},
            better=better,
        )
        for value, better in ((0.8, "higher"), (0.2, "lower"))
        for unknown in (Interval(NAN, NAN, NAN),)
    )
    report = Report({"click": better, "late": lower, "[red]": tasks["[red]"]}, {})
    text = io.StringIO()
    Console(file=text, width=200).print(report_table(report))
    title, *lines = cells(text.getvalue().replace("┃", "│"), "│")
    assert title[5:] == ["joint", "alone", "best of the others"]
    assert [line[-1] for line in lines] == [
        "yours .800 (.100–.900) ▼", "yours .200 (.100–.900) ▼", "–",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.5, 0.25, 0.75), ".500 (.250–.750)"),
        (Interval(-0.5, -0.75, -0.25), "-.500 (-.750 to -.250)"),
        (Interval(0.1, -0.2, 0.3), ".100 (-.200 to .300)"),
        (Interval(-0.0001, -0.0002, 0.0001), ".000 (.000–.000)"),
        (Interval(1.0, 0.5, 10.0), "1.000 (.500–10.0)"),
        (Interval(1234.56, 999.94, 20000.0), "1,234.6 (999.9–20,000.0)"),
        (Interval(-20.25, -30.5, -10.5), "-20.2 (-30.5 to -10.5)"),
        (Interval(0.5, NAN, NAN), ".500"),
        (Interval(NAN, NAN, NAN), "not defined"),
    ],
)
def test_an_interval_reads_as_people_write_it(interval, text):
    assert spell(interval) == text


def test_verdicts_name_the_tasks():
    assert verdicts(REPORT, "alone") == {
        "better": ("click",), "level": (), "worse": ("[red]",), "unknown": (),
    }  # fmt: skip
    assert verdicts(REPORT, "mine")["level"] == ("click",)
    assert all(not tasks for tasks in verdicts(REPORT, "nobody").values())
