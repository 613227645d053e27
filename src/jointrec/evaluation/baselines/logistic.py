"""Logistic regression: the oldest way to say a chance, and hard to beat where rows are few."""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int64

from jointrec.errors import missing_extra

from .base import Baseline, Question
from .matrix import Matrix, matrix
from .parts import Part, always, parts_of, together

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""The C that are tried, from strong to weak shrinkage; the middle one without validation rows."""
MOST_VALUES, LEAST_ROWS = 1_000, 5
"""A category has a coefficient for each of so many values, and a value for so many rows of it."""
QUICK = 1_000_000
"""A set of many members needs a model for each: with so many rows in all it takes a minute."""
MOST_TRIED, MOST_TRAINED = 50_000, 200_000
"""So many training rows try the strengths, and so many train with the best: of more, every n-th.
A thousand coefficients are known from so many, and of a million they take minutes to learn."""


class LogisticRegression(Baseline):
    """Logistic regression with an L2 penalty, on the same features as the network.

    Numbers are standardised, categories have a coefficient for each value, rare values share one.
    How strong the penalty is, the log loss of the validation rows decides (scikit-learn's ``C``:
    the inverse of the strength). Rows count as their weights say; classes are not reweighted. Of
    more than 200,000 training rows every n-th trains.
    """

    name: ClassVar[str] = "logistic"
    packages: ClassVar[tuple[str, ...]] = ("sklearn",)

    def applies(self, question: Question) -> bool:
        form = question.project.tasks[question.task].form
        return bool(len(question.train)) and form in ("chance", "set", "steps")

    def quick(self, question: Question) -> bool:
        return len(parts_of(question)) * min(len(question.train), MOST_TRAINED) <= QUICK

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        need_sklearn(self.name)
        question = replace(question, train=thinned(question.train, MOST_TRAINED))
        train, valid, test = (
            matrix(question.prepared, question.asked, rows)
            for rows in (question.train, question.valid, question.test)
        )
        form = _columns(train)
        inputs = form.fit_transform(train.values), form.transform(test.values)
        judged = form.transform(valid.values) if len(question.valid) else None
        said = [chances_of(question, part, *inputs, judged, seed) for part in parts_of(question)]
        return question.project.tasks[question.task].for_all_rows(together(question, said))


def need_sklearn(way: str) -> None:
    """:raises MissingExtra: where scikit-learn is not installed."""
    if find_spec("sklearn") is None:
        raise missing_extra("scikit-learn", "baselines", needed_for=f"the {way} baseline")


def _columns(train: Matrix) -> Any:
    """What turns a matrix into inputs: its numbers standardised, its categories one by one."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [n for n in range(len(train.names)) if n not in set(train.categories)]
    each = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=LEAST_ROWS,
        max_categories=MOST_VALUES,
        dtype=np.float32,
    )
    return ColumnTransformer(
        [("numbers", StandardScaler(), numbers), ("categories", each, list(train.categories))],
        sparse_threshold=1.0,
    )


def chances_of(
    question: Question,
    part: Part,
    train: Any,
    test: Any,
    valid: Any,
    seed: int,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the best of all strengths says of the test rows.

    :param train, test, valid: The inputs of the question's rows; ``valid`` is None without such.
    """
    learned, judged = (~np.isnan(part.labels[rows]) for rows in (question.train, question.valid))
    labels, judging = part.labels[question.train][learned], part.labels[question.valid][judged]
    constant = always(labels)
    if constant is not None:
        return np.full(len(question.test), constant)
    weights = [
        None if part.weights is None else part.weights[rows][known]
        for rows, known in ((question.train, learned), (question.valid, judged))
    ]
    train = train if learned.all() else train[np.flatnonzero(learned)]
    if valid is not None and not judged.all():
        valid = valid[np.flatnonzero(judged)] if judged.any() else None
    if valid is None:
        return _chances(fitted(STRENGTHS[2], train, labels, weights[0], seed), test)
    some = thinned(np.arange(len(labels)), MOST_TRIED)
    own = None if weights[0] is None else weights[0][some]
    tried = [fitted(strength, train[some], labels[some], own, seed) for strength in STRENGTHS]
    best = int(np.argmin([_loss(judging, _chances(one, valid), weights[1]) for one in tried]))
    if len(some) == len(labels):
        return _chances(tried[best], test)
    return _chances(fitted(STRENGTHS[best], train, labels, weights[0], seed), test)


def thinned(rows: Int64[np.ndarray, "rows"], most: int) -> Int64[np.ndarray, "some"]:
    """Every n-th of some rows, so that they are ``most`` at most.

    >>> thinned(np.arange(10), 4)
    array([0, 3, 6, 9])
    """
    return rows[:: -(-len(rows) // most) or 1]


def fitted(
    strength: float,
    inputs: Any,
    labels: np.ndarray[Any, np.dtype[np.float64]],
    weights: np.ndarray[Any, np.dtype[np.float64]] | None,
    seed: int,
) -> Any:
    """The model of scikit-learn, fitted with one strength."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression as Logistic

    with warnings.catch_warnings():
        # Weak shrinkage may need more steps; what it has by then is judged like the others.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Logistic(C=strength, max_iter=200, random_state=seed).fit(inputs, labels, weights)


def _chances(model: Any, inputs: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(model.predict_proba(inputs)[:, 1], dtype=np.float64)


def _loss(
    labels: np.ndarray[Any, np.dtype[np.float64]],
    chances: np.ndarray[Any, np.dtype[np.float64]],
    weights: np.ndarray[Any, np.dtype[np.float64]] | None,
) -> float:
    right = np.clip(np.where(labels == 1, chances, 1 - chances), 1e-15, 1.0)
    if weights is not None and not weights.sum():
        weights = None
    return -float(np.average(np.log(right), weights=weights))
