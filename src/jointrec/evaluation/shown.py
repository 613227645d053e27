"""What would be shown: how much of a catalogue lists of ten hold, and how little known it is."""

from __future__ import annotations

import numpy as np

from jointrec.functional.metrics import catalogue_coverage, novelty
from jointrec.network import JointNetwork, answers_of

from .baselines import Question

TEN = 10


def shown(network: JointNetwork, question: Question) -> dict[str, float]:
    """Coverage and novelty of the ten best of each test row; nothing where none are ranked.

    Popularity is that of the training labels.
    """
    name, asked = question.task, question.asked
    if not question.project.tasks[name].ranks_catalogue or not len(question.test):
        return {}
    lists, size = [], int(question.prepared.popularity[name].counts.shape[1]) - 1
    for piece in answers_of(network, question.prepared, asked, (name,), question.test):
        best = np.argpartition(-piece[name], min(TEN, size) - 1, axis=1)
        lists.append(best[:, :TEN])
    chosen = question.labels[question.train].astype(np.int64) - 1
    counts = np.bincount(chosen, minlength=size).astype(np.float64)
    ten = np.concatenate(lists)
    return {"coverage@10": catalogue_coverage(ten, size), "novelty@10": novelty(ten, counts)}
