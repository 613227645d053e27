"""Going on where a run was interrupted, to the same bits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from jointrec import durable
from jointrec.errors import BundleError, JointRecError

from .run import Run
from .watch import Epoch

FORMAT = 2


class Interrupted(JointRecError):
    """Training was stopped by hand. It says how to go on.

    :param passes: How many passes were whole.
    :param checkpoint: Where they are safe; None where they are not.
    """

    exit_code = 130  # as a shell has it of what was stopped by Ctrl-C

    def __init__(self, passes: int, checkpoint: Path | None) -> None:
        self.passes, self.checkpoint = passes, checkpoint
        done = f"Stopped after {passes} whole {'pass' if passes == 1 else 'passes'}."
        if checkpoint is not None:
            done += (
                f" They are safe in {checkpoint}. The same command with `--resume` "
                "(in Python: `resume=True`) goes on from there, to the same result."
            )
        elif passes:
            done += " Nothing was kept: give a folder to write to, and a run can be resumed."
        super().__init__(done)


def save(run: Run, path: Path) -> None:
    """Writes all that a run needs to go on; a crash leaves the old checkpoint or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write_folder(path, lambda folder: _fill(run, folder))


def load(run: Run, path: Path) -> None:
    """Puts a new run where the one that wrote the checkpoint was.

    :raises BundleError: where the checkpoint is damaged, or of another run.
    """
    durable.verify_folder(path)
    about = json.loads((path / "run.json").read_text(encoding="utf-8"))
    if about.get("format") != FORMAT or about.get("run") != fingerprint(run):
        raise BundleError(
            f"{path}: the checkpoint is of another run: the project, the data or the version has "
            "changed since. Start anew without `--resume`, or go back to what it was."
        )
    tensors = load_file(path / "now.safetensors")
    run.network.put_weights(_under("network", tensors))
    run.balancer.load_state_dict(_under("balancer", tensors))
    run.average.load(_under("average", tensors), about["averaged"])
    run.table_state.copy_(tensors["table"])
    _load_optimizer(run.optimizer, _under("optimizer", tensors))
    run.stopping.load(about["stopping"])
    run.epoch = about["epoch"]
    run.log = [Epoch(**epoch) for epoch in about["log"]]
    run.snapshots = {
        epoch: load_file(path / f"pass-{epoch}.safetensors") for epoch in about["snapshots"]
    }


def fingerprint(run: Run) -> str:
    """What must be equal for a run to go on with the bits of another."""
    project = run.project
    parts = (
        {task: project.tasks[task] for task in run.tasks}, project.history, project.fusion,
        project.sharing, project.balancing, project.calibration, project.optimizer, project.table,
        project.budget, run.network.layout, run.network.computed, run.loader_sizes,
        torch.__version__,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _fill(run: Run, folder: Path) -> None:
    tensors = {
        **_over("network", run.network.weights()),
        **_over("balancer", run.balancer.state_dict()),
        **_over("average", run.average.weights),
        **_over("optimizer", _optimizer_tensors(run.optimizer)),
        "table": run.table_state,
    }
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "now.safetensors"
    )
    for epoch, state in run.snapshots.items():
        save_file(state, folder / f"pass-{epoch}.safetensors")
    about = {
        "format": FORMAT,
        "run": fingerprint(run),
        "epoch": run.epoch,
        "averaged": run.average.steps,
        "snapshots": sorted(run.snapshots),
        "stopping": run.stopping.state(),
        "log": [vars(epoch) for epoch in run.log],
    }
    (folder / "run.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state: dict[int, dict[str, Any]] = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": value
        for number, values in state.items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Settings are the project's; only what was gathered on the way is put back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _over(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {n.removeprefix(start): tensor for n, tensor in tensors.items() if n.startswith(start)}
