"""Makes a batch of some rows of some grains: vectorised, each distinct thing and moment once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int8, Int64

from jointrec.labels import DAY
from jointrec.plan import Grain, Plan
from jointrec.prepare.prepared import Asked, Fields, Moments, Prepared
from jointrec.prepare.versions import Versions
from jointrec.project import Project
from jointrec.splits import TRAIN

from .batch import Bag, Batch, Candidates, Examples, FieldBatch, HistoryBatch, MomentBatch
from .candidates import DRAWS, WHOLE, Choice, among, counted, everything, sampled, shares
from .newcomers import RATE, forget
from .past import each_its_own, in_runs
from .pool import Pool, distinct, runs
from .strangers import hidden_rate, hide, id_column

Rows = Int64[np.ndarray, "_"]  # of several grains, so of several lengths
ALL = slice(None)


class Assembler:
    """Reads rows of prepared arrays into batches. Training, evaluation and serving share it.

    :param prepared: The arrays.
    :param plan: Which tasks each grain answers, and what they rank. A plan with fewer tasks than
        were prepared reads these only.
    :param last: How many past events of a moment are read.
    :param causal: Whether moments whose pasts begin alike share them (see `jointrec.history`).
    :param draws: For each task that says so, how many candidates training draws.
    :param listed: The tasks that learn the order within lists.
    """

    def __init__(
        self,
        prepared: Prepared,
        plan: Plan,
        last: int,
        *,
        causal: bool = False,
        draws: Mapping[str, int] | None = None,
        listed: Collection[str] = (),
    ) -> None:
        self.prepared = prepared
        self.plan = plan
        self.last, self.causal = last, causal
        self.draws, self.listed = draws or {}, frozenset(listed)
        self._rows_on_days: dict[tuple[str, int], Int64[np.ndarray, "codes"]] = {}

    @classmethod
    def of(cls, project: Project, prepared: Prepared, plan: Plan) -> Assembler:
        """As a project reads the past and draws candidates."""
        asked = {name: task.draws for name, task in project.tasks.items()}
        draws = {name: number for name, number in asked.items() if number is not None}
        history = project.history
        listed = [name for name, task in project.tasks.items() if task.list_share]
        return cls(prepared, plan, history.last, causal=history.causal, draws=draws, listed=listed)

    def __call__(
        self,
        picked: Sequence[tuple[Asked, Rows]],
        *,
        part: int | None = None,
        seed: Sequence[int] | None = None,
        strangers: bool = False,
    ) -> Batch:
        """The batch of these rows.

        :param picked: Rows of one or more grains, each grain once.
        :param part: Only labels of this part of the split are known. None: all that there are.
        :param seed: Where large catalogues are sampled from. None reads every catalogue whole.
        :param strangers: Hide some ids, as training does (see `jointrec.batches.strangers`), and
            read of a small catalogue a sample, where a task asks for that. Needs a seed.
        """
        sizes = {name: len(table.keys) for name, table in self.prepared.things.items()}
        things = {name: Pool(2 * size) for name, size in sizes.items()}  # as itself, as a stranger
        for pool in things.values():
            pool.add(np.zeros(1, dtype=np.int64))  # code 0 stands first and means none in a history
        table = Pool(self.prepared.layout.table_rows)
        examples = tuple(
            self._examples(asked, rows, things, table, part, seed, strangers)
            for asked, rows in picked
            if len(rows)
        )
        codes = {name: pool.close() for name, pool in things.items()}
        fields = {name: self._thing_fields(name, found, table) for name, found in codes.items()}
        return Batch(
            torch.from_numpy(table.close()),
            {name: torch.from_numpy(found % sizes[name]) for name, found in codes.items()},
            fields,
            examples,
        )

    def _examples(
        self,
        asked: Asked,
        rows: Rows,
        things: dict[str, Pool],
        table: Pool,
        part: int | None,
        seed: Sequence[int] | None,
        strangers: bool,
    ) -> Examples:
        grain = self.grains[asked.grain.name]
        at, moments = {}, {}
        chance = np.random.default_rng([*seed, 1]) if strangers and seed is not None else None
        for entity in grain.sees:
            found, position = distinct(asked.at[entity][rows], len(asked.moments[entity].things))
            at[entity] = torch.from_numpy(position)
            some = asked.moments[entity].some(found)
            codes = some.things
            if chance is not None and seed is not None:
                rate = self._hidden[grain.name, entity]
                codes = hide(codes, len(self.prepared.things[entity].keys), rate, chance)
                nothing = self.prepared.layout.nothing.get(entity)
                if grain.asking == "every" and nothing is not None:
                    some = forget(some, nothing, RATE, np.random.default_rng([*seed, 2]))
            moments[entity] = MomentBatch(
                torch.from_numpy(things[entity].add(codes)),
                torch.from_numpy(some.numbers),
                self._history(entity, some, things),
            )
        labels, known = _labels(asked, grain, rows, part)
        candidates = {}
        for task, entity in self.plan.catalogue.items():
            if task in grain.tasks and asked.times is not None:
                known_codes = labels[task][known[task]] if task in labels else np.zeros(0)
                choice = self._choice(task, known_codes.astype(np.int64), seed, strangers)
                candidates[task] = self._candidates(task, choice, asked.times[rows], things[entity])
                if task in labels:
                    labels[task][known[task]] = among(choice, known_codes)
        return Examples(
            grain=grain,
            at=at,
            moments=moments,
            context=_fields(asked.context, rows, table),
            clock=torch.from_numpy(asked.clock.take(rows, axis=0)),
            pairs={
                pair: torch.from_numpy(count.take(rows, axis=0))
                for pair, count in asked.pairs.items()
            },
            labels={task: torch.from_numpy(values) for task, values in labels.items()},
            known={task: torch.from_numpy(values) for task, values in known.items()},
            candidates=candidates,
            weights={
                task: torch.from_numpy(asked.weights[task][rows])
                for task in grain.tasks
                if task in asked.weights
            },
            days=None if asked.times is None else torch.from_numpy(asked.times[rows] // DAY),
            matches={
                columns: torch.from_numpy(numbers[rows])
                for columns, numbers in asked.matches.items()
            },
            lists=None if asked.lists is None else torch.from_numpy(asked.lists[rows]),
        )

    def _candidates(
        self, task: str, choice: Choice, times: Int64[np.ndarray, "rows"], pool: Pool
    ) -> Candidates:
        """What a task chooses from at some moments."""
        entity = self.plan.catalogue[task]
        counts, days = counted(self.prepared.popularity[task], times, choice.codes)
        here, versions = choice.codes, None
        changing = self.prepared.things[entity].versions
        if changing is not None:
            begun, days = np.unique(times // DAY, return_inverse=True)
            counts, at = counted(self.prepared.popularity[task], begun * DAY, choice.codes)
            counts, days = counts[at], days.astype(np.int64, copy=False)
            rows = np.stack(
                [self._on_day(entity, changing, day)[choice.codes] for day in begun.tolist()]
            )
            here, found = distinct(rows, len(self.prepared.things[entity].keys))
            versions = torch.from_numpy(found)
        return Candidates(
            torch.from_numpy(pool.add(here)),
            None if choice.log_q is None else torch.from_numpy(choice.log_q),
            torch.from_numpy(counts),
            torch.from_numpy(days),
            versions,
        )

    def _on_day(self, entity: str, changing: Versions, day: int) -> Int64[np.ndarray, "codes"]:
        """The row of each thing of a catalogue as it is when a day begins (days since 1970 UTC)."""
        if (entity, day) not in self._rows_on_days:
            codes = np.arange(changing.first)
            self._rows_on_days[entity, day] = changing.at(codes, np.full(len(codes), day * DAY))
        return self._rows_on_days[entity, day]

    @cached_property
    def grains(self) -> dict[str, Grain]:
        """The grains of the plan by name, with the tasks that are asked."""
        return {grain.name: grain for grain in self.plan.grains}

    @cached_property
    def _shares(self) -> dict[str, Float64[np.ndarray, "_"]]:
        """For each sampled task the share of each candidate in the training labels."""
        found = {}
        for task in self.plan.catalogue:
            asked = self.prepared.asked.get(self.plan.grain_of(task).name)
            size = self.num_candidates(task)
            labels = np.zeros(0)
            if asked is not None and task in (asked.labels or {}):
                labels = asked.labels[task][asked.parts[task] == TRAIN]
            found[task] = shares(labels[labels >= 1], size)
        return found

    def num_candidates(self, task: str) -> int:
        """How many things a task ranks: those of the tables; a newcomer asked about is not one."""
        return int(self.prepared.popularity[task].counts.shape[1]) - 1

    def _choice(
        self,
        task: str,
        chosen: Int64[np.ndarray, "known"],
        seed: Sequence[int] | None,
        training: bool,
    ) -> Choice:
        """The candidates of a batch. A small catalogue is sampled in training alone, if asked."""
        size, asked = self.num_candidates(task), self.draws.get(task)
        small = size <= WHOLE and not (training and asked is not None and asked < size)
        if small or seed is None:
            return everything(size)
        return sampled(chosen, self._shares[task], seed, DRAWS if asked is None else asked)

    def _history(
        self, entity: str, moments: Moments, things: dict[str, Pool]
    ) -> HistoryBatch | None:
        if moments.times is None or entity not in self.prepared.past:
            return None
        read = in_runs if self.causal else each_its_own
        every = np.arange(len(moments.things))
        return read(self.prepared.past[entity], moments, every, self.last, things)

    def _thing_fields(self, entity: str, codes: Rows, table: Pool) -> FieldBatch:
        """The fields of things, those of strangers with the unknown id."""
        fields, column = self.prepared.things[entity].fields, id_column(self.prepared, entity)
        rows = codes % len(self.prepared.things[entity].keys)
        ids = fields.ids.take(rows, axis=0)
        if column is not None:
            ids[codes != rows, column] = fields.ids[0, column]
        return FieldBatch(
            torch.from_numpy(table.add(ids)),
            _bags(fields, rows, table),
            torch.from_numpy(fields.numbers.take(rows, axis=0)),
        )

    @cached_property
    def _hidden(self) -> dict[tuple[str, str], float]:
        """How often the id of an entity is hidden in a grain while training."""
        return {
            (name, entity): hidden_rate(self.prepared, self.prepared.asked[name], entity)
            for name, grain in self.grains.items()
            for entity in grain.sees
        }


def _fields(fields: Fields, rows: Rows, table: Pool) -> FieldBatch:
    # Of whole rows `take` is up to twice as fast as brackets.
    return FieldBatch(
        torch.from_numpy(table.add(fields.ids.take(rows, axis=0))),
        _bags(fields, rows, table),
        torch.from_numpy(fields.numbers.take(rows, axis=0)),
    )


def _bags(fields: Fields, rows: Rows, table: Pool) -> tuple[Bag, ...]:
    bags = []
    for bag in fields.bags:
        at, offsets = runs(bag.offsets, rows)
        bags.append(Bag(torch.from_numpy(table.add(bag.values[at])), torch.from_numpy(offsets)))
    return tuple(bags)


def _labels(
    asked: Asked, grain: Grain, rows: Rows, part: int | None
) -> tuple[dict[str, Float64[np.ndarray, "rows"]], dict[str, Bool[np.ndarray, "rows"]]]:
    """Labels with 0 where unknown, and which are known; empty where only answers are asked."""
    labels, known = {}, {}
    for task in grain.tasks:
        if task in (asked.labels or {}):
            # All are float64: of whole numbers, as codes are, float32 ends at 16 million.
            labels[task] = asked.labels[task].take(rows)
            known[task] = _known(labels[task], asked.parts[task], part, rows)
            labels[task][~known[task]] = 0.0
    return labels, known


def knows(
    asked: Asked, task: str, part: int | None, rows: Rows | slice = ALL
) -> Bool[np.ndarray, "rows"]:
    """Which rows, of some or of all, have a label of a task in this part of the split."""
    return _known(asked.labels[task][rows], asked.parts[task], part, rows)


def _known(
    labels: Float64[np.ndarray, "rows"],
    parts: Int8[np.ndarray, "all_rows"],
    part: int | None,
    rows: Rows | slice,
) -> Bool[np.ndarray, "rows"]:
    known: np.ndarray = ~np.isnan(labels)
    return known if part is None else known & (parts[rows] == part)
