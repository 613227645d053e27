"""How near the oracle on a simulated shop, and how near is reachable, task by task.

    python benchmarks/quality/reachable.py --users 12000 --items 1200 --out runs/reachable
        [--page docs/examples/demo.md] [--learner-only]

The oracle of a simulated shop knows what nobody learns from finite data: each user's tastes to the
last digit, who has left for good, the quality of each item. The *learner* knows only how the shop
works (every formula, the needs behind the queries, seasons, promotions, stock, what people of an
age and a country have in common, how all else is spread) and sees who came, what was shown and what
was done, up to the start of the week in question (of visits: up to the moment). Of all that is a
person's own, and of quality, it has the posterior:

*   of tastes and quality a normal one of independent numbers (Kingma and Welling, 2014,
    https://arxiv.org/abs/1312.6114, without a network), by the likelihood of every search, click,
    mark, cart, purchase, piece and return;
*   of how often somebody comes and of leaving for good one on a grid, as in Pareto/NBD (Schmittlein
    et al., 1987, https://doi.org/10.1287/mnsc.33.1.1).

Its answer is the mean of the oracle's answers over worlds drawn from that posterior. A model has to
find the rules as well, so the learner stands for what is reachable: independence costs it a little,
knowing the rules gives it much. It does not learn *relevance* and *intent*: there it knows what is
asked for, and not how much an item is off by itself.

A share of the lift is (value − base) / (oracle − base); the base is .5 for AUC, 0 for Gini and
NDCG, and what the best constant answer comes to for losses. What oracle and learner answer is kept
in ``--out`` and found there again.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from posterior import DRAWS, Habits, Posterior, Seen, rows_of

from jointrec.demo import oracles
from jointrec.durable import write_file
from jointrec.evaluation.baselines import Question
from jointrec.evaluation.evaluate import question_of, task_report
from jointrec.evaluation.said import as_measured, said_of
from jointrec.optimizers import RowwiseAdagrad
from jointrec.plan import plan
from jointrec.prepare import Cache, Prepared, obtain
from jointrec.project import Project, Table, parse
from jointrec.simulate import Shop
from jointrec.simulate.clock import DAY_US, DAYS_A_WEEK, OPENS_US
from jointrec.simulate.future import Future
from jointrec.simulate.needs import grade_chances
from jointrec.simulate.oracle import ITEM_DAYS, USER_DAYS
from jointrec.simulate.sessions import Outcomes, outcomes_of
from jointrec.simulate.world import World
from jointrec.training import train

STEPS, MORE = 200, 30
"""Of the first posterior, and of each later one, which starts from the one before."""
MOST = 2_000
"""At most so many test rows of a task that is not asked of impressions: worlds are slow to ask."""
BASES = {"auc": 0.5, "gini": 0.0, "ndcg@10": 0.0}


def main() -> None:
    """Trains, asks all, and prints the table."""
    told = _reader().parse_args()
    folder = told.out / "shop"
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(told.users, told.items, told.days, told.seed)
    tables = shop.tables()
    shop.write(folder)
    text = (resources.files("jointrec.simulate") / "shop.toml").read_text(encoding="utf-8")
    project = parse(text, at="shop.toml")
    ready = obtain(project, plan(project), folder, cache=Cache(told.out / "cache"))
    arrays, tested = ready.prepared, ready.tables.cuts.test
    assert tested is not None
    learner = Learner(shop, (tested - OPENS_US) // DAY_US)
    asked = {
        "oracle": oracles(project, shop, tables),
        "reachable": oracles(project, learner, tables),
    }
    questions = {task: _question(project, arrays, task) for task in project.tasks}
    answered: dict[str, dict[str, np.ndarray]] = {task: {} for task in questions}
    for task, question in questions.items():
        for way, answer in asked.items():
            kept = told.out / f"{way}-{task}.npy"
            if not kept.exists():
                found = answer[task](question.asked, question.test)
                np.save(kept, as_measured(question, question.test, found))
                sys.stderr.write(f"{way}: {task}\n")
            answered[task][way] = np.load(kept)
    if told.learner_only:
        return
    if told.table_rate:
        project = replace(project, table=Table(update=RowwiseAdagrad(lr=told.table_rate)))
    networks = train(project, plan(project), arrays).networks
    rows: list[dict[str, Any]] = []
    for task, question in questions.items():
        said = said_of(networks[task], question).answers
        rows.append(measured(project, question, {"joint": said, **answered[task]}, told.rounds))
    write_file(told.out / "reachable.json", json.dumps(rows, indent=1).encode())
    table = "\n".join(table_of(rows))
    sys.stdout.write(table + "\n")
    if told.page:
        page = told.page.read_text(encoding="utf-8")
        marks = r"(<!-- table: reachable -->\n).*?(\n<!-- /table -->)"
        page = re.sub(marks, lambda m: f"{m[1]}\n{table}\n{m[2]}", page, flags=re.DOTALL)
        write_file(told.page, page.encode())


def _reader() -> argparse.ArgumentParser:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, value in {"users": 12_000, "items": 1_200, "days": 120, "seed": 7}.items():
        reader.add_argument(f"--{name}", type=int, default=value)
    reader.add_argument("--rounds", type=int, default=200)
    reader.add_argument("--out", type=Path, default=Path("runs/reachable"))
    reader.add_argument("--page", type=Path, help="write the table between its marks in this page")
    reader.add_argument("--learner-only", action="store_true", help="train no network")
    reader.add_argument("--table-rate", type=float, help="of the embedding table; by default ours")
    return reader


def _question(project: Project, arrays: Prepared, task: str) -> Question:
    grain = plan(project).grain_of(task)
    question = question_of(project, arrays, arrays.asked[grain.name], task)
    if grain.name == "impression" or len(question.test) <= MOST:
        return question
    some = np.random.default_rng(0).choice(question.test, MOST, replace=False)
    return replace(question, test=np.sort(some))


def measured(
    project: Project, question: Question, answered: Mapping[str, np.ndarray], rounds: int
) -> dict[str, Any]:
    """What a task came to, in one row of the table."""
    report = task_report(project, question, answered, rounds=rounds)
    found = {way: systems[report.metric] for way, systems in report.systems.items()}
    base = BASES.get(report.metric)
    if base is None:
        base = _constant(project, question)
    lift = {
        way: (interval.value - base) / (found["oracle"].value - base)
        for way, interval in found.items()
    }
    labels = question.labels[question.test]
    chances = project.tasks[question.task].form == "chance"
    return {
        "task": question.task,
        "metric": report.metric,
        "better": report.better,
        "rows": report.rows,
        "yes": report.positives,
        "base": base,
        **{way: [one.value, one.low, one.high] for way, one in found.items()},
        "lift": lift,
        "pcoc": float(answered["joint"].mean() / labels.mean()) if chances else None,
    }


def _constant(project: Project, question: Question) -> float:
    """What the best constant answer comes to."""
    task, name = project.tasks[question.task], question.task
    constant = torch.tensor([question.prepared.layout.constants[name]])
    answers = task.answer(constant.expand(len(question.test), -1)).numpy().astype(np.float64)
    measure = next(iter(task.metrics.values())).measure
    return float(measure(question.labels[question.test], answers))


def table_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table as lines of Markdown."""
    names = (
        "task", "metric", "joint", "reachable", "oracle", "joint: share of the oracle's lift",
        "reachable: share of it", "joint of reachable", "predicted over observed",
    )  # fmt: skip
    head = f"| {' | '.join(names)} |"
    lines = [head, "| --- | --- " + "| --: " * 7 + "|"]
    for row in rows:
        arrow = "↑" if row["better"] == "higher" else "↓"
        values = [_number(row[way][0]) for way in ("joint", "reachable", "oracle")]
        joint, reachable = row["lift"]["joint"], row["lift"]["reachable"]
        shares = [
            f"{share:.2f}".removeprefix("0") for share in (joint, reachable, joint / reachable)
        ]
        pcoc = (
            ""
            if row["pcoc"] is None
            else f"{row['pcoc']:.2f}".removeprefix("0") + f" ({row['yes']:,} yes)"
        )
        lines.append(
            " | ".join(
                ["| `" + row["task"] + "`", f"{row['metric']} {arrow}", *values, *shares, pcoc]
            )
            + " |"
        )
    return lines


def _number(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


@dataclass(eq=False)
class Learner:
    """Answers as :meth:`jointrec.simulate.Shop.oracle` does, from what was seen.

    :param shop: The shop.
    :param since: The first shop day of which questions are asked; what was before was seen.
    :param seed: Where worlds are drawn from.
    """

    shop: Shop
    since: int
    seed: int = 0
    _found: dict[bytes, dict[str, np.ndarray]] = field(default_factory=dict)

    @property
    def world(self) -> World:
        """The truth, of which only the rules are read."""
        return self.shop._world

    @cached_property
    def known(self) -> list[Posterior]:
        """What is known of tastes and quality at the start of each week from the first day on."""
        found, posterior = [], Posterior.prior(self.world)
        for day in range(self.since, self.shop.days, DAYS_A_WEEK):
            steps = MORE if found else STEPS
            posterior = posterior.learned(Seen.of(self.shop, day), steps, self.seed)
            found.append(posterior)
        return found

    def oracle(self, task: str, rows: pl.DataFrame) -> np.ndarray:
        """One answer per row."""
        oracle = self.shop._oracle
        if task == "intent":  # which words can be asked for, and how often, is among the rules
            return self.shop.oracle(task, rows)
        if task == "relevance":
            query, item = (oracle.places(rows, f"{of}_id") for of in ("query", "item"))
            return _relevance(self.world, query, item)
        if task in SHOWN:
            return self._shown(task, oracle.impressions(rows))
        moments = oracle.moments(rows, 0)
        if task == "sales":
            return self._sales(oracle.places(rows, "item_id"), moments)
        users = oracle.places(rows, "user_id")
        return (
            self._next(users, moments) if task == "next_item" else self._later(task, users, moments)
        )

    def _weeks(self, days: np.ndarray) -> Iterator[tuple[Posterior, np.ndarray]]:
        """What is known, and which of the days it is known at."""
        week = (days - self.since).astype(int) // DAYS_A_WEEK
        week = np.clip(week, 0, len(self.known) - 1)
        for number in np.unique(week).tolist():
            yield self.known[number], np.flatnonzero(week == number)

    def _shown(self, task: str, rows: np.ndarray) -> np.ndarray:
        course, answers = self.shop._course, np.zeros(len(rows))
        for posterior, some in self._weeks(course.sessions.time[course.shown.session[rows]]):
            shown = rows_of(course.shown, rows[some])
            for world in posterior.worlds(self.world, self.seed):
                found = outcomes_of(world, course.sessions, shown)
                answers[some] += SHOWN[task](found) / DRAWS
        return answers

    def _next(self, users: np.ndarray, moments: np.ndarray) -> np.ndarray:
        answers = np.zeros((len(users), len(self.world.goods)))
        for posterior, some in self._weeks(moments):
            who, at = np.unique(users[some], return_inverse=True)
            for world in posterior.worlds(self.world, self.seed, who):
                answers[some] += Future(world).next_item(at, moments[some]) / DRAWS
        return answers

    def _later(self, task: str, users: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """Churn, spend and orders, which are asked of the same users: found together."""
        key = users.tobytes() + moments.tobytes()
        if key not in self._found:
            self._found[key] = self._all_later(users, moments)
        return self._found[key][task]

    def _all_later(self, users: np.ndarray, moments: np.ndarray) -> dict[str, np.ndarray]:
        """The mean over who has left and who has not."""
        told = {task: np.zeros(len(users)) for task in ("churn", "spend", "orders")}
        for moment in np.unique(moments).tolist():
            some = np.flatnonzero(moments == moment)
            habits = Habits.of(self.shop, users[some], moment)
            (posterior, _), *_ = self._weeks(np.array([moment]))
            for draw, world in enumerate(posterior.worlds(self.world, self.seed, users[some])):
                future = Future(habits.drawn(world, [self.seed, draw]))
                who = np.arange(len(some)), np.full(len(some), moment)
                stays = future.no_purchase(*who, USER_DAYS)
                told["churn"][some] += (1 - habits.there * (1 - stays)) / DRAWS
                for task, brings in (
                    ("spend", future.visits.spend),
                    ("orders", future.visits.purchases),
                ):
                    total = future.total(*who, USER_DAYS, brings)
                    told[task][some] += habits.there * total / DRAWS
        return told

    def _sales(self, items: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """One world is enough: the sum over all users is a mean already."""
        answers, users = np.zeros(len(items)), np.arange(len(self.world.people))
        for moment in np.unique(moments).tolist():
            some = np.flatnonzero(moments == moment)
            (posterior, _), *_ = self._weeks(np.array([moment]))
            world = next(posterior.worlds(self.world, self.seed))
            habits = Habits.of(self.shop, users, moment)
            future = Future(habits.drawn(world, [self.seed, 0], leave=True))
            answers[some] = future.pieces_sold(moment, ITEM_DAYS)[items[some]]
        return answers


SHOWN: Mapping[str, Callable[[Outcomes], np.ndarray]] = {
    **{name: attrgetter(name) for name in ("click", "favourite", "cart", "buy", "returned")},
    "revenue": lambda found: found.buy * (1 + found.extra) * found.price,
}
"""What is asked of an impression."""


def _relevance(world: World, query: np.ndarray, item: np.ndarray) -> np.ndarray:
    """The grades where what is asked for is known, and not how much an item is off by itself."""
    needs, label = world.needs, world.goods.label
    need = needs.queries.need[query]
    same = label.type[item] == needs.type[need]
    category = label.category[item] == needs.category[need]
    brand = (needs.brand[need] < 0) | (needs.brand[need] == label.brand[item])
    colour = (needs.colour[need] < 0) | (needs.colour[need] == label.colour[item])
    middle = category * (0.15 + 0.45 * same + 0.2 * brand + 0.2 * colour)
    places, weights = np.polynomial.hermite_e.hermegauss(15)
    return sum(
        w * grade_chances(middle + 0.05 * x)
        for x, w in zip(places, weights / weights.sum(), strict=True)
    )


if __name__ == "__main__":
    main()
