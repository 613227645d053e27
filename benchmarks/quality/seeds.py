"""Fits a project with several seeds and writes one table of all of them: wins and losses alike.

    python benchmarks/quality/seeds.py examples/hillstrom/shop.toml --root DATA/hillstrom \
        --out runs/hillstrom --seeds 0 1 2 --page docs/examples/hillstrom.md

Seed n goes to ``OUT/seed-n``; one that is there already is read and not fitted again. A figure is
the mean of the seeds; what stands in brackets is the mean of the lower ends of their 95 % intervals
and the mean of the upper ones. A gain is how much better joint is, on the same resampled test rows:
▲ or ▼ where that interval leaves 0 out, and = where it does not.

The table goes between ``<!-- table: NAME -->`` and ``<!-- /table -->`` of the page, NAME being the
name of the page's file.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from picture import SPELLED, fill, signed

import jointrec as jr
from jointrec.durable import write_file
from jointrec.evaluation import Report, TaskReport, spell
from jointrec.functional.intervals import Interval

NAMES = {
    **SPELLED, "ets": "ETS", "rfm": "RFM", "bg_nbd": "BG/NBD", "logistic": "logistic regression",
    "seasonal_naive": "seasonal naive", "item_knn": "ItemKNN",
}  # fmt: skip
SHOWN = {
    "Binary": ("auc", "log_loss", "pcoc", "order_violations"),
    "Amount": ("gini", "spearman", "wape", "mae", "bias", "coverage_80", "coverage_95"),
    "Count": ("poisson_deviance", "wape", "bias", "order_violations", "coverage_80", "coverage_95"),
    "Quantiles": ("pinball", "over_coverage", "middle_wape"),
    "Retrieval": ("ndcg@10", "recall@10", "mrr"),
}
"""The metrics of each kind of task that are written down."""


def fitted(file: Path, root: Path, out: Path, seed: int, *, alone: bool) -> Report:
    """The report of one seed."""
    place = out / f"seed-{seed}"
    if not (place / "report.json").exists():
        project = jr.read(file)
        project = replace(project, budget=replace(project.budget, seed=seed))
        compare = jr.Compare(alone=alone)
        return jr.fit(project, root=root, out=place, compare=compare).report
    return Report.from_json((place / "report.json").read_text(encoding="utf-8"))


def mean(found: Sequence[Interval]) -> Interval:
    """The mean of several intervals, end by end."""
    ends = zip(*((one.value, one.low, one.high) for one in found), strict=True)
    return Interval(*(sum(end) / len(found) for end in ends))


def verdict(gain: Interval) -> str:
    """▲, = or ▼."""
    if math.isnan(gain.low):
        return "?"
    return "▲" if gain.low > 0 else "▼" if gain.high < 0 else "="


def table(reports: Sequence[Report]) -> str:
    """A line for each task, metric and way, as Markdown."""
    lines = [
        "| task | metric | way | mean of the seeds | joint is better by |",
        "| --- | --- | --- | --: | --: |",
    ]
    counted: dict[str, list[str]] = {}
    for name, first in reports[0].tasks.items():
        tasks = [report.tasks[name] for report in reports]
        for metric in SHOWN.get(first.kind, (first.metric,)):
            for way in first.systems:
                if metric not in first.systems[way]:
                    continue
                value = mean([task.systems[way][metric] for task in tasks])
                gain = _gain(tasks, way, metric)
                if gain is not None and metric == first.metric:
                    counted.setdefault(way, []).append(verdict(gain))
                deciding = f"**{metric}**" if metric == first.metric else metric
                cells = [f"`{name}`", deciding, NAMES.get(way, way), spell(value), _told(gain)]
                lines.append(f"| {' | '.join(cells)} |")
        for way, found in first.shown.items():
            for metric in found:
                average = sum(task.shown[way][metric] for task in tasks) / len(tasks)
                lines.append(f"| `{name}` | {metric} | {NAMES.get(way, way)} | {average:.3f} |  |")
    rows = ", ".join(f"`{name}` {task.rows:,}" for name, task in reports[0].tasks.items())
    facts = reports[0].facts
    against = "; ".join(
        f"{NAMES.get(way, way)}: {found.count('▲')} ▲, {found.count('=')} =, {found.count('▼')} ▼"
        for way, found in counted.items()
    )
    return "\n".join(lines) + (
        "\n\n**Bold** is the metric that decides for the task. In brackets: 95 % intervals. "
        "▲ joint is better, = level, ▼ worse.\n\n"
        f"By the metric that decides, against {against}.\n\n"
        f"Test rows: {rows}. Seeds: {', '.join(str(one.facts['seed']) for one in reports)}. "
        f"JointRec {facts['jointrec']}, torch {facts['torch']}, Python {facts['python']}, "
        f"{facts['threads']} thread{'s' if facts['threads'] != 1 else ''}."
    )


def _gain(tasks: Sequence[TaskReport], way: str, metric: str) -> Interval | None:
    found = [task.gains_by.get(way, {}).get(metric) for task in tasks]
    known = [one for one in found if one is not None]
    return mean(known) if len(known) == len(tasks) else None


def _told(gain: Interval | None) -> str:
    if gain is None or math.isnan(gain.value):
        return ""
    return f"{verdict(gain)} {signed(gain.value)} ({signed(gain.low)} to {signed(gain.high)})"


def main() -> int:
    """Runs the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, help="a shop.toml")
    parser.add_argument("--root", type=Path, required=True, help="the folder of the tables")
    parser.add_argument("--out", type=Path, required=True, help="where the runs are written")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--page", type=Path, help="the Markdown page whose table is written")
    parser.add_argument("--alone", action="store_true", help="train every task alone as well")
    given = parser.parse_args()
    reports = [
        fitted(given.file, given.root, given.out, seed, alone=given.alone) for seed in given.seeds
    ]
    written = table(reports)
    sys.stdout.write(written + "\n")
    if given.page is not None:
        page = given.page.read_text(encoding="utf-8")
        filled = fill(page, given.page.stem, written, at=str(given.page))
        write_file(given.page, filled.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
