"""Measures relevance of search results on new queries, seed by seed, beside other ways.

    python benchmarks/quality/relevance.py DATA/home_depot [--page docs/examples/home_depot.md]

Trains ``examples/home_depot/shop.toml`` with several seeds, and answers the test rows with the
baselines as well, each with the same seeds. A metric is its mean over seeds; its interval draws the
queries again. NDCG@10 has the gain 2^grade − 1 of the grades that people gave, 1 to 3: a report
knows levels, not numbers, and gives them gains of 0 to 15. With ``--seen`` the split is by item
instead: queries are known, items are new. With ``--valid`` the validation rows are measured, by
which everything in the project was chosen.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import jointrec as jr
from jointrec.durable import write_file
from jointrec.evaluation.baselines import BM25, LightGBM, Question, TfidfLightGBM
from jointrec.evaluation.evaluate import question_of
from jointrec.evaluation.said import said_of
from jointrec.functional.intervals import Drawn, drawn
from jointrec.functional.metrics import ndcg_within, rmse, spearman
from jointrec.plan import plan
from jointrec.prepare import Prepared, obtain
from jointrec.training import train

PROJECT = Path(__file__).parents[2] / "examples" / "home_depot" / "shop.toml"
TASK, GRAIN = "relevance", "judgement"
METRICS = {"NDCG@10 ↑": ndcg_within, "Spearman ↑": spearman, "RMSE ↓": rmse}
LISTS = ("NDCG@10 ↑",)
JOINT = "JointRec"
BASELINES = {
    "LightGBM, all features": LightGBM(),
    "TF-IDF cosines + LightGBM": TfidfLightGBM(),
    "BM25": BM25(),
}


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reader.add_argument("data", type=Path, help="the folder of judgements.parquet")
    reader.add_argument("--seeds", type=int, default=3)
    reader.add_argument("--rounds", type=int, default=400)
    reader.add_argument("--page", type=Path, help="write the table between its marks in this page")
    reader.add_argument("--seen", action="store_true", help="known queries, new items")
    reader.add_argument("--valid", action="store_true", help="measure the validation rows")
    reader.add_argument("--no-matching", action="store_true", help="without comparing texts")
    told = reader.parse_args()
    project = jr.read(PROJECT)
    if told.seen:
        judged = replace(project.event[GRAIN], entities=("item", "query"))
        project = replace(project, event={GRAIN: judged})
    project = replace(project, matching=not told.no_matching)
    prepared = obtain(project, plan(project), told.data)
    values = np.array(prepared.reader.preparation.tasks[TASK]["values"])
    found: dict[str, list[dict[str, Drawn]]] = {}
    for seed in range(told.seeds):
        seeded = replace(project, budget=replace(project.budget, seed=seed))
        for way, one in measured(
            seeded, prepared.prepared, values, seed, told.rounds, valid=told.valid
        ):
            found.setdefault(way, []).append(one)
            shown = ", ".join(f"{name} {drawn.value:.4f}" for name, drawn in one.items())
            sys.stderr.write(f"seed {seed}: {way}: {shown}\n")
    table = "\n".join(table_of({way: mean_of(ones) for way, ones in found.items()}))
    sys.stdout.write(table + "\n")
    if told.page:
        mark = "seen" if told.seen else "relevance"
        text = told.page.read_text(encoding="utf-8")
        marks = rf"(<!-- table: {mark} -->\n).*?(\n<!-- /table -->)"
        written = re.sub(marks, lambda m: f"{m[1]}\n{table}\n{m[2]}", text, flags=re.DOTALL)
        write_file(told.page, written.encode())


def measured(
    project: jr.Project,
    prepared: Prepared,
    values: np.ndarray[Any, np.dtype[np.float64]],
    seed: int,
    rounds: int,
    *,
    valid: bool,
) -> Any:
    """Each way of answering with its metrics, all on the same draws of queries."""
    asked = prepared.asked[GRAIN]
    question = question_of(project, prepared, asked, TASK)
    if valid:
        question = replace(question, test=question.valid)
    network = train(project, plan(project), prepared).networks[TASK]
    answers = {JOINT: lambda: said_of(network, question).answers}
    for name, baseline in BASELINES.items():
        if baseline.applies(question):
            answers[name] = partial(baseline.answer, question, seed=seed)
    for way, answer in answers.items():
        yield way, metrics_of(question, answer() @ values, values, rounds)


def metrics_of(
    question: Question,
    grades: np.ndarray[Any, np.dtype[np.float64]],
    values: np.ndarray[Any, np.dtype[np.float64]],
    rounds: int,
) -> dict[str, Drawn]:
    """The metrics of expected grades."""
    asked, rows = question.asked, question.test
    labels = values[question.labels[rows].astype(np.int64)]
    queries = asked.moments["query"].things[asked.at["query"][rows]]
    said = partial(drawn, labels=labels, answers=grades, clusters=queries, rounds=rounds)
    lists = {name: measure for name, measure in METRICS.items() if name in LISTS}
    others = {name: measure for name, measure in METRICS.items() if name not in LISTS}
    both = {**said(lists, groups=queries), **said(others)}
    return {name: both[name] for name in METRICS}


def mean_of(ones: list[dict[str, Drawn]]) -> dict[str, Drawn]:
    """The mean over seeds: of the metric, and in each round."""
    return {
        name: Drawn(
            float(np.mean([one[name].value for one in ones])),
            np.mean([one[name].rounds for one in ones], axis=0),
        )
        for name in METRICS
    }


def table_of(found: dict[str, dict[str, Drawn]]) -> list[str]:
    """A line for each way: every metric, and how much better JointRec is."""
    lines = ["| way | " + " | ".join(f"{name} | JointRec is better by" for name in METRICS) + " |"]
    lines.append("|---|" + "--:|--:|" * len(METRICS))
    for way, metrics in found.items():
        cells = []
        for name, one in metrics.items():
            own = one.interval()
            cells.append(f"{own.value:.4f} ({own.low:.4f}–{own.high:.4f})")
            if way == JOINT:
                cells.append("")
                continue
            joint = found[JOINT][name]
            gain = (one - joint if "↓" in name else joint - one).interval()
            sign = "▲" if gain.low > 0 else "▼" if gain.high < 0 else "="
            cells.append(f"{sign} {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})")
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
