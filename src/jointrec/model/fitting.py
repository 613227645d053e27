"""From a project to a measured model: read, prepare, train together, train alone, compare, save."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import torch

from jointrec import __version__, durable
from jointrec.errors import JointRecError
from jointrec.evaluation import Report, Ways, evaluate
from jointrec.leaks import scan_prepared
from jointrec.network import JointNetwork
from jointrec.plan import Plan, plan
from jointrec.prepare import Cache, Tables, obtain, open_handover, times_met
from jointrec.prepare.check import findings_frame, moment, quarantine_frames
from jointrec.project import Project
from jointrec.sources import Finding
from jointrec.training import Interrupted, Trained, Watch, train

from .alone import Alone
from .compare import Compare
from .model import Model


def fit(
    project: Project,
    *,
    root: str | Path | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    compare: Compare | None = None,
    watch: Watch | None = None,
    cache: str | Path | None = None,
    prepared: str | Path | None = None,
    processes: int | None = None,
) -> Model:
    """Trains one network on all tasks of a project and measures it against other ways.

    :param project: What to read, ask and train, as :func:`jointrec.read` gives it.
    :param root: The folder that relative sources are found in. Default: the current one.
    :param out: Where to write: ``model/`` (the bundle), ``report.json``, ``log.jsonl``,
        ``findings.csv``, ``quarantine/`` and, while it runs, ``checkpoints/``. Default: nowhere.
    :param resume: Go on from the checkpoints in ``out``. It ends with the same bits.
    :param compare: What to compare with. Default: alone, and the baselines that take seconds.
    :param watch: Told how it goes. Default: nobody.
    :param cache: A folder in which what is prepared is kept, and found by the next fit of the same
        tables. Default: none. It holds what the tables hold; whoever reads it reads them.
    :param prepared: A folder that ``jointrec prepare`` wrote, to train from instead of the tables.
    :param processes: How many networks are trained at a time: this process trains one, others take
        large tasks alone (`jointrec.training.apart`). Default: as many as PyTorch uses threads.
    :raises JointRecError: for whatever is wrong with the declarations or the data, all at once.
    :raises Interrupted: after Ctrl-C, once the checkpoint is safe.
    """
    compare = compare or Compare()
    watch = watch or Watch()
    folder = Path(out) if out is not None else None
    if folder is not None:
        _make(folder)
    checkpoint = None if folder is None else folder / "checkpoints" / "joint"
    seconds: dict[str, float] = {}
    planned = plan(project)
    with _timed(seconds, "prepare", watch):
        if prepared is not None:
            ready = open_handover(project, planned, Path(prepared))
        else:
            kept = None if cache is None else Cache(Path(cache), say=watch.say)
            ready = obtain(project, planned, None if root is None else Path(root), cache=kept)
    tables, arrays = ready.tables, ready.prepared
    alone = Alone(project, arrays, folder, resume, watch)
    with alone.apart(processes or torch.get_num_threads()) if compare.alone else nullcontext():
        with _timed(seconds, "leaks", watch):
            leaks = scan_prepared(project, planned, tables, arrays)
        for alarm in leaks.alarms:
            watch.say(f"a leak? {alarm}")
        findings = (*tables.findings, *ready.findings, *leaks.alarms)
        if folder is not None:
            _write_findings(folder, project, tables, findings)
        with _timed(seconds, "train", watch):
            trained = train(
                project, planned, arrays,
                watch=watch, resume=resume, checkpoint=checkpoint,
            )  # fmt: skip
        singles: dict[str, JointNetwork] = {}
        if compare.alone:
            with _timed(seconds, "alone", watch):
                singles = alone.train()
    joint = trained.networks
    baselines = compare.usable(watch)
    with _timed(seconds, "compare", watch):
        quick = compare.baselines is None
        ways = Ways(joint, singles, baselines, compare.oracles or {}, quick)
        try:
            tasks = evaluate(
                project, planned, arrays, ways,
                met=times_met(project, tables), rounds=compare.rounds, observe=watch.measuring,
            )  # fmt: skip
        except KeyboardInterrupt:  # all is trained, which may have taken hours
            raise Interrupted(len(trained.log), checkpoint) from None
    facts = _facts(project, planned, tables, findings, seconds, trained)
    facts["leaks"] = leaks.to_plain()
    model = Model(ready.reader, joint, Report(tasks, facts), project)
    if folder is not None:
        watch.say(f"saving to {folder}")
        durable.write_file(folder / "report.json", model.report.to_json().encode())
        model.save(folder / "model")
    return model


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JointRecError(
            f"{folder}: no folder can be made there ({error.strerror}). Choose another `out`."
        ) from None


class _timed:  # reads as a word: with _timed(...)
    """Notes how long a stage takes, and tells the watch that it begins."""

    def __init__(self, seconds: dict[str, float], stage: str, watch: Watch) -> None:
        self.seconds, self.stage, self.watch = seconds, stage, watch

    def __enter__(self) -> None:
        self.watch.stage(self.stage)
        self.begun = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds[self.stage] = round(time.perf_counter() - self.begun, 1)


def _write_findings(
    folder: Path, project: Project, tables: Tables, findings: Sequence[Finding]
) -> None:
    """Writes what was found odd, and every row set aside with its reason."""
    frame = findings_frame(tuple(findings))
    # A spreadsheet runs a cell that begins like a formula; after an apostrophe it is text.
    formula = pl.col("examples").str.contains(r"^[=+\-@\t\r]")
    safe = pl.when(formula).then("'" + pl.col("examples")).otherwise("examples").alias("examples")
    durable.write_file(folder / "findings.csv", frame.with_columns(safe).write_csv().encode())
    for name, rows in quarantine_frames(project, tables).items():
        (folder / "quarantine").mkdir(parents=True, exist_ok=True)
        durable.write_parquet(rows, folder / "quarantine" / f"{name}.parquet")


def _facts(
    project: Project,
    planned: Plan,
    tables: Tables,
    findings: Sequence[Finding],
    seconds: Mapping[str, float],
    trained: Trained,
) -> dict[str, Any]:
    """What a reader of the report must know to repeat it."""
    distinct = {id(network): network for network in trained.networks.values()}
    return {
        "jointrec": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "seed": project.budget.seed,
        "sharing": repr(project.sharing),
        "fusion": repr(project.fusion),
        "funnel": repr(project.funnel),
        "history": repr(project.history),
        "balancing": repr(project.balancing),
        "calibration": repr(project.calibration),
        "calibrated": {
            task: found.fitted
            for task, network in trained.networks.items()
            if (found := network.calibrated(task) or network.several(task)) is not None
        },
        "budget": repr(project.budget),
        "passes": len(trained.log),
        "from_pass": {task: epoch + 1 for task, epoch in trained.epochs.items()},
        "split": repr(project.split),
        "valid_from": None if tables.cuts.valid is None else moment(tables.cuts.valid).isoformat(),
        "test_from": None if tables.cuts.test is None else moment(tables.cuts.test).isoformat(),
        "rows_in": dict(tables.rows_in),
        "quarantined": {name: len(frame) for name, frame in tables.quarantine.items()},
        "findings": len(findings),
        "grains": [grain.name for grain in planned.grains],
        "networks": len(distinct),
        "parameters": max(network.num_weights for network in distinct.values()),
        "seconds": dict(seconds),
    }


def with_test_from(project: Project, test_from: str) -> Project:
    """The same project, tested from another moment on.

    :raises JointRecError: where the project is not split by time.
    """
    try:
        return replace(project, split=replace(project.split, test_from=test_from))  # type: ignore[call-arg]
    except TypeError:
        raise JointRecError(
            f"--test-from: the project is split by {type(project.split).__name__}, "
            'not by time. Write split = { kind = "ByTime" } to cut by time.'
        ) from None
