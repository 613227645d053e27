"""A trained model and its verbs: evaluate, predict, recommend, save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from jointrec.errors import DataError
from jointrec.evaluation import Report, Ways, evaluate
from jointrec.prepare import asked_again, over, prepared_of, times_met
from jointrec.prepare import load as load_tables
from jointrec.project import Project
from jointrec.training import followed

from . import bundle
from .answering import answerer
from .asking import Key, Questions
from .learned import Learned
from .moments import Moment
from .questions import by_keys, by_table, by_table_in_parts
from .ranking import best_for, default_ranking


@dataclass(frozen=True)
class Model(Learned):
    """Network, project and preparation together, with the verbs. Made by ``fit`` or ``load``.

    :param reader: What is known of every thing at every moment.
    :param networks: For each task the network that answers it. Tasks of one funnel share one.
    :param report: What was measured when it was trained.
    :param declared: The project as it was declared, with its own sources; None where a table was
        in memory, which no file can name.
    """

    def predict(
        self,
        task: str | Sequence[str],
        rows: Any = None,
        *,
        at: Moment | None = None,
        context: Mapping[str, Any] | None = None,
        k: int = 10,
        given: str | None = None,
        **keys: Key | Sequence[Key],
    ) -> pl.DataFrame:
        """Answers a task, or several: for the keys given, for a table of rows, or for everybody.

        Whatever was never seen is legal: a key that no table holds is an unknown thing, an entity
        that is not named is unknown, and so is a value that no training row had. A number that
        cleaning would have made null is unknown here too, and one that it would have capped is.

        :param task: Which one, by its name in the project. Of a task with several horizons each has
            a name of its own, ``sales_7d``; all of them have the one that was declared, ``sales``.
            Several names (``["click", "buy"]``) of tasks that are asked of the same rows are
            answered in one pass, which takes hardly longer than one of them.
        :param rows: A file or a table with a column for each entity (called as in the event, as the
            entity's key, or as the entity), and any features of the event. The event's time, or a
            column ``moment`` where entities are asked, asks each row at its own moment. A
            :class:`.DataWarning` tells of cells that could not be read, which are unknown, and of
            columns that seem to be misspelt.
        :param at: The moment at which all is asked. Default: just after the data end.
        :param context: Features of the event, one value for all rows or one for each:
            ``{"device": "mobile"}``.
        :param k: How many of a catalogue are listed, for a task that ranks one.
        :param given: A task of its funnel that comes before it, and is taken to have happened:
            ``predict("buy", given="click")`` is the chance to buy of those who click.
        :param keys: For each entity one key or a list of them: ``user="u7", item=["i1", "i2"]``.
            Something new is what is known of it: ``query={"words": "red shoes"}``; a text that is
            no key is read so where the entity has just one ``Text`` feature.
        :returns: One row for each row asked (and each horizon, in ``within``), in its order, with a
            column for each entity and ``answer``; for classes also ``probability`` and one column
            per class; for a catalogue ``k`` rows each, best first, with ``rank`` and ``score``.
            Of several tasks the answer of each is a column of its name.
        :raises JointRecError: for a task, entity or feature that there is not, and for rows that
            cannot be read.
        """
        asked, say = answerer(self, task, k, given)
        return say(self._questions(asked, rows, at, context, keys))

    def predict_parts(
        self,
        task: str | Sequence[str],
        rows: Any,
        *,
        at: Moment | None = None,
        k: int = 10,
        given: str | None = None,
    ) -> Iterator[pl.DataFrame]:
        """Answers a table of rows as :meth:`predict` does, part by part.

        A file need not fit into memory, nor need its answers. Parquet, CSV and databases come in
        parts of some hundred thousand rows; of other sources there is one.

        :raises JointRecError: as :meth:`predict`, but maybe only after some parts.
        """
        asked, say = answerer(self, task, k, given)
        for part in by_table_in_parts(self.reader, self.plan.grain_of(asked), rows, at):
            yield say(part)

    def _questions(
        self, task: str, rows: Any, at: Moment | None, context: Mapping[str, Any] | None,
        keys: Mapping[str, Key | Sequence[Key]],
    ) -> Questions:  # fmt: skip
        """The rows that are asked, of the grain of a task."""
        grain = self.plan.grain_of(task)
        if rows is None:
            return by_keys(self.reader, grain, keys, at, context or {})
        if keys or context:
            raise DataError("predict: give rows, or keys and context, not both.")
        return by_table(self.reader, grain, rows, at)

    def recommend(
        self,
        *,
        k: int = 10,
        rank_by: Mapping[str, float] | None = None,
        at: Moment | None = None,
        context: Mapping[str, Any] | None = None,
        candidates: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        **keys: Key,
    ) -> pl.DataFrame:
        """The best ``k`` for somebody by a weighted sum of answers. Exact: all are scored.

        :param k: How many are listed.
        :param rank_by: What counts how much: ``{"buy": 1, "revenue": 0.1}``. A task that ranks a
            catalogue counts by its probability. Default: the task that uses most of what is given.
        :param at: The moment at which all is asked. Default: just after the data end.
        :param context: Features of the event, such as ``{"device": "mobile"}``.
        :param candidates: Only these are considered. Default: every row of the entity.
        :param exclude: These are left out.
        :param keys: For whom: ``user="u7"``, and whatever else is known, ``query="red shoes"``.
        :returns: One row for each candidate, best first: ``rank``, the key, ``score``, and one
            column for each task of ``rank_by``.
        :raises JointRecError: where the tasks rank nothing, or not the same thing.
        """
        weights = dict(rank_by) if rank_by else default_ranking(self, keys)
        return best_for(
            self, keys, k=k, rank_by=weights, at=at, context=context or {},
            candidates=candidates, exclude=exclude,
        )  # fmt: skip

    def evaluate(self, root: str | Path | None = None, *, rounds: int = 200) -> Report:
        """Measures the model: on its own test rows, or on the tables of another folder.

        :param root: A folder with the same tables, of later months or of other users. Rows asked
            at or after the test cut that the model was trained with are measured. What follows
            settled labels does so on these tables, each day by what was settled before it.
        :param rounds: How often clusters are resampled for the intervals.
        :raises JointRecError: where the tables cannot be read, or the project's own were in memory.
        """
        reader = self.reader
        if root is not None:
            reader = over(
                reader,
                load_tables(self._from_files(), Path(root), learned=self.reader.preparation),
            )
        prepared = prepared_of(
            reader, {grain.name: asked_again(reader, grain) for grain in self.plan.grains}
        )
        ways = Ways(followed(self.networks, prepared), {}, (), {})
        met = times_met(self.project, reader.tables)
        tasks = evaluate(self.project, self.plan, prepared, ways, met=met, rounds=rounds)
        return Report(tasks, {**self.report.facts, "measured_on": str(root or "its own tables")})

    def save(self, path: str | Path) -> Path:
        """Saves the model as a bundle: a folder of safetensors, JSON and Parquet with a manifest.

        A crash while saving leaves the old folder or the new one, never half of one.

        :param path: The folder to be; a bundle that is there is replaced.
        :raises BundleError: where something is at ``path`` that is no bundle.
        """
        return bundle.write(self, Path(path))

    def _from_files(self) -> Project:
        """The project with sources that another folder may hold."""
        declared = self.declared
        if declared is None or not all(
            isinstance(source, str | Path)
            for family in (declared.entity, declared.event)
            for source in [table.source for table in family.values()]
        ):
            raise DataError(
                "evaluate: the model was made of tables in memory, so it cannot know which files "
                "of another folder they are. Declare files, and train it again."
            )
        return declared


def load(path: str | Path) -> Model:
    """Reads a saved model, after every file of it was checked against the manifest. Runs no code.

    :param path: The folder that ``save`` wrote.
    :raises BundleError: where a file is missing, changed or added, a weight is no number, or the
        format is another.
    """
    found = bundle.read(Path(path))
    return Model(found.reader, found.networks, found.report, found.declared)
