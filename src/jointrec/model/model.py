"""A trained model and its verbs: evaluate, predict, recommend, save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from jointrec.errors import DataError, ProjectError, unknown_name
from jointrec.evaluation import Report, Ways, evaluate
from jointrec.network import JointNetwork, answers_of
from jointrec.plan import Grain, Plan
from jointrec.prepare import Asked, Prepared, Reader, asked_again, load, over, prepared_of
from jointrec.project import Project
from jointrec.sources import Cell, read

from .asking import Key, Questions, ask, context_frame, moment_of

Answers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Model:
    """Network, project and preparation together, with the verbs. Made by ``fit`` or ``load``.

    :param reader: What is known of every thing at every moment.
    :param networks: For each task the network that answers it. Tasks of one funnel share one.
    :param report: What was measured when it was trained.
    :param declared: The project as it was declared, with its own sources.
    """

    reader: Reader
    networks: Mapping[str, JointNetwork]
    report: Report
    declared: Project

    @property
    def project(self) -> Project:
        """The project that the model answers for."""
        return self.reader.project

    @property
    def plan(self) -> Plan:
        """The grains of the project."""
        return self.reader.plan

    @cached_property
    def _prepared(self) -> Prepared:
        return prepared_of(self.reader, {})

    def predict(
        self,
        task: str,
        rows: Any = None,
        *,
        at: str | datetime | None = None,
        context: Mapping[str, Any] | None = None,
        k: int = 10,
        **keys: Key | Sequence[Key],
    ) -> pl.DataFrame:
        """Answers a task: for the keys given, for a table of rows, or for every entity.

        :param rows: A file or a table with a column for each key (named as the key or as the
            entity), and any features of the event; a column with the event's time asks each row at
            its own moment.
        :param at: The moment at which all is asked. Default: just after the data end.
        :param context: Features of the event that hold for all rows: ``{"device": "mobile"}``.
        :param k: How many of a catalogue are listed, for a task that ranks one.
        :param keys: For each entity one key or a list of them: ``user="u7", item=["i1", "i2"]``.
        :returns: One row for each row asked, in its order, with a column for each entity and
            ``answer``; for classes also ``probability`` and one column per class; for a catalogue
            ``k`` rows each, best first, with ``rank`` and ``score``.
        """
        self._check_task(task)
        grain = self.plan.grain_of(task)
        if rows is not None:
            asked = self._from_table(grain, rows, at)
        else:
            asked = self._from_keys(grain, keys, at, context or {})
        answers = self._answers(asked, (task,))[task]
        frame = pl.DataFrame([asked.keys[entity] for entity in grain.entities])
        if task in self.plan.catalogue:
            return self._listed(task, frame, answers, k)
        return self._with_answers(task, frame, answers)

    def recommend(
        self,
        *,
        k: int = 10,
        rank_by: Mapping[str, float] | None = None,
        at: str | datetime | None = None,
        context: Mapping[str, Any] | None = None,
        candidates: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        **keys: Key,
    ) -> pl.DataFrame:
        """The best ``k`` of a catalogue for somebody, by a weighted sum of answers. Exact: all are scored.

        :param rank_by: What counts how much: ``{"buy": 1, "revenue": 0.1}``. A task that ranks a
            catalogue counts by its probability. Default: the first task that fits.
        :param candidates: Only these are considered. Default: every row of the entity.
        :param exclude: These are left out.
        :param keys: For whom: ``user="u7"``, and whatever else is known, ``query="red shoes"``.
        :returns: One row for each candidate, best first: ``rank``, the key, ``score`` and one column
            for each task of ``rank_by``.
        """
        for entity in keys:
            if entity not in self.project.entity:
                raise DataError(unknown_name("entity", entity, self.project.entity, at="recommend"))
        weights = dict(rank_by) if rank_by else self._default_ranking(keys)
        for task in weights:
            self._check_task(task)
        entity = self._candidate_entity(weights, keys)
        table = self.reader.tables.entities[entity]["@key"]
        chosen = list(candidates) if candidates is not None else table.to_list()
        barred = set(exclude)
        chosen = [key for key in chosen if key not in barred]
        scores: dict[str, Answers] = {}
        for task in weights:
            scores[task] = self._scores(task, entity, chosen, keys, at, context or {})
        total = sum((weights[task] * scores[task] for task in weights), np.zeros(len(chosen)))
        best = np.argsort(-total, kind="stable")[:k]
        return pl.DataFrame(
            {
                "rank": np.arange(1, len(best) + 1),
                entity: [chosen[n] for n in best],
                "score": total[best],
                **{task: values[best] for task, values in scores.items()},
            }
        )

    def evaluate(self, root: str | Path | None = None, *, rounds: int = 200) -> Report:
        """Measures the model: on its own test rows, or on the tables of another folder.

        :param root: A folder with the same tables, of later months or of other users. Rows asked
            at or after the test cut that the model was trained with are measured.
        """
        reader = self.reader
        if root is not None:
            reader = over(reader, load(self.declared, Path(root)))
        prepared = prepared_of(
            reader, {grain.name: asked_again(reader, grain) for grain in self.plan.grains}
        )
        ways = Ways(self.networks, {}, (), {})
        tasks = evaluate(self.project, self.plan, prepared, ways, rounds=rounds)
        return Report(tasks, {**self.report.facts, "measured_on": str(root or "its own tables")})

    def save(self, path: str | Path) -> Path:
        """Saves the model as a bundle: a folder of safetensors, JSON and Parquet with a manifest.

        A crash while saving leaves the old folder or the new one, never half of one.
        """
        from .bundle import save

        return save(self, Path(path))

    def _check_task(self, task: str) -> None:
        if task not in self.project.tasks:
            raise ProjectError(unknown_name("task", task, self.project.tasks, at="tasks"))

    def _from_keys(
        self,
        grain: Grain,
        keys: Mapping[str, Key | Sequence[Key]],
        at: str | datetime | None,
        context: Mapping[str, Any],
    ) -> Questions:
        for entity in keys:
            if entity not in grain.entities:
                raise DataError(unknown_name("entity", entity, grain.entities, at=grain.name))
        if not keys:
            keys = self._everybody(grain)
        lists = {
            entity: [key] if isinstance(key, str | Mapping) else list(key)
            for entity, key in keys.items()
        }
        count = max(len(items) for items in lists.values())
        for entity, items in lists.items():
            if len(items) not in (1, count):
                raise DataError(
                    f"{entity}: {len(items)} keys were given, and {count} of another entity. "
                    "Give one key, which holds for all, or as many as the others."
                )
        spread = {e: items * count if len(items) == 1 else items for e, items in lists.items()}
        times = self._times(grain, count, at)
        frame = context_frame(self.reader, grain, context, count)
        return ask(self.reader, grain, spread, times, frame)

    def _everybody(self, grain: Grain) -> dict[str, list[str]]:
        if len(grain.entities) != 1:
            raise DataError(
                f"{grain.name}: rows of several entities ({', '.join(grain.entities)}) cannot all "
                "be listed. Give keys, or a table of rows."
            )
        return {grain.entities[0]: self.reader.tables.entities[grain.entities[0]]["@key"].to_list()}

    def _times(self, grain: Grain, count: int, at: str | datetime | None) -> Any:
        if not self._has_moments(grain):
            return None
        return np.full(count, moment_of(at, self.reader), dtype=np.int64)

    def _has_moments(self, grain: Grain) -> bool:
        if grain.asking == "once":
            return False
        return grain.table in self.project.entity or self.project.event[grain.table].time is not None

    def _from_table(self, grain: Grain, rows: Any, at: str | datetime | None) -> Questions:
        event = self.project.event.get(grain.table) if grain.asking == "row" else None
        found = read_columns(rows)
        columns: dict[str, Cell] = {}
        named: dict[str, str] = {}
        for entity in grain.entities:
            declared = self.declared.entity[entity].key
            own = event.keys.get(entity) if event else None
            options = [name for name in (own, declared, entity) if name]
            named[entity] = next((name for name in options if name in found), options[0])
            columns[named[entity]] = Cell.ID
        features = event.features if event else {}
        columns |= {n: Cell[f.cell.upper()] for n, f in features.items() if n in found}
        time = event.time if event else None
        if time in found and at is None:
            columns[time] = Cell.TIME
        frame = pl.DataFrame(read(rows, root=None, columns=columns, at="rows").table)
        keys = {entity: frame[name].fill_null("").to_list() for entity, name in named.items()}
        times = self._times(grain, len(frame), at)
        if times is not None and time in columns:
            times = frame[time].cast(pl.Int64).fill_null(moment_of(None, self.reader)).to_numpy()
        return ask(self.reader, grain, keys, times, frame)

    def _answers(self, questions: Questions, tasks: tuple[str, ...]) -> dict[str, Answers]:
        prepared = replace(self._prepared, things=questions.reader.things)
        asked: Asked = questions.asked
        found: dict[str, list[Answers]] = {task: [] for task in tasks}
        for task in tasks:
            rows = np.arange(len(asked))
            for piece in answers_of(self.networks[task], prepared, asked, (task,), rows):
                found[task].append(piece[task])
        return {task: np.concatenate(pieces) for task, pieces in found.items()}

    def _with_answers(self, task: str, frame: pl.DataFrame, answers: Answers) -> pl.DataFrame:
        classes = self.reader.preparation.tasks[task].get("classes")
        if classes is None:
            return frame.with_columns(pl.Series("answer", answers))
        best = answers.argmax(axis=1)
        return frame.with_columns(
            pl.Series("answer", [str(classes[n]) for n in best]),
            pl.Series("probability", answers.max(axis=1)),
            *[pl.Series(f"P({name})", answers[:, n]) for n, name in enumerate(classes)],
        )

    def _listed(self, task: str, frame: pl.DataFrame, answers: Answers, k: int) -> pl.DataFrame:
        entity = self.plan.catalogue[task]
        names = self.reader.tables.entities[entity]["@key"]
        k = min(k, answers.shape[1])
        best = np.argsort(-answers, axis=1, kind="stable")[:, :k]
        repeated = frame.select(pl.all().repeat_by(k).explode())
        return repeated.with_columns(
            pl.Series("rank", np.tile(np.arange(1, k + 1), len(frame))),
            names.gather(best.ravel()).alias("answer"),
            pl.Series("score", np.take_along_axis(answers, best, axis=1).ravel()),
        )

    def _default_ranking(self, keys: Mapping[str, Key]) -> dict[str, float]:
        for task in self.plan.catalogue:
            if set(self.plan.grain_of(task).sees) <= set(keys):
                return {task: 1.0}
        for grain in self.plan.grains:
            if set(keys) < set(grain.entities) and grain.asking == "row":
                return {grain.tasks[-1]: 1.0}
        raise DataError(
            f"recommend: no task ranks anything for {', '.join(keys) or 'nobody'}. "
            'Say what to rank by: rank_by={"click": 1}.'
        )

    def _candidate_entity(self, weights: Mapping[str, float], keys: Mapping[str, Key]) -> str:
        entities = [
            self.plan.catalogue.get(task)
            or next((e for e in reversed(self.plan.grain_of(task).entities) if e not in keys), None)
            for task in weights
        ]
        if None in entities or len(set(entities)) != 1:
            raise DataError(
                f"recommend: {', '.join(weights)} do not rank the same thing for "
                f"{', '.join(keys) or 'nobody'}. Name tasks that see one more entity than is given."
            )
        return str(entities[0])

    def _scores(
        self, task: str, entity: str, chosen: list[str], keys: Mapping[str, Key],
        at: str | datetime | None, context: Mapping[str, Any],
    ) -> Answers:  # fmt: skip
        grain = self.plan.grain_of(task)
        given = {name: key for name, key in keys.items() if name in grain.entities}
        if task in self.plan.catalogue:
            asked = self._from_keys(grain, given, at, {})
            scores = self._answers(asked, (task,))[task][0]
            odds = np.exp(scores - scores.max())
            names = self.reader.tables.entities[entity]["@key"].to_list()
            place = {name: n for n, name in enumerate(names)}
            chances = odds / odds.sum()
            return np.array([chances[place[key]] if key in place else 0.0 for key in chosen])
        asked = self._from_keys(grain, {**given, entity: chosen}, at, context)
        answers = self._answers(asked, (task,))[task]
        if answers.ndim > 1:
            raise DataError(
                f"recommend: `{task}` answers with classes, which cannot be ranked by. "
                "Rank by a chance, an amount or a count."
            )
        return answers


def read_columns(rows: Any) -> list[str]:
    """The columns that a file or a table has."""
    from jointrec.sources import columns

    return list(columns(rows, root=None, at="rows"))
