"""A column of text, read offline: hashed words and pieces of words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from jointrec.errors import ProjectError

from .bags import bags_of, gather_bags
from .base import Bags, Feature, State
from .words import bucket, distinct, is_unspaced, tokens_of


@dataclass(frozen=True)
class Text(Feature):
    """A column of text: a title, a query, a description. Its vector is the mean of its pieces'.

    Text is normalised (NFKC), lowered and split by what Unicode says is a letter or a digit. A word
    gives itself and its character n-grams with marked ends, so that spellings and inflections
    share pieces (Bojanowski et al. 2017, https://arxiv.org/abs/1607.04606). Chinese and Japanese
    write no spaces, so a run of their characters gives each character and each two neighbours; no
    dictionary is needed. Each piece is hashed to one row of the table, the same on every machine,
    so nothing is learned and no text is unseen. Texts with the same settings share their rows: a
    word means the same in a query as in a title.

    :param buckets: How many rows of the table the pieces share. Row 0 is kept for none.
    :param ngrams: The lengths of the n-grams of a word. Empty: words alone.
    :raises ProjectError: where ``buckets`` is below 2 or a length below 1.

    >>> shirts = pl.Series(["Red shirts", "RED  SHIRTS!", "", None])
    >>> bags = Text().encode(shirts, Text().learn(shirts))
    >>> first, second, *others = np.split(bags.values, bags.offsets[1:-1])
    >>> first.tolist() == second.tolist(), [len(bag) for bag in others]
    (True, [0, 0])
    """

    buckets: int = 2**15
    ngrams: tuple[int, ...] = (3, 4)

    cell: ClassVar[Literal["text"]] = "text"

    def __post_init__(self) -> None:
        if self.buckets < 2:
            raise ProjectError(f"`buckets` should be at least 2. Found `{self.buckets}`.")
        if any(length < 1 for length in self.ngrams):
            raise ProjectError(
                f"`ngrams` should be lengths of at least 1. Found `{list(self.ngrams)}`."
            )

    def learn(self, values: pl.Series) -> State:
        return {"buckets": self.buckets}

    def encode(self, values: pl.Series, state: State) -> Bags:
        texts, text_of_row = distinct(values.cast(pl.String).fill_null(""))
        rows, tokens = tokens_of(texts)
        words, word_of_token = distinct(tokens)
        of_words = self._hashed(words, state["buckets"])
        of_tokens = gather_bags(of_words, word_of_token)
        lengths = np.diff(of_tokens.offsets)
        of_texts = bags_of(np.repeat(rows, lengths), of_tokens.values, num_rows=len(texts))
        return gather_bags(of_texts, text_of_row)

    def table_rows(self, state: State) -> int:
        return int(state["buckets"])

    def _hashed(self, words: pl.Series, buckets: int) -> Bags:
        """The buckets of the pieces of each word."""
        unspaced = is_unspaced(words)
        split = [
            _neighbours(word) if run else _marked(word, self.ngrams)
            for word, run in zip(words.to_list(), unspaced, strict=True)
        ]
        rows = np.repeat(np.arange(len(split)), [len(pieces) for pieces in split])
        flat = [piece for pieces in split for piece in pieces]
        different, place = distinct(pl.Series(flat, dtype=pl.String))
        hashed = [bucket(piece, buckets) for piece in different.to_list()]
        return bags_of(rows, np.array(hashed, dtype=np.int64)[place], num_rows=len(words))


def _marked(word: str, ngrams: tuple[int, ...]) -> list[str]:
    """A word with marked ends, and its n-grams.

    >>> _marked("cap", (3,))
    ['<cap>', '<ca', 'cap', 'ap>']
    """
    marked = f"<{word}>"
    return [marked] + [
        marked[start : start + length]
        for length in ngrams
        for start in range(len(marked) - length + 1)
    ]


def _neighbours(run: str) -> list[str]:
    """Each character of a run, and each two neighbours.

    >>> _neighbours("手机壳")
    ['手', '机', '壳', '手机', '机壳']
    """
    return [*run, *map("".join, pairwise(run))]
