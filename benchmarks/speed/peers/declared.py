"""The workload as JointRec declares it: the same columns, model, batch and rate as its peers.

Rows are an event whose only key names the row itself, so there is nobody with a past: no history,
no counters, no clock. What remains is twenty columns of ids and ten of numbers.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import polars as pl
from job import BATCH, EXPERTS, RATE, WIDTH, WIDTHS
from workload import AMOUNT, BINARY, CATEGORIES, NUMERICS, TASKS

import jointrec as jr
from jointrec import features as f
from jointrec import fusion, optimizers, sharing
from jointrec import tasks as t

TABLE_RATE = optimizers.RowwiseAdagrad().lr

FEW = (0.02, 0.005)
"""Shares of the rows that choose and judge: those held out judge here, by `predict`."""


def learned(folder: Path) -> Path:
    """The rows to learn from and those held out, each a file beside the whole table."""
    train, held = folder / "train.parquet", folder / "held.parquet"
    if not held.exists():
        import json

        count = json.loads((folder / "about.json").read_text())["held"]
        rows = pl.read_parquet(folder / "rows.parquet").drop("shown_at").with_row_index("row")
        rows.head(-count).write_parquet(train)
        rows.head(-count).select("row").write_parquet(folder / "names.parquet")
        rows.tail(count).drop(TASKS).write_parquet(held)
    return folder


def project(
    *,
    dense: bool = False,
    precision: str = "",
    epochs: int = 1,
    rate: float = RATE,
    table_rate: float = TABLE_RATE,
    questions: int = 0,
    batch: int = BATCH,
    **changes: Any,
) -> jr.Project:
    """The project.

    :param dense: The small model instead: one layer of 128 and three yes-or-no labels.
    :param precision: Of the products, where the project can say so: as it comes if empty.
    :param questions: So many yes-or-no tasks instead, over the same three columns.
    """
    features: dict[str, f.Feature] = {name: f.Category(floor=1) for name in CATEGORIES}
    features |= {name: f.Number() for name in NUMERICS}
    tasks: dict[str, t.Task] = {name: t.Binary(f"shown.{name}") for name in BINARY}
    if questions:
        asked = {f"ask{n}": BINARY[n % len(BINARY)] for n in range(questions)}
        tasks = {name: t.Binary(f"shown.{column}") for name, column in asked.items()}
    elif not dense:
        tasks[AMOUNT] = t.Amount(f"shown.{AMOUNT}")
    small = sharing.SharedBottom(widths=(128,), dropout=0.0)
    full = sharing.MMoE(widths=WIDTHS, dropout=0.0, experts=EXPERTS)
    return jr.Project(
        entity={"row": jr.Entity("names.parquet", key="row", id_floor=0)},
        event={"shown": jr.Event("train.parquet", entities=("row",), features=features)},
        tasks=tasks,
        counters=(),
        fusion=fusion.Concat(),
        sharing=small if dense else full,
        split=jr.ByTime(shares=FEW),
        optimizer=optimizers.AdamW(lr=rate, weight_decay=0.0),
        table=jr.Table(width=WIDTH, update=optimizers.RowwiseAdagrad(lr=table_rate)),
        **precise({"epochs": epochs, "rows": batch}, precision),
        **changes,
    )


def precise(budget: dict[str, Any], precision: str) -> dict[str, Any]:
    """The budget, and the precision of the products where a project has a field for it.

    A version without such a field multiplies as it does.
    """
    for part in (jr.Project, jr.Budget):
        if precision and "precision" in {field.name for field in fields(part)}:
            if part is jr.Budget:
                return {"budget": jr.Budget(**budget, precision=precision)}
            return {"budget": jr.Budget(**budget), "precision": precision}
    return {"budget": jr.Budget(**budget)}
