"""What one optimizer step, or one piece of scoring, reads.

Everything stands once: a table row however many fields hold it, a thing however many moments and
past events lead to it, a moment however many rows point at it. What points says so by position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Bool, Float, Int
from torch import Tensor

from jointrec.plan import Grain


@dataclass(frozen=True)
class Bag:
    """A many-valued field: the values of row ``i`` are ``values[offsets[i]:offsets[i+1]]``.

    :param values: Positions in :attr:`Batch.touched`.
    :param offsets: Where the values of each row begin, and the end of the last.
    """

    values: Int[Tensor, "total"]
    offsets: Int[Tensor, "rows_and_one"]


@dataclass(frozen=True)
class FieldBatch:
    """Encoded columns of some rows.

    :param ids: Positions in :attr:`Batch.touched`, a column for each single-valued field.
    :param bags: One for each many-valued field.
    :param numbers: Standardised, finite.
    """

    ids: Int[Tensor, "rows ids"]
    bags: tuple[Bag, ...]
    numbers: Float[Tensor, "rows numbers"]


@dataclass(frozen=True)
class Reads:
    """How moments read runs of events, where several moments of a thing share one.

    :param run: Which run each moment reads; −1 where it has no past.
    :param back: How many events of the run, its newest, are not before the moment.
    :param ages: The age of the newest event that is, as in :class:`HistoryBatch`.
    """

    run: Int[Tensor, "moments"]
    back: Int[Tensor, "moments"]
    ages: Int[Tensor, "moments"]


@dataclass(frozen=True)
class HistoryBatch:
    """The newest past events of some moments, oldest first, filled up on the left.

    Where a history is causal there is a row for each distinct *run* of events instead: moments
    whose pasts begin with the same event share one, which ends with the newest event of them all.

    :param kinds: The kind of each event; 0 where none is there.
    :param ages: floor(log2(1 + seconds before the moment)), from 0 to 31. In a run it is seconds
        after the event before, the same for all moments that read it; of its first event, 31.
    :param objects: For each entity that an event may be about, its position in
        :attr:`Batch.things`; 0 where the event is about none that is known.
    :param there: Whether there is an event.
    :param reads: What each moment reads of the runs; None where rows are moments.
    """

    kinds: Int[Tensor, "runs steps"]
    ages: Int[Tensor, "runs steps"]
    objects: Mapping[str, Int[Tensor, "runs steps"]]
    there: Bool[Tensor, "runs steps"]
    reads: Reads | None = None


@dataclass(frozen=True)
class MomentBatch:
    """The distinct moments of an entity in a grain.

    :param things: Positions in :attr:`Batch.things` of the entity.
    :param numbers: Counters and ages; no columns where the grain has no moments.
    :param history: None where the entity has none, or the grain no moments.
    """

    things: Int[Tensor, "moments"]
    numbers: Float[Tensor, "moments numbers"]
    history: HistoryBatch | None


@dataclass(frozen=True)
class Candidates:
    """What a task chooses from.

    :param positions: Positions in :attr:`Batch.things` of the ranked entity: of each candidate, or
        where candidates change with time, of each of their versions that is here.
    :param log_q: log of the chance with which each stands here, where not all do; None where all
        do, in the order of the catalogue.
    :param counts: How often each was chosen in the windows before each of the days.
    :param days: The day of each row, as a position in ``counts``.
    :param versions: Which of ``positions`` each candidate is on each of the days; None where it is
        its own on all.
    """

    positions: Int[Tensor, "_"]
    log_q: Float[Tensor, "candidates"] | None
    counts: Float[Tensor, "days candidates windows"]
    days: Int[Tensor, "rows"]
    versions: Int[Tensor, "days candidates"] | None = None


@dataclass(frozen=True)
class Examples:
    """Rows of one grain.

    :param grain: The grain, with the tasks that are asked.
    :param at: For each entity seen, the position of each row in its moments.
    :param moments: For each entity seen, its distinct moments.
    :param context: What the event itself says.
    :param clock: Hour and weekday; no columns without moments.
    :param pairs: What was counted of the common past of two entities.
    :param labels: For each task, labels as the task encoded them; 0 where unknown. Of a task with
        :attr:`candidates` the label is the place among them, from 0.
    :param known: For each task, which labels are known.
    :param candidates: For each task that ranks a catalogue, what it chooses from.
    :param weights: For each task whose rows do not all count alike, how much each does.
    :param days: The day of each row's moment (days since 1970 UTC); None without moments.
    :param matches: For each two text columns, how well their texts match.
    :param lists: Which rows stand side by side, where the event says so.
    """

    grain: Grain
    at: Mapping[str, Int[Tensor, "rows"]]
    moments: Mapping[str, MomentBatch]
    context: FieldBatch
    clock: Float[Tensor, "rows clock"]
    pairs: Mapping[tuple[str, str], Float[Tensor, "rows _"]]
    labels: Mapping[str, Float[Tensor, "rows"]]
    known: Mapping[str, Bool[Tensor, "rows"]]
    candidates: Mapping[str, Candidates]
    weights: Mapping[str, Float[Tensor, "rows"]] = field(default_factory=dict)
    days: Int[Tensor, "rows"] | None = None
    matches: Mapping[tuple[str, str], Float[Tensor, "rows _"]] = field(default_factory=dict)
    lists: Int[Tensor, "rows"] | None = None

    def __len__(self) -> int:
        return len(self.clock)


@dataclass(frozen=True)
class Batch:
    """Rows of one or more grains, and all that they lead to.

    :param touched: The distinct rows of the fused table that are read.
    :param codes: For each entity, which of its things are here, ascending; the unknown thing,
        code 0, is always the first. While training, things whose id is hidden follow after the
        others, ascending again.
    :param things: For each entity, the fields of these things.
    :param examples: One for each grain that is here.
    """

    touched: Int[Tensor, "touched"]
    codes: Mapping[str, Int[Tensor, "_"]]
    things: Mapping[str, FieldBatch]
    examples: tuple[Examples, ...]

    def __len__(self) -> int:
        return sum(len(examples) for examples in self.examples)
