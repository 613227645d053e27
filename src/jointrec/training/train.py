"""Trains one network: passes, early stopping, checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from jointrec.errors import DataError
from jointrec.network import JointNetwork
from jointrec.plan import Plan
from jointrec.prepare.prepared import Prepared
from jointrec.project import Project

from .alone import as_prepared, only
from .checkpoint import Interrupted, load, save
from .run import Run
from .watch import Epoch, Watch


@dataclass(frozen=True)
class Trained:
    """What training leaves.

    :param networks: For each task the network that serves it, ready to answer. A funnel shares one,
        and so do tasks that were best after the same pass.
    :param epochs: For each task the pass, from 0, that it is served from.
    :param log: What each pass came to.
    """

    networks: Mapping[str, JointNetwork]
    epochs: Mapping[str, int]
    log: tuple[Epoch, ...]


def train(
    project: Project,
    plan: Plan,
    prepared: Prepared,
    *,
    tasks: Collection[str] | None = None,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Trained:
    """Trains one network for the tasks of a plan.

    The same project, data, machine and number of threads give the same bits, interrupted or not.

    :param tasks: Train only these, as one network. Default: all of the plan.
    :param watch: Told after every step and every pass. Default: nobody.
    :param checkpoint: Where to keep a checkpoint; written after every pass.
    :param resume: Go on from the checkpoint, if there is one. A finished run is only read.
    :raises DataError: where a loss is not finite, or there is nothing to train on.
    :raises BundleError: where the checkpoint is damaged or of another run.
    :raises Interrupted: on Ctrl-C, once the last whole pass is safe; it says how to go on.
    """
    plan = as_prepared(plan if tasks is None else only(plan, tasks), prepared)
    watch = watch or Watch()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(project.budget.seed)
        run = Run(project, plan, prepared)
        if run.loader.steps == 0:
            raise DataError(
                "There are no rows to train on: every label is unknown before validation begins. "
                "Look at the split and at the windows of the labels with `jointrec check`."
            )
        if resume and checkpoint is not None and checkpoint.exists():
            load(run, checkpoint)
        try:
            while run.epoch < run.epochs and run.stopping.active:
                run.one_epoch(watch)
                if checkpoint is not None:
                    save(run, checkpoint)
        except KeyboardInterrupt:
            raise Interrupted(run.epoch, checkpoint if run.epoch else None) from None
        return Trained(run.networks(), run.stopping.kept, tuple(run.log))
