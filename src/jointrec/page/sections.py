"""The sections of the page, each from what was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jointrec.findings import CODES
from jointrec.leaks import Leaks
from jointrec.plan import columns_of, uses
from jointrec.prepare.check import Looked, moment
from jointrec.sources import Finding

from .columns import Column, describe
from .drawing import histogram, sparkline
from .markup import Markup, joined, quoted, tag
from .parts import parts_of
from .rates import rates_of

KINDS = {
    "id": "names", "text": "text", "number": "numbers", "time": "times", "flag": "yes or no",
    "list": "lists",
}  # fmt: skip
LONGEST = 200
"""How many letters of an example are shown."""


@dataclass(frozen=True)
class Table:
    """A table of the project, column by column.

    :param train, test: How many of its rows train, and how many test.
    """

    name: str
    rows_in: int
    aside: int
    train: int
    test: int
    columns: tuple[Column, ...]


def tables_of(looked: Looked) -> list[Table]:
    """Every table of the project, described."""
    project, tables, checked = looked.project, looked.tables, looked.checked
    found: list[Table] = []
    for name, (train, test) in parts_of(project, tables).items():
        frame = tables.columns_of(name)
        roles = _roles(looked, name)
        columns = tuple(
            describe(frame[column], kind, roles[column], train, test)
            for column, kind in columns_of(project, name).items()
            if kind is not None and column in frame.columns
        )
        found.append(
            Table(
                name, checked.rows_in[name], checked.quarantined.get(name, 0),
                int(train.sum()), int(test.sum()), columns,
            )
        )  # fmt: skip
    return found


def _roles(looked: Looked, name: str) -> dict[str, str]:
    """What the project makes of each column, in a word."""
    roles: dict[str, str] = {}
    for use in uses(looked.project, name):
        last = use.at.split(".")[2]
        role = "feature" if last == "features" else "key" if last == "entities" else last
        roles.setdefault(use.column, role)
    return roles


def summary_section(looked: Looked, tables: Sequence[Table]) -> Markup:
    """The whole in six numbers."""
    drifting = sum(
        column.drift is not None and column.drift.flagged
        for table in tables
        for column in table.columns
    )
    checked = looked.checked
    numbers = [
        (sum(checked.rows_in.values()), "rows read"),
        (sum(checked.quarantined.values()), "rows set aside"),
        (len(checked.findings), "findings"),
        (sum(len(table.columns) for table in tables), "columns"),
        (drifting, "columns that drift"),
        (len(looked.project.tasks), "tasks"),
    ]
    tiles = [tag("div", tag("b", f"{number:,}"), f" {what}") for number, what in numbers]
    first, until = looked.tables.first, looked.tables.until
    span = ""
    if first is not None and until is not None:
        span = f"From {moment(first):%Y-%m-%d %H:%M} to {moment(until - 1):%Y-%m-%d %H:%M} (UTC). "
    return joined(tag("p", span + _cuts(looked)), tag("div", *tiles, class_="tiles"))


def _cuts(looked: Looked) -> str:
    valid, test = looked.checked.cuts
    if valid is None or test is None:
        return "Time plays no part in the split."
    return f"Validation from {valid:%Y-%m-%d %H:%M}, test from {test:%Y-%m-%d %H:%M}."


def plan_section(looked: Looked) -> Markup:
    """Which rows are asked, what the answers may see, and what there is to learn."""
    rows: list[list[str]] = []
    for grain in looked.checked.grains:
        for name, task in grain.tasks.items():
            known = [f"{count:,}" for count in task.known]
            positives = "" if task.positives is None else f"{task.positives:,}"
            asked = [grain.grain.name, ", ".join(grain.grain.sees)]
            rows.append([*asked, name, task.kind, task.label, *known, positives])
    heads = ["grain", "sees", "task", "kind", "label", "train", "valid", "test", "yes"]
    return _table(heads, rows, numbers=range(5, 9))


def findings_section(looked: Looked) -> Markup:
    """What was found odd, what was done, and where it is explained."""
    found = sorted(looked.checked.findings, key=lambda finding: -finding.count)
    if not found:
        return tag("p", "Nothing. Every row is used as it stands.")
    rows = [[_link(finding.code), *_told(finding)] for finding in found]
    return _table(["code", "where", "count", "done", "what"], rows, numbers=(2,))


def _told(finding: Finding) -> list[str]:
    where = finding.at if finding.column is None else f"{finding.at}.{finding.column}"
    examples = [tag("li", tag("code", _short(example))) for example in finding.examples]
    what = quoted(finding.text)
    what = joined(what, tag("ul", *examples)) if examples else what
    done = tag("span", finding.action, class_=f"done {finding.action.split()[-1]}")
    return [where, f"{finding.count:,}", done, what]


def _link(code: str) -> Markup:
    known = tag("code", code)
    return tag("a", known, href=f"#code-{code}") if code in CODES else known


def leaks_section(leaks: Leaks) -> Markup:
    """Ways in which an answer may reach a feature, and what to do about each."""
    facts = [tag("p", quoted(fact.text)) for fact in leaks.facts]
    if not leaks.alarms:
        return joined(tag("p", "None suspected."), *facts)
    rows = [
        [
            tag("code", alarm.code),
            alarm.at if alarm.column is None else f"{alarm.at}.{alarm.column}",
            ", ".join(alarm.tasks),
            quoted(alarm.evidence),
            quoted(alarm.advice),
        ]
        for alarm in leaks.alarms
    ]
    return joined(
        _table(["code", "where", "tasks", "what was measured", "what to do"], rows), *facts
    )


def rates_section(looked: Looked) -> Markup:
    """The mean label of each task over time."""
    rows: list[list[str]] = []
    for rate in rates_of(looked.project, looked.answers):
        cuts = looked.tables.cuts
        marks = [rate.mark(cuts.valid), rate.mark(cuts.test)]
        known = [value for value in rate.values if value == value]
        span = f"{min(known):,.3g} to {max(known):,.3g}" if known else "–"
        drawn = sparkline(rate.values, marks, name=f"{rate.task}: {rate.what}, {span}")
        rows.append([rate.task, drawn, span, rate.what])
    if not rows:
        return tag("p", "No task is asked at moments.")
    note = "The marks are where validation and test begin. A line that jumps is worth a look."
    return joined(tag("p", note), _table(["task", "over time", "from, to", "what"], rows))


def columns_section(table: Table) -> Markup:
    """Every column of a table in a row, with its histogram and its drift."""
    rows = [
        [
            tag("b", column.name), column.role, KINDS.get(column.kind, column.kind),
            f"{column.missing:.1%}" if column.missing else "0", f"{column.distinct:,}",
            tag("span", _short(column.usual), class_="usual"),
            histogram(column.train, column.test, column.bars, name=f"{column.name}: histogram"),
            _drift(column),
        ]
        for column in table.columns
    ]  # fmt: skip
    told = (
        f"{table.rows_in:,} rows read, {table.aside:,} set aside; {table.train:,} train, "
        f"{table.test:,} test. "
    )
    legend = joined(
        told, tag("span", "bars", class_="key-bar"), " train, ",
        tag("span", "line", class_="key-line"), " test.",
    )  # fmt: skip
    heads = ["column", "role", "read as", "missing", "distinct", "usual", "spread", "drift"]
    return joined(tag("p", legend), _table(heads, rows, numbers=(3, 4)))


def _drift(column: Column) -> Markup:
    if column.drift is None:
        return tag("span", "–", class_="none")
    text = f"{column.drift.measure} {column.drift.size:.2f}"
    return (
        tag("span", f"▲ {text}", class_="flag")
        if column.drift.flagged
        else tag("span", text, class_="drift")
    )


def codes_section(looked: Looked) -> Markup:
    """What each code that was found means, and what may be done about it."""
    found = dict.fromkeys(finding.code for finding in looked.checked.findings)
    entries: list[Markup] = []
    for name in [code for code in CODES if code in found]:
        code = CODES[name]
        may = ""
        if len(code.actions) > 1:
            may = tag(
                "p", "In the file: ", tag("code", f'cleaning = {{ {name} = "{code.actions[1]}" }}'),
                f". It may be {', '.join(code.actions)}; unless told it is {code.default}.",
            )  # fmt: skip
        entries += [
            tag("dt", tag("code", name), id=f"code-{name}"),
            tag("dd", tag("p", quoted(f"{code.meaning} {code.advice}")), may),
        ]
    return tag("dl", *entries) if entries else tag("p", "No code was found.")


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()
) -> Markup:
    right = set(numbers)

    def cell(kind: str, place: int, inner: str) -> Markup:
        return tag(kind, inner, class_="number") if place in right else tag(kind, inner)

    head = tag("tr", *[cell("th", place, text) for place, text in enumerate(heads)])
    body = [tag("tr", *[cell("td", n, inner) for n, inner in enumerate(row)]) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="wide")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


__all__ = [
    "codes_section", "columns_section", "findings_section", "plan_section", "rates_section",
    "summary_section", "tables_of",
]  # fmt: skip
