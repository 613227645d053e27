"""What the command line shows: the plan, the report and answers, as tables."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import durable
from .errors import DataWarning, JointRecError, printable
from .evaluation import Report, report_table, slices_table, verdicts, ways_of
from .leaks import Leaks
from .prepare.check import Checked
from .splits import TEST, VALID
from .training import Watch, live_watch

MOST_ROWS = 40
"""How many rows of answers are shown; a file holds them all."""
WIDTH = 200
"""How wide a table may be where there is no terminal to say so."""
MOST_SHOWN = 60
"""How many characters of the examples of a finding are shown; findings.csv holds all of them."""
ENDINGS = (".csv", ".parquet")
NONE_KNOWN = (
    (VALID, "No row with a known label of {} validates: nothing will say when it has learned."),
    (TEST, "No row with a known label of {} tests: the report will not measure it."),
)
"""What it means that a part of the split, by its number, has no known label of some tasks."""


def console() -> Console:
    """Where everything is shown."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH)


def print_checked(checked: Checked) -> None:
    """Shows the plan of a project in numbers, and what was found odd about its data."""
    table = Table(title="The plan")
    for name in ("grain", "sees", "task", "kind", "label"):
        table.add_column(name)
    for name in ("train", "valid", "test", "yes"):
        table.add_column(name, justify="right")
    for name in ("first moment", "last moment"):
        table.add_column(name)
    for grain in checked.grains:
        spans = [f"{when:%Y-%m-%d %H:%M}" if when else "–" for when in (grain.first, grain.last)]
        for n, (name, task) in enumerate(grain.tasks.items()):
            _add(
                table,
                [
                    grain.grain.name if n == 0 else "",
                    ", ".join(grain.grain.sees) if n == 0 else "",
                    name, task.kind, task.label,
                    *[f"{count:,}" for count in task.known],
                    "" if task.positives is None else f"{task.positives:,}",
                    *(spans if n == 0 else ("", "")),
                ],
                last=n == len(grain.tasks) - 1,
            )  # fmt: skip
    show = console()
    show.print(table)
    valid, test = checked.cuts
    if valid is not None and test is not None:
        show.print(
            f"Validation from {valid:%Y-%m-%d %H:%M}, test from {test:%Y-%m-%d %H:%M} (UTC)."
        )
    for part, lack in NONE_KNOWN:
        names = [
            f"`{name}`"
            for grain in checked.grains
            for name, task in grain.tasks.items()
            if not task.known[part]
        ]
        if names:
            _say(show, f"{lack.format(', '.join(names))} Let validation and test begin earlier "
                       "(`split`), or ask within a shorter time.")  # fmt: skip
    total = ", ".join(f"{name} {rows:,}" for name, rows in checked.rows_in.items())
    _say(show, f"Rows read: {total}. Set aside: {sum(checked.quarantined.values()):,}.")
    if checked.findings:
        show.print(_findings_table(checked))


def _findings_table(checked: Checked) -> Table:
    table = Table(title="What was found in the data")
    table.add_column("code")
    table.add_column("where")
    table.add_column("count", justify="right")
    table.add_column("what")
    table.add_column("done")
    table.add_column("for example")
    for finding in sorted(checked.findings, key=lambda found: -found.count):
        where = finding.at if finding.column is None else f"{finding.at}.{finding.column}"
        examples = shorten("; ".join(finding.examples), MOST_SHOWN)
        count = f"{finding.count:,}"
        _add(table, [finding.code, where, count, finding.text, finding.action, examples])
    return table


def shorten(text: str, most: int) -> str:
    """A text that is cut where it is too long, which shows.

    >>> shorten("customer=17908", 10), shorten("short", 10)
    ('customer=…', 'short')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def print_leaks(leaks: Leaks) -> None:
    """Shows ways in which an answer may reach a feature, with what to do, and how much was seen."""
    show = console()
    if leaks.alarms:
        table = Table(title="Possible leaks: look at these before you believe a model")
        for name in ("code", "where", "tasks", "what was seen", "what to do"):
            table.add_column(name)
        for alarm in leaks.alarms:
            where = alarm.at if alarm.column is None else f"{alarm.at}.{alarm.column}"
            cells = [alarm.code, where, ", ".join(alarm.tasks), alarm.evidence, alarm.advice]
            _add(table, cells, last=True)
        show.print(table)
    for fact in leaks.facts:
        _say(show, f"{fact.at}: {fact.evidence}")
    looked = ", ".join(f"{name} {n:,} of {of:,}" for name, (n, of) in leaks.looked_at.items())
    found = f"{len(leaks.alarms)} suspected" if leaks.alarms else "none suspected"
    _say(show, f"Leaks: {found}. Rows looked at: {looked}.")


def print_report(report: Report, out: Path | None = None) -> None:
    """Shows the report as a table, and in one line each how joint does against the others.

    :param out: Where the run wrote what was odd about its data, to be told if anything was.
    """
    show = console()
    show.print(report_table(report))
    for other in (way for way in ways_of(report) if way not in ("joint", "oracle")):
        found = {verdict: names for verdict, names in verdicts(report, other).items() if names}
        if found:
            words = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in found.items())
            _say(show, f"joint against {other}: {words}.")
    slices = slices_table(report)
    if slices is not None:
        show.print(slices)
    findings, aside = report.facts["findings"], sum(report.facts["quarantined"].values())
    if findings and out is not None:
        rows = f"; {aside:,} rows set aside are in {out}/quarantine" if aside else ""
        _say(show, f"Odd about the data: {findings} findings in {out}/findings.csv{rows}.")


@contextmanager
def notes_told() -> Iterator[None]:
    """Tells on the error output, once each, what warnings say of data that were given."""
    told, notes, others = set[str](), Console(stderr=True), warnings.showwarning

    def tell(message: Warning | str, *where: Any) -> None:
        if not isinstance(message, DataWarning):
            others(message, *where)
        elif str(message) not in told:
            told.add(str(message))
            notes.print(Text(printable(f"Note: {message}"), "yellow"), soft_wrap=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = tell  # type: ignore[assignment]
        yield


def print_frame(frame: pl.DataFrame, *, title: str) -> None:
    """Shows answers as a table."""
    table = Table()
    for name, kind in frame.schema.items():
        table.add_column(Text(name), justify="right" if kind.is_numeric() else "left")
    for row in frame.head(MOST_ROWS).iter_rows():
        _add(table, [f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row])
    show = console()
    show.print(Text(title, style="bold"))
    show.print(table)
    if len(frame) > MOST_ROWS:
        show.print(f"{MOST_ROWS} of {len(frame):,} rows. Use --out FILE for all.")


def check_ending(path: Path | None) -> None:
    """Refuses a file that answers cannot be written to.

    :raises JointRecError: saying which can.
    """
    if path is not None and path.suffix not in ENDINGS:
        raise JointRecError(f"--out {path}: write to a .csv or a .parquet file.")


def write_frames(frames: Iterator[pl.DataFrame], path: Path) -> int:
    """Writes answers to a file, by its ending, as they come. How many they are.

    A crash leaves the old file or the new one.
    """
    check_ending(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with durable.new_file(path) as part:
        return (_write_csv if path.suffix == ".csv" else _write_parquet)(frames, part)


def _write_csv(frames: Iterator[pl.DataFrame], path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            frame.write_csv(file, include_header=number == 0)
            count += len(frame)
    return count


def _write_parquet(frames: Iterator[pl.DataFrame], path: Path) -> int:
    count, writer = 0, None
    try:
        for frame in frames:
            table = frame.to_arrow()
            if writer is None:
                writer = pq.ParquetWriter(
                    path, table.schema, compression="zstd", write_page_checksum=True
                )
            writer.write_table(table.cast(writer.schema))
            count += len(frame)
    finally:
        if writer is not None:
            writer.close()
    return count


@contextmanager
def terminal_watch(out: Path) -> Iterator[Watch]:
    """A watch that shows live progress in a terminal, plain lines elsewhere, and keeps a log."""
    with live_watch(out / "log.jsonl") as watch:
        yield watch


def _add(table: Table, cells: list[str], *, last: bool = False) -> None:
    """Adds a row as it stands: a name such as ``[red]`` is no colour."""
    table.add_row(*map(Text, cells), end_section=last)


def _say(show: Console, text: str) -> None:
    show.print(Text(text), highlight=True)
