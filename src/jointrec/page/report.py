"""The report as a page: every task, whether its chances are right, and who is new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jointrec import durable
from jointrec.errors import JointRecError
from jointrec.evaluation import Report, TaskReport, spell, ways_of
from jointrec.functional.intervals import Interval

from .markup import Markup, joined, tag
from .page import anchor, head
from .reliability import reliability_section

SIGNS = {"better": "▲", "level": "=", "worse": "▼"}
BANDS = {"coverage_80": "80 % bands hold", "coverage_95": "95 % bands hold"}
NONE = tag("span", "–", class_="none")
USUAL = ("joint", "alone", "lightgbm", "popularity")
SHOWN = {"coverage@10": "of the catalogue shown", "novelty@10": "novelty, bits"}


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
        "Are chances right?": reliability_section(report),
        "Do bands hold?": _bands(report),
        "What is shown": _shown(report),
        "Who and what is new": _slices(report),
    }
    there = {title: part for title, part in sections.items() if part}
    links = [tag("a", title, href=f"#{anchor(title)}") for title in there]
    body = joined(
        tag("header", tag("h1", name), tag("p", "Test rows only, with 95 % intervals.")),
        tag("nav", *links),
        tag(
            "main",
            *[
                tag("section", tag("h2", title), part, id=anchor(title))
                for title, part in there.items()
            ],
        ),
        tag("footer", "Made by jointrec. It loads nothing and runs nothing."),
    )
    return "<!doctype html>\n" + tag(
        "html", head(f"{name}: the report"), tag("body", body), lang="en"
    )


def _tasks(report: Report) -> Markup:
    ways = ways_of(report)
    usual = [way for way in ways if way in USUAL]
    others = [way for way in ways if way not in (*USUAL, "oracle")]
    last = [way for way in ways if way == "oracle"]
    rows = []
    for name, task in report.tasks.items():
        there = [way for way in others if way in task.systems]
        each = [tag("div", f"{way} ", _way(task, way)) for way in there]
        rows.append(
            [
                joined(tag("b", name), tag("small", f"{task.kind} · {task.grain}")),
                joined(f"{task.rows:,} ", *_yes(task.positives)),
                _metric(task),
                *[_way(task, way) for way in usual],
                *([joined(*each) if each else NONE] if others else []),
                *[_way(task, way) for way in last],
            ]
        )
    told = tag(
        "p",
        "joint is one network for all tasks, alone one for this task. Beside each other way: ",
        *[
            joined(tag("span", sign, class_=verdict), f" joint is {verdict}, ")
            for verdict, sign in SIGNS.items()
        ],
        "by the interval of the difference.",
    )
    heads = ["task", "test rows", "metric", *usual, *(["other ways"] if others else []), *last]
    return joined(told, _table(heads, rows))


def _way(task: TaskReport, way: str) -> Markup:
    found = task.systems.get(way, {}).get(task.metric)
    if found is None:
        return NONE
    verdict = task.verdict(way) if way not in ("joint", "oracle") else ""
    sign = [tag("span", SIGNS[verdict], class_=verdict)] if verdict in SIGNS else []
    return _interval(found, *sign)


def _bands(report: Report) -> Markup:
    rows = [
        [tag("b", name), *[_value(task.systems["joint"].get(metric)) for metric in BANDS]]
        for name, task in report.tasks.items()
        if set(BANDS) <= set(task.systems.get("joint", {}))
    ]
    told = (
        "How often what came lay within the bands of joint: .8 and .95 are right, and more where "
        "counts are small."
    )
    return _told(told, ["task", *BANDS.values()], rows)


def _shown(report: Report) -> Markup:
    rows = [
        [joined(tag("b", name), tag("small", way)), f"{found['coverage@10']:.1%}",
         f"{found['novelty@10']:.1f}"]
        for name, task in report.tasks.items()
        for way, found in task.shown.items()
        if set(SHOWN) <= set(found)
    ]  # fmt: skip
    told = (
        "How much of a catalogue stands in some list of the ten best, and how rarely what stands "
        "there was chosen in training."
    )
    return _told(told, ["task", *SHOWN.values()], rows)


def _slices(report: Report) -> Markup:
    kinds = {
        kind: found.events
        for task in report.tasks.values()
        for slices in task.slices.values()
        for kind, found in slices.items()
    }
    rows = []
    for name, task in report.tasks.items():
        for entity, slices in task.slices.items():
            cells = []
            for kind in kinds:
                if kind not in slices or not slices[kind].rows:
                    cells.append(NONE)
                    continue
                found = slices[kind]
                joint = found.systems.get("joint")
                counted = found.counted
                counted += "" if found.positives is None else f", {found.positives:,} yes"
                cells.append(joined(_value(joint), " ", tag("small", counted)))
            told = f"by {entity} · {_metric(task)}"
            rows.append([joined(tag("b", name), tag("small", told)), *cells])
    told = (
        "joint on test rows, by how many training events name their user, their item …: those of "
        "whom training saw nothing, little, or more."
    )
    return _told(told, ["task", *(f"{kind}: {events}" for kind, events in kinds.items())], rows)


def _told(told: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """A table and what it is about; nothing where it has no rows."""
    return joined(tag("p", told), _table(heads, rows)) if rows else Markup("")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """A table whose rows are told one below the other where the screen is narrow.

    The first column names the row; the others are numbers.
    """
    classes = ["", *["number"] * (len(heads) - 1)]
    first = tag(
        "thead",
        tag("tr", *[tag("th", h, class_=c) for h, c in zip(heads, classes, strict=True)]),
    )
    others = [
        tag(
            "tr",
            *[
                tag("td", cell, class_=c, data_head=h)
                for h, c, cell in zip(heads, classes, cells, strict=True)
            ],
        )
        for cells in rows
    ]
    return tag("div", tag("table", first, tag("tbody", *others), class_="stacked"), class_="wide")


def _value(found: Interval | None) -> Markup:
    return NONE if found is None else _interval(found)


def _interval(found: Interval, *sign: Markup) -> Markup:
    """The value with its sign, and its interval in small."""
    value, _, interval = spell(found).partition(" ")
    if not interval.startswith("("):
        value, interval = spell(found), ""
    told = joined(value, *[joined(" ", one) for one in sign])
    return tag("span", told, *([" ", tag("small", interval)] if interval else []), class_="told")


def _metric(task: TaskReport) -> str:
    return f"{task.metric} {'↑' if task.better == 'higher' else '↓'}"


def _yes(positives: int | None) -> list[Markup]:
    return [] if positives is None else [tag("small", f"{positives:,} yes")]
