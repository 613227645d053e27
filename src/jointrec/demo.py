"""The main job in one command, on a simulated shop whose truth is known."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Int64

from .evaluation import Answers, Oracle
from .labels import Later
from .model import Compare, Model, fit
from .plan import plan
from .prepare import Asked
from .prepare.check import check
from .project import Project, parse
from .simulate import Shop
from .terminal import console, print_checked, print_frame, print_report, terminal_watch

ROUNDS = 100


def run(out: Path, *, seed: int = 7, shop: Shop | None = None, epochs: int | None = None) -> Model:
    """Simulates a shop, checks it, trains one model on all its tasks, compares, and asks it.

    :param out: Where the tables, the model, ``report.json`` and the log are written.
    :param seed: Which of the shops it is.
    :param shop: Another shop.
    :param epochs: Other epochs than the project's.
    """
    show = console()
    begun = time.perf_counter()
    shop = shop or Shop(users=900, items=300, seed=seed)
    tables = shop.tables()
    folder = shop.write(out / "shop")
    sizes = ", ".join(f"{name} {len(table):,}" for name, table in tables.items())
    show.rule("1. A simulated shop")
    show.print(f"Wrote {folder}: {sizes}.")
    text = (resources.files("jointrec.simulate") / "shop.toml").read_text(encoding="utf-8")
    (out / "shop.toml").write_text(text, encoding="utf-8")
    project = parse(text, at=str(out / "shop.toml"))
    if epochs is not None:
        project = replace(project, budget=replace(project.budget, epochs=epochs))
    show.rule("2. The plan")
    print_checked(check(project, folder))
    show.rule("3. One model on all tasks, each task alone, LightGBM, and the truth")
    with terminal_watch(out) as watch:
        compare = Compare(oracles=oracles(project, shop, tables), rounds=ROUNDS)
        model = fit(project, root=folder, out=out, compare=compare, watch=watch)
    print_report(model.report)
    show.print(
        "oracle is the best that anyone could do: it knows every probability of the simulation."
    )
    show.rule("4. Answers")
    _ask(model)
    show.rule()
    show.print(
        f"Done in {time.perf_counter() - begun:.0f} s. "
        f"The report is {out}/report.json. Go on with:\n"
        f"  jointrec predict {out} churn --out churn.csv\n"
        f"  jointrec recommend {out} --key user={_somebody(model)} --rank-by buy=1\n"
        "  jointrec init YOUR_FOLDER"
    )
    return model


def oracles(project: Project, shop: Shop, tables: dict[str, pl.DataFrame]) -> dict[str, Oracle]:
    """For each task the simulation's own probabilities, in the form in which tasks answer."""
    planned = plan(project)
    return {
        task: _oracle(planned.grain_of(task).asking, task, shop, tables) for task in project.tasks
    }


TABLES = {"impression": "impressions", "judgement": "judgements", "query": "queries",
          "user": "users", "item": "items", "purchase": "purchases"}  # fmt: skip


def _oracle(asking: str, task: str, shop: Shop, tables: dict[str, pl.DataFrame]) -> Oracle:
    def answer(asked: Asked, rows: Int64[np.ndarray, "rows"]) -> Answers:
        frame = tables[TABLES[asked.grain.table]][asked.source[rows]]
        if asked.times is not None and asking != "row":
            moments = pl.Series("moment", asked.times[rows]).cast(pl.Datetime("us"))
            frame = frame.with_columns(moments)
        return np.asarray(shop.oracle(task, frame), dtype=np.float64)

    return answer


def _somebody(model: Model) -> str:
    """Somebody with a past: who has bought most lately."""
    bought = model.reader.tables.events["purchase"].tail(1000)
    code = int(bought["@user"].mode().sort()[0])
    return str(model.reader.tables.entities["user"]["@key"][code - 1])


def _active(model: Model, task: str) -> list[str]:
    """Who may be asked about now: those with an event as lately as the task wants."""
    tables, grain = model.reader.tables, model.plan.grain_of(task)
    since = (tables.until or 0) - (grain.active or 0)
    codes = [
        frame.filter(pl.col("@time") >= since)[f"@{grain.table}"]
        for frame in tables.events.values()
        if {"@time", f"@{grain.table}"} <= set(frame.columns)
    ]
    active = pl.concat(codes).unique().sort()
    keys = tables.entities[grain.table]["@key"]
    return keys.gather(active.filter(active > 0) - 1).to_list()


def _ask(model: Model) -> None:
    somebody = _somebody(model)
    items = model.reader.tables.entities["item"].select(
        pl.col("@key").alias("item"), "title", "price"
    )
    words = str(model.reader.tables.entities["query"]["words"][0])

    def show(answers: pl.DataFrame, title: str) -> None:
        if "item" in answers.columns:
            answers = answers.join(items, on="item", how="left", maintain_order="left")
        print_frame(answers, title=title)

    found = model.recommend(user=somebody, query=words, k=5, rank_by={"buy": 1.0})
    show(found, f"Search “{words}” for {somebody}, by chance to buy")
    show(
        model.recommend(user=somebody, k=5, rank_by={"next_item": 1.0}),
        f"Recommended to {somebody}",
    )
    churn = model.project.tasks["churn"].label
    within = churn.within if isinstance(churn, Later) else None
    show(
        model.recommend(k=5, rank_by={"churn": 1.0}, candidates=_active(model, "churn")),
        f"Still active, and most likely not to buy within {within}",
    )
    show(
        model.recommend(k=5, rank_by={"sales": 1.0}), "Next week's best sellers (expected quantity)"
    )
