"""The scan: every detector over every task, on samples of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jointrec.plan import Plan, plan
from jointrec.prepare import Prepared, Tables
from jointrec.prepare.answers import AllAnswered, answer_all
from jointrec.prepare.check import Checked, checked, read_tables
from jointrec.prepare.training_rows import hashes_of
from jointrec.project import Project

from .columns import columns_at
from .events import events_before, settled_late
from .found import FACTS, Leak, Leaks, gathered
from .future import aggregate_leaks, later_leaks
from .ids import id_leaks
from .question import Question, Sample, questions_answered, questions_prepared, samples_of
from .sides import overlap, row_order_leaks, split_leaks
from .single import single_column_leaks


def find_leaks(project: Project, root: str | Path | None = None) -> Leaks:
    """Reads the tables of a project and looks for ways in which an answer may reach a feature.

    Nothing is trained and nothing is changed; whether an alarm is right is for a person to say.

    :param project: What to read and ask, as :func:`jointrec.read` gives it.
    :param root: The folder that relative sources are found in. Default: the current one.
    :raises JointRecError: for whatever is wrong with the declarations or the data, all at once.
    """
    return check_for_leaks(project, None if root is None else Path(root))[1]


def check_for_leaks(project: Project, root: Path | None = None) -> tuple[Checked, Leaks]:
    """The plan of a project in numbers, and its leaks; tables and answers are made once for both.

    :raises JointRecError: for whatever is wrong with the declarations or the data, all at once.
    """
    planned = plan(project)
    tables = read_tables(project, root)
    answers = answer_all(project, planned, tables, hashes_of(tables))
    told = checked(project, planned, tables, answers)
    return told, scan_answers(project, planned, tables, answers)


def scan_answers(project: Project, planned: Plan, tables: Tables, answers: AllAnswered) -> Leaks:
    """The scan of tables whose answers are known, before anything is encoded."""
    return scan(project, planned, tables, questions_answered(planned, answers))


def scan_prepared(project: Project, planned: Plan, tables: Tables, prepared: Prepared) -> Leaks:
    """The scan of tables that were prepared for training."""
    return scan(project, planned, tables, questions_prepared(prepared))


def scan(project: Project, planned: Plan, tables: Tables, questions: list[Question]) -> Leaks:
    """Looks for ways in which answers may reach features. It changes nothing and draws by a seed
    of its own, so the same tables give the same alarms.

    Test rows are never judged by their answers: only whether rows of theirs are in training.
    """
    samples = list(samples_of(project, questions))
    found = [
        *_of_columns(project, tables, samples),
        *aggregate_leaks(project, planned, tables),
        *settled_late(project, planned, tables, samples),
        *row_order_leaks(project, samples),
    ]
    for question in questions:
        found += split_leaks(project, tables, question)
        found += overlap(question)
    told = gathered(found)
    return Leaks(
        tuple(one for one in told if one.code not in FACTS),
        tuple(one for one in told if one.code in FACTS),
        _looked_at(samples),
    )


def _of_columns(project: Project, tables: Tables, samples: Sequence[Sample]) -> Iterator[Leak]:
    for sample in samples:
        if not sample.targets:
            continue
        columns = list(columns_at(project, tables, sample))
        yield from single_column_leaks(sample, columns)
        yield from id_leaks(tables, sample, columns)
        yield from later_leaks(project, tables, sample, columns)
        yield from events_before(project, tables, sample)


def _looked_at(samples: Sequence[Sample]) -> dict[str, tuple[int, int]]:
    """For each grain the most rows that any of its tasks looked at, and of how many."""
    looked: dict[str, tuple[int, int]] = {}
    for sample in samples:
        name, rows = sample.question.grain.name, (len(sample.rows), sample.of)
        looked[name] = max(looked.get(name, (0, 0)), rows)
    return looked
