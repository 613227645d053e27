"""A training run: all that changes while it goes on."""

from __future__ import annotations

from time import perf_counter

import torch
from torch import Tensor

from jointrec.batches import Assembler, Batch, Loader, pieces
from jointrec.batches.loader import rows_in_lists, rows_of
from jointrec.errors import DataError
from jointrec.functional.memory import freed_is_kept
from jointrec.network import JointNetwork
from jointrec.network.precision import computed_in
from jointrec.plan import Plan
from jointrec.prepare.prepared import Prepared
from jointrec.project import Project
from jointrec.sharing import Heard
from jointrec.splits import VALID

from .average import Average
from .calibrate import calibrate
from .losses import summed, to_learn
from .pulls import pulls
from .ranked import ranked
from .stopping import Stopping, components, shared_scales
from .threads import threads, threads_for
from .trust import trust_in
from .watch import Epoch, Progress, Watch

LONGEST = 10.0
"""The longest gradient of the dense weights; a longer one is scaled down to it."""

ENOUGH = 1_000
"""From so many validation rows on their order chooses the pass of what ranks a catalogue; of fewer,
chance would, and their loss does."""


class Run:
    """A network while it is trained. It is measured, and served, with averaged weights.

    Chance is drawn anew from (seed, pass) before every pass, so that going on from a checkpoint
    needs no state of a generator.

    :param project: What the network is made of, and how it is trained.
    :param plan: The tasks that it learns.
    :param prepared: What it learns from.
    """

    def __init__(self, project: Project, plan: Plan, prepared: Prepared) -> None:
        self.project, self.plan = project, plan
        self.network = JointNetwork(project, plan, prepared.layout)
        if self.network.trust is not None:
            self.network.trust.copy_(trust_in(plan, prepared, project.table.rare))
        self.tasks = self.network.tasks
        scales = {task: prepared.layout.scales[task] for task in self.tasks}
        funnels = components(project, self.tasks)
        self.balancer = project.balancing.build(shared_scales(funnels, scales))
        self.dense = [*self.network.parameters(), *self.balancer.parameters()]
        self.average = Average(self.network)
        self.table_state = project.table.update.state(*self.network.table.weight.shape)
        self.assembler = Assembler.of(project, prepared, plan)
        self.loader = self._loader(self.tasks)
        steps = max(self.loader.steps, 1)
        own = project.optimizer.for_small(steps) if prepared.small else project.optimizer
        self.optimizer = own.build(self.dense)
        self.epochs, patience = project.budget.passes(steps, small=prepared.small)
        """The most passes."""
        rows_a_step = sum(self.loader.taken.values()) // steps
        self.network.computed = computed_in(project.budget.precision, rows_a_step)
        self.loader_sizes = dict(self.loader.taken)
        """Rows of each grain in a pass of all tasks."""
        self.ordered = {task for task in plan.catalogue if self._num_valid(task) >= ENOUGH}
        """The tasks whose best pass is that with the best order."""
        self.stopping = Stopping(funnels, scales, patience, self.ordered)
        self.epoch = 0
        """Whole passes so far."""
        self.snapshots: dict[int, dict[str, Tensor]] = {}
        """The weights after the passes that a task is served from."""
        self.log: list[Epoch] = []

    def one_epoch(self, watch: Watch) -> None:
        """One pass over the training rows and one over the validation rows.

        Nothing but the weights has changed until the pass is whole.
        """
        active = self.stopping.active
        if self.epoch and active != self.tasks:
            self.loader = self._loader(active)
        torch.manual_seed(self.project.budget.seed * 1_000_003 + self.epoch)
        begun, rows = perf_counter(), 0
        sums, counts = torch.zeros(len(active)), torch.zeros(len(active), dtype=torch.long)
        self.network.train()
        largest = max(self.loader.taken.values()) // self.loader.steps
        with threads(threads_for(largest, self.network.fused.size)), freed_is_kept():
            for step, batch in enumerate(self.loader.epoch(self.epoch), 1):
                step_sums, step_counts = self._step(batch, active, step)
                sums, counts, rows = sums + step_sums, counts + step_counts, rows + len(batch)
                watch.step(self._progress(step, rows / (perf_counter() - begun), sums, counts))
        with self.average.in_place():
            valid, ndcg = self._validate()
            self.stopping.update(self.epoch, valid, ndcg)
            self._keep()
        means = (sums / counts.clamp(min=1)).tolist()
        losses = dict(zip(active, means, strict=True))
        self.log.append(Epoch(self.epoch, losses, valid, rows, perf_counter() - begun, ndcg))
        watch.epoch(self.log[-1])
        self.epoch += 1

    def _step(self, batch: Batch, active: tuple[str, ...], step: int) -> tuple[Tensor, Tensor]:
        """Moves all weights once. The sums and counts of the losses of the active tasks."""
        vectors = self.network.table.gather(batch.touched).requires_grad_()
        heard: list[Heard] = []
        outputs = self.network(batch, vectors, tasks=active, heard=heard)
        sums, counts = summed(self.project, active, outputs, batch)
        self._check(torch.isfinite(sums), active, step, "loss")
        means = dict(zip(active, to_learn(sums, counts), strict=True))
        gone = torch.zeros(())
        losses = torch.stack([means.get(task, gone) for task in self.tasks])
        pulling = pulls(losses, self.tasks, heard) if self.balancer.reads_pulls else None
        total = self.balancer.combine(losses, pulling)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        length = torch.nn.utils.clip_grad_norm_(self.dense, LONGEST)
        self._check(torch.isfinite(length).expand(len(active)), active, step, "gradient")
        self.optimizer.step()
        self.average.update()
        if vectors.grad is not None:
            self.project.table.update.apply(
                self.network.table.weight, self.table_state, batch.touched, vectors.grad
            )
        return sums.detach(), counts

    def _check(self, fine: Tensor, active: tuple[str, ...], step: int, what: str) -> None:
        """Stops at the first loss or gradient that is not a number, before it spoils the weights.

        :param fine: Of which of the active tasks it is one.
        """
        wrong = [f"`{task}`" for task, well in zip(active, fine.tolist(), strict=True) if not well]
        if wrong:
            raise DataError(
                f"The training {what} of {', '.join(wrong)} is not finite in pass "
                f"{self.epoch + 1}, step {step}. Lower `optimizer.lr` "
                f"(it is {self.project.optimizer.lr:g}), and look for absurd numbers with "
                "`jointrec check`."
            )

    def _validate(self) -> tuple[dict[str, float], dict[str, float]]:
        """The mean validation loss of each task that has validation rows; and of each that ranks a
        catalogue the mean NDCG.

        Tasks that have stopped are measured only while another follows them.
        """
        judged = self.judged
        follows = any(not judged & set(course.tasks) for course in self.stopping.courses)
        asked = tuple(t for t in self.tasks if t in (judged if follows else self.stopping.active))
        sums = torch.zeros(len(asked), dtype=torch.float64)
        counts = torch.zeros(len(asked), dtype=torch.long)
        places = {task: [0.0, 0] for task in asked if task in self.plan.catalogue}
        self.network.eval()
        seed = (self.project.budget.seed, VALID)
        with torch.inference_mode():
            for name in self.assembler.grains:
                source = self.assembler.prepared.asked[name]
                rows, starts = rows_in_lists(self.assembler, source, VALID, asked)
                for batch in pieces(
                    self.assembler, source, rows, part=VALID, seed=seed, starts=starts
                ):
                    outputs = self.network(batch, tasks=asked)
                    piece_sums, piece_counts = summed(self.project, asked, outputs, batch)
                    sums, counts = sums + piece_sums.double(), counts + piece_counts
                    for task, (total, count) in ranked(tuple(places), outputs, batch).items():
                        places[task] = [places[task][0] + total, places[task][1] + count]
        means = zip(asked, sums.tolist(), counts.tolist(), strict=True)
        losses = {task: total / count for task, total, count in means if count}
        return losses, {task: total / count for task, (total, count) in places.items() if count}

    @property
    def judged(self) -> set[str]:
        """The tasks with validation rows."""
        return {
            task
            for grain in self.assembler.grains.values()
            for task in grain.tasks
            if self._num_valid(task)
        }

    def _num_valid(self, task: str) -> int:
        """How many validation rows a task has."""
        source = self.assembler.prepared.asked[self.plan.grain_of(task).name]
        return len(rows_of(self.assembler, source, VALID, (task,)))

    def _keep(self) -> None:
        """Keeps the weights of this pass if a task is served from it, and forgets what none is."""
        kept = set(self.stopping.kept.values())
        if self.epoch in kept:
            state = self.network.state_dict()
            self.snapshots[self.epoch] = {name: value.clone() for name, value in state.items()}
        self.snapshots = {epoch: s for epoch, s in self.snapshots.items() if epoch in kept}

    def networks(self) -> dict[str, JointNetwork]:
        """For each task the network that serves it; equal passes share one."""
        built: dict[int, JointNetwork] = {}
        for epoch, state in self.snapshots.items():
            network = JointNetwork(
                self.project, self.plan, self.network.layout, self.network.computed
            )
            network.load_state_dict(state)
            built[epoch] = network.eval()
            served = [task for task, kept in self.stopping.kept.items() if kept == epoch]
            calibrate(built[epoch], self.assembler, served)
        return {task: built[epoch] for task, epoch in self.stopping.kept.items()}

    def _loader(self, tasks: tuple[str, ...]) -> Loader:
        budget = self.project.budget
        return Loader(self.assembler, budget.rows, budget.seed, tasks=tasks)

    def _progress(self, step: int, pace: float, sums: Tensor, counts: Tensor) -> Progress:
        steps = self.loader.steps
        rows = sum(self.loader.taken.values())
        left = rows * (1 - step / steps) + rows * (self.epochs - self.epoch - 1)
        return Progress(
            epoch=self.epoch + 1,
            epochs=self.epochs,
            step=step,
            steps=steps,
            rows_per_second=pace,
            seconds_left=left / pace,
            losses=dict(
                zip(self.stopping.active, (sums / counts.clamp(min=1)).tolist(), strict=True)
            ),
        )
