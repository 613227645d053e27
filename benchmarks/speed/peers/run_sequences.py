"""JointRec on the sequence workload: `fit` with the attention that the house has."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import declared
import torch
from job import peak_mib
from run_jointrec import Timed
from sequences import HEADS, LAST, SEQUENCE_BATCH, TOP

import jointrec as jr
from jointrec import features as f
from jointrec import fusion, history, sharing
from jointrec import tasks as t
from jointrec.training import Interrupted


def project(precision: str) -> jr.Project:
    """The project: no counters, so that what is read is what the peer reads, and a clock."""
    return jr.Project(
        entity={
            "user": jr.Entity("users.parquet", key="user", id_floor=1),
            "item": jr.Entity(
                "items.parquet", key="item", features={"kind": f.Category(floor=1)}, id_floor=1
            ),
        },
        event={
            "shown": jr.Event(
                "shown.parquet", entities=("user", "item"), time="shown_at", list="request"
            )
        },
        tasks={"click": t.Binary("shown.clicked"), "buy": t.Binary("shown.bought")},
        counters=(),
        history=history.Attention(last=LAST, heads=HEADS),
        fusion=fusion.Concat(),
        sharing=sharing.SharedBottom(widths=TOP, dropout=0.0),
        split=jr.ByTime(test_days=4, valid_days=2),
        **declared.precise({"epochs": 1, "rows": SEQUENCE_BATCH}, precision),
    )


def main() -> None:
    """The command. One line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--warm", type=int, default=4)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--precision", default="")
    given = parser.parse_args()
    watch = Timed(given.warm, given.steps)
    told = {"versions": {"jointrec": jr.__version__, "torch": torch.__version__}}
    none = jr.Compare(alone=False, baselines=(), rounds=1)
    try:
        model = jr.fit(project(given.precision), root=given.data, compare=none, watch=watch)
        found = {
            name: task.systems["joint"]["auc"].value for name, task in model.report.tasks.items()
        }
        told |= {"auc": found}
    except Interrupted:
        pass
    print("\n" + json.dumps({**told, "train": watch.trained, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
