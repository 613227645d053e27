"""BM25: how well the words of a query fit the words of a thing, as search engines count."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64

from jointrec.features import Bags, Text

from .base import Baseline, Question
from .choosing import chosen
from .logistic import fitted, need_sklearn

SETTINGS = tuple(product((1.2, 0.5, 3.0), (0.75, 0.25, 1.0)))
"""The k₁ and b that are tried; the first is what most search engines take."""
MOST_ROWS = 5_000
"""So many training rows say what scores mean while the two are chosen; then all of them do."""


class Side(NamedTuple):
    """The texts of one side of the rows.

    :param texts: For each text feature the pieces of each thing (or of each row).
    :param of: For each row of the grain, whose texts they are.
    """

    texts: tuple[Bags, ...]
    of: Int64[np.ndarray, "rows"]


class BM25(Baseline):
    r"""Says how relevant something is by BM25 of a query's text and the texts of the thing.

    Robertson and Zaragoza (2009), https://doi.org/10.1561/1500000019, for each text of the thing,
    summed:

    .. math:: \sum_{t \in q \cap d} \log\left(1 + \frac{N - n_t + .5}{n_t + .5}\right)
        \frac{k_1 + 1}{1 + k_1 (1 - b + b\, |d| / \overline{|d|})}

    A text is what the network reads of it: its words and pieces of words, each once; so a word that
    is repeated counts once. N counts all things of the table, of which n have the piece. What the
    score means is learned from training rows, by a logistic regression on the score, its logarithm
    and whether it is 0; k₁ and b are chosen on validation rows.

    The query is a text of the event, or of the first entity that has one; the thing is the last.
    """

    name: ClassVar[str] = "bm25"
    packages: ClassVar[tuple[str, ...]] = ("sklearn",)

    def applies(self, question: Question) -> bool:
        form = question.project.tasks[question.task].form
        return (
            bool(len(question.train)) and form in ("chance", "classes") and bool(_sides(question))
        )

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        need_sklearn(self.name)
        sides = _sides(question)
        assert sides is not None, "it applies only where both sides have texts"
        overlap = Overlap(*sides)

        def answers(
            setting: tuple[float, float],
            rows: Int64[np.ndarray, "rows"],
            asked: Question,
        ) -> np.ndarray[Any, np.dtype[np.float64]]:
            learned, said = (overlap.scores(*setting, one) for one in (asked.train, rows))
            return _meaning(asked, learned, said, seed)

        # Two numbers are chosen by a part of the rows as well as by all.
        some = replace(question, train=question.train[:: len(question.train) // MOST_ROWS + 1])
        best = chosen(question, SETTINGS, partial(answers, asked=some))
        return answers(best, question.test, question)


class Overlap:
    """What queries and things have in common."""

    def __init__(self, query: Side, thing: Side) -> None:
        self.query, self.thing = query, thing
        values = [bags.values for side in (query, thing) for bags in side.texts]
        self.width = 1 + max(int(one.max(initial=0)) for one in values)
        asked = sum(_table(bags, self.width) for bags in query.texts)
        self.asked = (asked > 0).astype(np.float64)

    def scores(
        self, k1: float, b: float, rows: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        """BM25 of each row."""
        both, things = self.asked[self.query.of[rows]], self.thing.of[rows]
        found = np.zeros(len(rows))
        for bags in self.thing.texts:
            table = _table(bags, self.width)
            seen = np.bincount(bags.values, minlength=self.width)
            num = len(bags.offsets) - 2  # row 0 is the unknown thing
            rarity = np.log1p((num - seen + 0.5) / (seen + 0.5))
            sizes = np.diff(bags.offsets)
            mean = max(float(sizes[1:].mean()) if num else 0.0, 1.0)
            fits = (k1 + 1) / (1 + k1 * (1 - b + b * sizes / mean))
            found += fits[things] * (both.multiply(table[things]) @ rarity)
        return found


def _table(bags: Bags, width: int) -> Any:
    from scipy.sparse import csr_array

    ones = np.ones(len(bags.values))
    return csr_array((ones, bags.values, bags.offsets), shape=(len(bags.offsets) - 1, width))


def _sides(question: Question) -> tuple[Side, Side] | None:
    """The query and the thing; None where they have no texts to compare."""
    grain, asked, layout = question.asked.grain, question.asked, question.prepared.layout
    found = []
    for entity in grain.sees:
        fields = question.prepared.things[entity].fields
        features = question.project.entity[entity].features
        texts = _texts(layout.things[entity].bags, fields.bags, features)
        if texts:
            found.append(Side(texts, asked.moments[entity].things[asked.at[entity]]))
    if grain.asking == "row" and grain.table in layout.context:
        features = question.project.event[grain.table].features
        texts = _texts(layout.context[grain.table].bags, asked.context.bags, features)
        if texts:
            found.insert(0, Side(texts, np.arange(len(asked))))
    return (found[0], found[-1]) if len(found) > 1 else None


def _texts(names: tuple[str, ...], bags: tuple[Bags, ...], features: Any) -> tuple[Bags, ...]:
    pairs = zip(names, bags, strict=True)
    return tuple(bag for name, bag in pairs if isinstance(features.get(name), Text))


def _meaning(
    question: Question,
    learned: Float64[np.ndarray, "train"],
    asked: Float64[np.ndarray, "rows"],
    seed: int,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What scores mean: a chance, or one of each class."""
    task, labels = question.project.tasks[question.task], question.labels[question.train]
    outputs = torch.zeros(1, question.prepared.layout.sizes[question.task])
    size = 2 if task.form == "chance" else task.answer(outputs).shape[1]
    weights = question.asked.weights.get(question.task)
    counts = np.bincount(labels.astype(np.int64), minlength=size) + 0.5
    if len(np.unique(labels)) > 1:
        mine = None if weights is None else weights[question.train]
        model = fitted(1.0, _inputs(learned, learned), labels, mine, seed)
        chances = np.zeros((len(asked), size))
        chances[:, model.classes_.astype(np.int64)] = model.predict_proba(_inputs(asked, learned))
    else:
        chances = np.tile(counts / counts.sum(), (len(asked), 1))
    return task.for_all_rows(chances[:, 1] if task.form == "chance" else chances)


def _inputs(
    scores: Float64[np.ndarray, "rows"], learned: Float64[np.ndarray, "train"]
) -> Float64[np.ndarray, "rows 3"]:
    known, asked = (np.stack([one, np.log1p(one), one > 0], axis=1) for one in (learned, scores))
    spread = known.std(axis=0)
    found: Float64[np.ndarray, "rows 3"] = (asked - known.mean(axis=0)) / np.where(
        spread, spread, 1
    )
    return found
