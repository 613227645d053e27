"""Nearest items: what those had who had the same."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int64

from .base import Baseline, Question
from .choosing import chosen
from .interactions import OWN, actor, few_scores, learned, need_scipy, ranks_by

SHRINKAGES = (10.0, 0.0, 100.0)
NEIGHBOURS = (100, 20)


class ItemKNN(Baseline):
    r"""Ranks a catalogue by how similar each candidate is to what was had before.

    Two items are similar where the same people had them: the cosine, with a shrinkage that
    distrusts items that few had (Deshpande and Karypis 2004, https://doi.org/10.1145/963770.963776),

    .. math:: s_{ij} = n_{ij} / (\sqrt{n_i n_j} + \lambda)

    where n counts people among the training rows. Of each item the k most similar count. The score
    of a candidate is the sum of its similarities to what was had, as far as history goes; those
    level stand by seven-day popularity. λ, k and what to do with what was had already (it may come
    first, last or as it falls) are chosen on validation rows.

    The paper scales the similarities of an item to length 1 and knows no shrinkage. We do it the
    other way: shrinkage is what keeps rare items down.
    """

    name: ClassVar[str] = "item_knn"
    packages: ClassVar[tuple[str, ...]] = ("scipy",)

    def applies(self, question: Question) -> bool:
        return bool(len(question.train)) and actor(question) is not None

    def quick(self, question: Question) -> bool:
        return few_scores(question, len(SHRINKAGES) * len(NEIGHBOURS) * len(OWN))

    def answer(self, question: Question, *, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        need_scipy(self.name)
        people = learned(question)
        together = (people.T @ people).tocsr()

        @cache
        def similar(shrinkage: float, neighbours: int) -> Any:
            return similarities(together, shrinkage, neighbours)

        def ranks(
            setting: tuple[float, int, float], rows: Int64[np.ndarray, "rows"]
        ) -> np.ndarray[Any, np.dtype[np.float64]]:
            shrinkage, neighbours, own = setting
            table = similar(shrinkage, neighbours)
            return ranks_by(question, rows, lambda before: (before @ table).toarray(), own)

        best = chosen(question, list(product(SHRINKAGES, NEIGHBOURS, OWN)), ranks)
        return ranks(best, question.test)


def similarities(together: Any, shrinkage: float, neighbours: int) -> Any:
    """How similar items are, each to its nearest alone.

    :param together: How many people had both of two items, sparse ``[items, items]``; how many had
        one is on the diagonal.
    :returns: Sparse ``[items, items]``: column j holds the similarities of candidate j to its
        nearest; nothing is similar to itself.
    """
    from scipy.sparse import csr_array

    counts = together.diagonal()
    pairs = together.tocoo()
    others = pairs.row != pairs.col
    left, right, both = pairs.row[others], pairs.col[others], pairs.data[others]
    values = both / (np.sqrt(counts[left] * counts[right]) + shrinkage)
    # Within each candidate the most similar first; of level ones that of the lower code.
    order = np.lexsort((left, -values, right))
    left, right, values = left[order], right[order], values[order]
    starts = np.searchsorted(right, np.arange(len(counts)))
    near = np.arange(len(right)) - starts[right] < neighbours
    return csr_array((values[near], (left[near], right[near])), shape=together.shape)
