"""Events that answer a row before it asks, and outcomes that are settled later than declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from jointrec.labels import DAY, microseconds
from jointrec.plan import Plan, timed
from jointrec.prepare import Tables, Timeline
from jointrec.project import Project

from .found import Leak, leak
from .question import Question, Sample
from .scores import power

SECOND = 1_000_000
JUST_BEFORE = {"1 second": SECOND, "1 minute": 60 * SECOND, "1 hour": 3_600 * SECOND}
"""How long before a row an event is looked for that answers it."""
RIGHT, RIGHT_SOON, OF = 0.95, 0.85, 0.2
"""How often an event just before a row, or within a minute before, may be followed by yes, covering
how much of all yes."""
LEAST = 25
HORIZONS = (3_600 * SECOND, 6 * 3_600 * SECOND, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY)
"""How far after a row the event is looked for that made its outcome."""
MADE_BY = (0.6, 1.5)
"""How many more such events must follow a row with yes than with no, than came before it: one."""
FOLLOWED = 0.85
"""The share of rows with yes that must be followed by such an event."""
LATE = 0.1
"""The share of outcomes that may come later than `matures`."""
FRESH = 5
"""In how many steps of age the newest rows are looked at."""


def events_before(project: Project, tables: Tables, sample: Sample) -> Iterator[Leak]:
    """Kinds of events that are booked just before the rows whose answer they are, and, as a fact,
    those that are booked at the same moment."""
    if sample.times is None:
        return
    grain = sample.question.grain
    for event in project.event:
        if not timed(project, event) or event == grain.table:
            continue
        shared = tuple(
            name
            for name in project.event[event].entities
            if name in grain.entities and name in sample.question.rows.codes
        )
        for entities in dict.fromkeys([shared, *((name,) for name in shared[:1])]):
            told = _before(tables, sample, event, entities) if entities else None
            if told is not None:
                yield told
                break


def _before(tables: Tables, sample: Sample, event: str, entities: tuple[str, ...]) -> Leak | None:
    assert sample.times is not None
    line, asked = timeline_of(tables, sample.question, event, entities, sample.rows)
    spans = line.past(asked, sample.times, tuple(JUST_BEFORE.values()))
    for name, span in zip(JUST_BEFORE, spans, strict=True):
        told = _answers(sample, (line.count(span) > 0) & (asked >= 0), soon=name != "1 hour")
        if told:
            return leak(
                "event_before_outcome", f"event.{event}", None, (sample.task,),
                count=len(sample.rows),
                evidence=f"Where a `{event}` of the same {' and '.join(entities)} is booked "
                f"at most {name} before the row, {told}",
                advice="The event is the answer, booked early: counters and history read it. "
                "Give it the time at which it was known, or ask at an earlier moment.",
            )  # fmt: skip
    same = line.count(line.after(asked, sample.times, 1)) > 0
    told = _answers(sample, same & (asked >= 0), soon=True)
    if not told:
        return None
    return leak(
        "same_moment", f"event.{event}", None, (sample.task,), count=len(sample.rows),
        evidence=f"Where a `{event}` of the same {' and '.join(entities)} is booked at the very "
        f"moment of the row, {told}",
        advice="Nothing at the moment itself is seen, so this does not leak; were its time rounded "
        "down, or the row's up, it would.",
    )  # fmt: skip


def _answers(sample: Sample, there: Bool[np.ndarray, "rows"], *, soon: bool) -> str:
    """What an event's being there tells, where that is too much; nothing where it is not."""
    if there.sum() < LEAST:
        return ""
    for target in sample.targets:
        told = power(target.yes, target.share, there.astype(np.int64), sample.clusters)
        sure = (
            target.share <= 0.6
            and told.precision >= (RIGHT_SOON if soon else RIGHT)
            and told.recall >= OF
            and told.sure >= LEAST
            and 1 - told.precision <= 0.2 * (1 - target.share)
        )
        if sure or (told.clusters >= LEAST and told.low(1.64) >= 0.95):
            return (
                f"`{target.name}` is yes in {told.precision:.1%} of rows, and that is "
                f"{told.recall:.0%} of all yes (AUC {told.auc:.3f})."
            )
    return ""


def timeline_of(
    tables: Tables,
    question: Question,
    event: str,
    entities: Sequence[str],
    rows: Int64[np.ndarray, "rows"],
) -> tuple[Timeline, Int64[np.ndarray, "rows"]]:
    """The events of a kind by the entities that they share with a question, and the key of each
    row; −1 where it is unknown."""
    frame = tables.events[event]
    keys = np.zeros(len(frame), np.int64)
    asked = np.zeros(len(rows), np.int64)
    kept, known = np.ones(len(frame), np.bool_), np.ones(len(rows), np.bool_)
    for entity in entities:
        codes, own = frame[f"@{entity}"].to_numpy(), question.rows.codes[entity][rows]
        size = len(tables.entities[entity]) + 1
        own = np.where(own < size, own, 0)
        keys, asked = keys * size + codes, asked * size + own
        known &= own > 0
        # Only those who are asked about are indexed: a sample asks about few.
        wanted = np.zeros(size, np.bool_)
        wanted[own] = True
        wanted[0] = False
        kept &= wanted[codes]
    asked = np.where(known, asked, -1)
    return Timeline.build(keys[kept], frame["@time"].to_numpy()[kept]), asked


def settled_late(
    project: Project, plan: Plan, tables: Tables, samples: Sequence[Sample]
) -> Iterator[Leak]:
    """Outcomes of events that are settled later than `matures` of the event says."""
    for sample in samples:
        label = project.tasks[sample.task].label
        grain = sample.question.grain
        if not isinstance(label, str) or sample.times is None or grain.asking != "row":
            continue
        if label.partition(".")[2] not in plan.outcomes.get(grain.table, ()):
            continue
        found = _made_by_events(project, tables, sample) or _still_rising(project, sample)
        if found is not None:
            yield found


def _made_by_events(project: Project, tables: Tables, sample: Sample) -> Leak | None:
    """Whether a kind of event makes the outcome, and how long after the row it comes."""
    grain, times = sample.question.grain, sample.times
    assert times is not None
    declared = microseconds(project.event[grain.table].matures)
    (target,) = sample.targets
    for event in project.event:
        shared = [name for name in project.event[event].entities if name in grain.entities]
        shared = [name for name in shared if name in sample.question.rows.codes]
        if event == grain.table or not timed(project, event) or not shared:
            continue
        line, asked = timeline_of(tables, sample.question, event, shared, sample.rows)
        lengths = [declared, *(length for length in HORIZONS if length > declared)]
        made = [_made(tables, sample, line, asked, length) for length in lengths]
        steady = [
            (length, one)
            for length, one in zip(lengths, made, strict=True)
            if one.num >= LEAST
            and one.followed >= FOLLOWED
            and MADE_BY[0] <= one.more <= MADE_BY[1]
        ]
        if not steady or made[0].num < LEAST:
            continue
        most = max(one.more for _, one in steady)
        length, whole = next(found for found in steady if found[1].more >= 0.9 * most)
        late = 1 - made[0].more / whole.more
        error = float(np.hypot(made[0].error, whole.error)) / whole.more
        if length > declared and late - 3 * error >= LATE / 2 and late >= LATE:
            return _late(
                project, sample, count=int(late * target.yes.sum()),
                evidence=f"A `{event}` makes `{sample.task}`, and about {late:.0%} of them come "
                f"later than the {project.event[grain.table].matures} of `matures`",
                days=length / DAY,
            )  # fmt: skip
    return None


@dataclass(frozen=True)
class Made:
    """How many events a yes is followed by, beyond those that would be there anyway.

    What follows a row less what came before it, with yes less with no: whoever has many such events
    has them on both sides.

    :param error: The standard error of ``more``.
    :param followed: The share of rows with yes that are followed by at least one.
    :param num: How many rows with yes there are.
    """

    more: float
    error: float
    followed: float
    num: int


def _made(
    tables: Tables,
    sample: Sample,
    line: Timeline,
    asked: Int64[np.ndarray, "rows"],
    length: int,
) -> Made:
    """The same within a length of time, of the rows with so much data after them."""
    times, yes = sample.times, sample.targets[0].yes
    assert times is not None
    usable = (asked >= 0) & (times + length <= (tables.until or 0))
    after = line.count(line.after(asked, times, length))
    gap = (after - line.count(line.before(asked, times, length))).astype(np.float64)
    of_yes, of_no = gap[usable & yes], gap[usable & ~yes]
    if len(of_yes) < 2 or len(of_no) < 2:
        return Made(0.0, np.inf, 0.0, 0)
    error = np.sqrt(of_yes.var() / len(of_yes) + of_no.var() / len(of_no))
    followed = float((after[usable & yes] > 0).mean())
    return Made(float(of_yes.mean() - of_no.mean()), float(error), followed, len(of_yes))


def _still_rising(project: Project, sample: Sample) -> Leak | None:
    """Whether the newest rows have hardly an outcome yet, less the newer they are, at an age at
    which `matures` calls them settled. Training and validation rows only."""
    times, question = sample.times, sample.question
    assert times is not None
    labels = question.labels[sample.task]
    every = question.rows.times
    assert every is not None
    known = ~np.isnan(labels)
    declared = microseconds(project.event[question.grain.table].matures)
    age = every[known].max() - every[known]
    yes = labels[known] > 0
    for reach in (2, 3, 5, 7, 10, 14, 21, 30, 45, 60):
        if reach * DAY <= 1.5 * declared or 3 * reach * DAY > age.max():
            continue
        old = age >= reach * DAY
        usual = float(yes[old].mean()) if old.any() else 0.0
        edges = np.linspace(declared, reach * DAY, FRESH + 1)
        step = np.digitize(age, edges) - 1
        rows = np.array([(step == n).sum() for n in range(FRESH)])
        if usual == 0 or (rows * usual).min() < 15:
            continue
        rates = np.array([yes[step == n].mean() for n in range(FRESH)]) / usual
        if rates[0] <= 0.25 and rates[-1] >= 0.6 and _rises(rates, rows * usual):
            return _late(
                project, sample, count=int((step >= 0).sum() - (step >= FRESH).sum()),
                evidence=f"Of rows up to {edges[1] / DAY:.1f} days old only {rates[0]:.0%} of the "
                f"usual share are yes, and the share rises with age up to {reach} days",
                days=float(reach),
            )  # fmt: skip
    return None


def _rises(rates: Float64[np.ndarray, "steps"], expected: Float64[np.ndarray, "steps"]) -> bool:
    """Whether shares rise from step to step, as far as chance lets one see."""
    noise = np.sqrt(rates[1:] / expected[1:] + rates[:-1] / expected[:-1])
    rising: Bool[np.ndarray, "steps"] = np.diff(rates) > -noise
    return bool(rising.all())


def _late(project: Project, sample: Sample, *, count: int, evidence: str, days: float) -> Leak:
    table, matures = sample.question.grain.table, f"{max(int(np.ceil(days)), 1)}d"
    return leak(
        "matures_too_short", f"event.{table}", str(project.tasks[sample.task].label).split(".")[1],
        (sample.task,), count=count, evidence=f"{evidence}.",
        advice=f'Rates and history would read answers that nobody had yet. Write matures = '
        f'"{matures}" for `{table}`.',
    )  # fmt: skip
