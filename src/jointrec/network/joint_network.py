"""Encode, fuse, share, head: the one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jointrec.batches import Batch, Examples
from jointrec.batches.strangers import ID
from jointrec.calibration import About, Calibrator, Several
from jointrec.errors import BundleError, ProjectError
from jointrec.funnels import Step
from jointrec.plan import Plan
from jointrec.prepare.popularity import DAYS
from jointrec.prepare.prepared import Layout
from jointrec.project import Project
from jointrec.sharing import Heard
from jointrec.tasks import Task

from .choice import ChoiceHead, Had
from .encoding import Encoded
from .heads import Head
from .parts import Part, edges_of, parts_of, sizes_of
from .past import PastReader
from .precision import Computed, products_in
from .segments import segments_of
from .table import FusedTable, gathered


class JointNetwork(nn.Module):
    """Answers every task of a plan from one batch.

    :param project: What it is made of.
    :param plan: Which tasks are asked, at which grains. It may hold fewer than the project.
    :param layout: The shape of what was prepared.
    :param computed: In which numbers products are computed.
    :raises ProjectError: where a grain has nothing to look at.
    """

    trust: Tensor | None

    def __init__(
        self, project: Project, plan: Plan, layout: Layout, computed: Computed = "fp32"
    ) -> None:
        super().__init__()
        self.computed = computed
        self.project, self.plan, self.layout = project, plan, layout
        asked = {task for grain in plan.grains for task in grain.tasks}
        self.tasks = tuple(task for task in project.tasks if task in asked)
        self.parts = sizes_of(project, plan, layout)
        for grain in plan.grains:
            if not parts_of(project, grain) & set(self.parts):
                tasks = ", ".join(f"`{task}`" for task in grain.tasks)
                raise ProjectError(
                    f"grain `{grain.name}`: there is nothing to answer {tasks} from: "
                    f"{', '.join(grain.sees)} have no features and no past. Declare a feature."
                )
        self.table = FusedTable(layout.table_rows, project.table.width)
        # How far each vector is trusted; whoever trains says so.
        trust = torch.ones(layout.table_rows) if project.table.rare else None
        self.register_buffer("trust", trust)
        fields = {name: self._fields_size(name) for name in project.entity}
        self.readers = tuple(part.of[0] for part in self.parts if part.kind == "history")
        self.past = nn.ModuleList(
            PastReader(
                project.history,
                len(layout.kinds[name]),
                {other: fields[other] for other in layout.objects.get(name, ()) if fields[other]},
            )
            for name in self.readers
        )
        edges = {part: edges_of(part, layout) for part in self.parts}
        numeric = [project.numeric.build(own) for own in edges.values() if own is not None]
        self.counted = tuple(part for part, own in edges.items() if own is not None)
        self.numeric = nn.ModuleList(numeric)
        read = dict(zip(self.counted, (reader.size for reader in numeric), strict=True))
        sizes = [read.get(part, size) for part, size in self.parts.items()]
        self.fused = project.fusion.build(sizes)
        self.sharing = project.sharing.build(self.fused.size, self.tasks)
        width = project.sharing.widths[-1]
        self._steps_before: dict[str, str | None] = {}
        self.steps = nn.ModuleList(
            project.funnel.build(width) if self._step_before(task) else nn.Identity()
            for task in self.tasks
        )
        self.calibrators = nn.ModuleList(
            self._calibrator(project.tasks[task], layout.sizes[task]) for task in self.tasks
        )
        self.totals: Tensor
        """For each task the logarithm of a factor that sets the sum of its amounts right."""
        self.register_buffer("totals", torch.zeros(len(self.tasks)))
        self.heads = nn.ModuleList(
            self._choice(task, width, fields[plan.catalogue[task]])
            if task in plan.catalogue
            else Head(width, self._constant(task), self._linear(task))
            for task in self.tasks
        )

    def forward(
        self,
        batch: Batch,
        vectors: Float[Tensor, "touched width"] | None = None,
        *,
        tasks: Collection[str] | None = None,
        heads: dict[str, Tensor] | None = None,
        heard: list[Heard] | None = None,
    ) -> dict[str, Float[Tensor, "rows size"]]:
        """The outputs of each task for the rows of its grain.

        :param vectors: The rows of the table that the batch touches, where their gradient is
            wanted. Default: as they are.
        :param tasks: Only these, and what they come after. Default: all.
        :param heads: Takes what each head gives, before it is calibrated and put in its funnel.
        :param heard: Takes what tasks got of what they share, grain after grain.
        """
        if vectors is None:
            vectors = self.table.gather(batch.touched)
        if self.trust is not None:
            vectors = vectors * self.trust[batch.touched][:, None]
        with products_in(self.computed, vectors.device.type):
            heads, heard = {} if heads is None else heads, [] if heard is None else heard
            return self._outputs(batch, vectors, tasks, heads, heard)

    def _outputs(
        self,
        batch: Batch,
        vectors: Tensor,
        tasks: Collection[str] | None,
        heads: dict[str, Tensor],
        heard: list[Heard],
    ) -> dict[str, Tensor]:
        encoded = Encoded(batch, vectors)
        wanted = None if tasks is None else self._with_befores(tasks)
        outputs: dict[str, Tensor] = {}
        for examples in batch.examples:
            asked = [task for task in examples.grain.tasks if wanted is None or task in wanted]
            if not asked:
                continue
            about = self.about(batch, examples)
            row = self.fused(self._parts(examples, encoded))
            heard.append(self.sharing.heard(row, asked))
            seen = dict(heard[-1].vectors)
            for task in asked:  # in the order of the funnel
                before = self._step_before(task)
                if before is not None:
                    seen[task] = self._step(task).vector(seen[task], seen[before].detach())
                heads[task] = self._head(task, seen[task], examples, encoded)
                own = heads[task] if self.training else self._set_right(task, heads[task], about)
                outputs[task] = self.place(task, outputs)(own)
        return outputs

    def _parts(self, examples: Examples, encoded: Encoded) -> list[Tensor | None]:
        """The parts of each row in their order; None for what the grain lacks or may not see."""
        had = parts_of(self.project, examples.grain)
        return [self._part(part, examples, encoded) if part in had else None for part in self.parts]

    def _part(self, part: Part, examples: Examples, encoded: Encoded) -> Tensor:
        if part.kind == "context":
            return encoded.context(examples.context)
        if part.kind == "shown":
            return self._numeric(part, examples.context.numbers)
        if part.kind == "clock":
            return examples.clock
        if part.kind == "pair":
            return self._numeric(part, examples.pairs[(part.of[0], part.of[1])])
        if part.kind == "match":
            return self._numeric(part, examples.matches[(part.of[0], part.of[1])])
        entity = part.of[0]
        moments, at = examples.moments[entity], examples.at[entity]
        if part.kind == "vectors":
            return encoded.fields_at(entity, moments.things[at])
        if part.kind == "numbers":
            return self._numeric(part, encoded.numbers_at(entity, moments.things[at]))
        if part.kind == "moment":
            return gathered(self._numeric(part, moments.numbers), at)
        return gathered(self._past(entity, examples, encoded), at)

    def _past(self, entity: str, examples: Examples, encoded: Encoded) -> Tensor:
        """The history of each moment of an entity, read once however many ask for it."""
        key = (examples.grain.name, entity)
        if key not in encoded.pasts:
            reader = self._reader(entity)
            about = {name: self._about(entity, name, encoded) for name in reader.objects}
            vectors: Tensor = reader(examples.moments[entity].history, about)
            encoded.pasts[key] = vectors
        return encoded.pasts[key]

    def _about(self, entity: str, name: str, encoded: Encoded) -> Tensor:
        """What an event of an entity about each of some things adds to its history."""
        if (entity, name) not in encoded.about:
            reader = self._reader(entity)
            encoded.about[entity, name] = reader.about(name, encoded.whole(name))
        return encoded.about[entity, name]

    def _had(self, task: str, examples: Examples, encoded: Encoded) -> Had | None:
        """What the past of the rows says of what a task ranks; None where it holds none of it."""
        entity, ranked = self._actor(task), self.plan.catalogue[task]
        history = None if entity is None else examples.moments[entity].history
        if entity is None or history is None:
            return None
        at = examples.at[entity]
        vector = gathered(self._past(entity, examples, encoded), at)
        about, values = self._about(entity, ranked, encoded), encoded.categories(ranked)
        return Had.of(ranked, history, at, vector, about, values[:, self._categories(ranked)])

    def _categories(self, entity: str) -> list[int]:
        """Which of the single-valued fields of an entity are categories: all but its key."""
        return [n for n, name in enumerate(self.layout.things[entity].ids) if name != ID]

    def _actor(self, task: str) -> str | None:
        """Of what a task sees, the one whose past holds what it ranks."""
        ranked = self.plan.catalogue[task]
        sees = self.plan.grain_of(task).sees
        return next(
            (e for e in self.readers if e in sees and ranked in self._reader(e).objects), None
        )

    def _reader(self, entity: str) -> PastReader:
        reader = self.past[self.readers.index(entity)]
        assert isinstance(reader, PastReader)
        return reader

    def _numeric(self, part: Part, numbers: Tensor) -> Tensor:
        if part not in self.counted:
            return numbers
        read: Tensor = self.numeric[self.counted.index(part)](numbers)
        return read

    def _head(self, task: str, x: Tensor, examples: Examples, encoded: Encoded) -> Tensor:
        head = self.heads[self.tasks.index(task)]
        if task in self.plan.catalogue:
            things = encoded.whole(self.plan.catalogue[task])
            had = self._had(task, examples, encoded)
            scores: Tensor = head(x, things, examples.candidates[task], had)
            return scores
        numbers = None
        if self._linear(task) is not None:
            asked = examples.grain.table
            numbers = gathered(examples.moments[asked].numbers, examples.at[asked])
        outputs: Tensor = head(x, numbers)
        return outputs

    def _choice(self, task: str, width: int, size: int) -> ChoiceHead:
        actor = self._actor(task)
        kinds = 0 if actor is None else len(self.layout.kinds[actor])
        categories = len(self._categories(self.plan.catalogue[task]))
        return ChoiceHead(width, size, len(DAYS), kinds, categories)

    def calibrated(self, task: str) -> Calibrator | None:
        """What sets the chances of a task right; None where it gives no chances."""
        found = self.calibrators[self.tasks.index(task)]
        return found if isinstance(found, Calibrator) else None

    def several(self, task: str) -> Several | None:
        """What sets the several chances of a task right; None where it does not give several."""
        found = self.calibrators[self.tasks.index(task)]
        return found if isinstance(found, Several) else None

    def _calibrator(self, task: Task, size: int) -> nn.Module:
        calibration = self.project.calibration
        if task.has_chances:
            together = calibration.together
            return Several(together.build(), size, apart=together.apart)
        return calibration.build() if task.form == "chance" else nn.Identity()

    def about(self, batch: Batch, examples: Examples) -> About:
        """What a calibrator may know of the rows of a batch."""
        return About(examples.days, segments_of(self.project, self.layout, batch, examples))

    def _set_right(self, task: str, own: Tensor, about: About) -> Tensor:
        several, calibrator = self.several(task), self.calibrated(task)
        if several is not None:
            each: Tensor = several(own)
            return each
        if calibrator is None:
            return self.project.tasks[task].scaled(own, self.totals[self.tasks.index(task)])
        moved: Tensor = calibrator(own[:, 0], about)
        return moved[:, None]

    def as_learned(self, heads: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs as in training: in their funnels, but not set right.

        :param heads: What each head gives, in the order of its funnel, as :meth:`forward` has it.
        """
        outputs: dict[str, Tensor] = {}
        for task, own in heads.items():
            outputs[task] = self.place(task, outputs)(own)
        return outputs

    def place(self, task: str, outputs: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor]:
        """From a task's own outputs to those it has in its funnel.

        What came before is read without a gradient: a rare later task would otherwise bend the
        chance of the earlier one to its own ends.

        :param outputs: Those of what it comes after, in their places already.
        """
        before = self._before(task)
        if before is None:
            return lambda own: own
        earlier = outputs[before].detach()
        if self._step_before(task) is None:
            return lambda own: self.project.tasks[task].grow(earlier, own)

        def in_funnel(own: Tensor) -> Tensor:
            first = self._step(task)(earlier[:, 0], own[:, 0])
            return torch.cat([first[:, None], own[:, 1:]], dim=1)

        return in_funnel

    def _step(self, task: str) -> Step:
        step = self.steps[self.tasks.index(task)]
        assert isinstance(step, Step), "only a step of a funnel is asked for"
        return step

    def _step_before(self, task: str) -> str | None:
        """The step of a funnel before a task; none where it only asks the same for longer."""
        if task not in self._steps_before:
            before = self._before(task)
            if before is not None and self.project.tasks[task].lengthens(
                self.project.tasks[before]
            ):
                before = None
            self._steps_before[task] = before
        return self._steps_before[task]

    @property
    def num_weights(self) -> int:
        """How many numbers the network has learned, the table among them."""
        return sum(weight.numel() for weight in self.weights().values())

    def weights(self) -> dict[str, Tensor]:
        """All that was learned, by name."""
        return dict(self.state_dict())

    def put_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Takes weights as `weights` gave them.

        :raises BundleError: where they are those of another network.
        """
        own = {name: tuple(weight.shape) for name, weight in self.weights().items()}
        given = {name: tuple(weight.shape) for name, weight in weights.items()}
        if own != given:
            odd = sorted(name for name in {*own, *given} if own.get(name) != given.get(name))
            raise BundleError(
                f"The weights do not fit the network: {', '.join(f'`{name}`' for name in odd[:5])} "
                "are missing, unknown or of another shape. They belong to another project."
            )
        self.load_state_dict(dict(weights))

    def _before(self, task: str) -> str | None:
        before = self.project.tasks[task].after
        return before if before in self.tasks else None

    def _with_befores(self, tasks: Collection[str]) -> set[str]:
        wanted: set[str] = set()
        for task in tasks:
            name: str | None = task
            while name is not None:
                wanted.add(name)
                name = self._before(name)
        return wanted

    def _constant(self, task: str) -> tuple[float, ...]:
        constant, before = self.layout.constants[task], self._before(task)
        if before is None:
            return constant
        asked, earlier = self.project.tasks[task], self.layout.constants[before]
        if asked.lengthens(self.project.tasks[before]):
            return asked.grow_start(constant, earlier)
        return (self.project.funnel.start(constant[0], earlier[0]), *constant[1:])

    def _linear(self, task: str) -> tuple[tuple[float, ...], ...] | None:
        """The linear answer that the head of a task starts from, where there is one."""
        before = self._before(task)
        if before is None:
            return self.layout.starts.get(task)
        lengthens = self.project.tasks[task].lengthens(self.project.tasks[before])
        return self.layout.more.get(task) if lengthens else None

    def _fields_size(self, entity: str) -> int:
        fields = self.layout.things[entity]
        vectors = len(fields.ids) + len(fields.bags)
        return self.project.table.width * vectors + len(fields.numbers)
