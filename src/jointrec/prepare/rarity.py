"""How rare the words of texts are, and the pieces of words: what a word in common is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from jointrec.features.words import BUCKETS, Words


@dataclass(frozen=True)
class Rarity:
    """How rare words are among the texts of a column, learned on training rows.

    :param texts: How many texts have a word at all.
    :param length: How many words they have on average.
    :param words, counts: For each word that is in two texts or more, in how many; ascending words.
        Others count as being in one.
    :param pieces: For each kind of piece of words, in how many texts it is.
    """

    texts: int
    length: float
    words: Int64[np.ndarray, "words"]
    counts: Int64[np.ndarray, "words"]
    pieces: Int64[np.ndarray, "buckets"]

    @classmethod
    def learn(cls, words: Words) -> Rarity:
        """How rare the words of some texts are."""
        lengths = np.diff(words.of.offsets)
        row = np.repeat(np.arange(len(lengths)), lengths)
        once = np.unique(row * max(len(words.ids), 1) + words.of.values) % max(len(words.ids), 1)
        counts = np.bincount(once, minlength=len(words.ids))
        order = np.argsort(words.ids)
        kept = order[counts[order] >= 2]
        there = int((lengths > 0).sum())
        _, pieces = pieces_of(words, np.arange(len(lengths)))
        return cls(
            texts=there,
            length=float(lengths.sum() / there) if there else 1.0,
            words=words.ids[kept],
            counts=counts[kept],
            pieces=np.bincount(pieces, minlength=BUCKETS),
        )

    def to_plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        seen = np.flatnonzero(self.pieces)
        return {
            "texts": self.texts,
            "length": self.length,
            "words": self.words.tolist(),
            "counts": self.counts.tolist(),
            "pieces": seen.tolist(),
            "piece_counts": self.pieces[seen].tolist(),
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Rarity:
        """What :meth:`to_plain` gave."""
        pieces = np.zeros(BUCKETS, dtype=np.int64)
        pieces[np.array(data["pieces"], dtype=np.int64)] = data["piece_counts"]
        return cls(
            data["texts"],
            data["length"],
            np.array(data["words"], dtype=np.int64),
            np.array(data["counts"], dtype=np.int64),
            pieces,
        )

    def of_words(self, ids: Int64[np.ndarray, "words"]) -> Float64[np.ndarray, "words"]:
        """The weight of each word: the rarer, the more. Robertson and Spärck Jones, above 0."""
        counts = np.ones(len(ids))
        if len(self.words):
            place = np.minimum(np.searchsorted(self.words, ids), len(self.words) - 1)
            counts = np.where(self.words[place] == ids, self.counts[place], 1)
        return _weight(counts, self.texts)

    def of_pieces(self) -> Float64[np.ndarray, "buckets"]:
        """The weight of each kind of piece."""
        return _weight(np.maximum(self.pieces, 1), self.texts)


def _weight(counts: np.ndarray, texts: int) -> np.ndarray:
    return np.asarray(np.log1p((max(texts, 1) - counts + 0.5).clip(0.5) / (counts + 0.5)))


def pieces_of(
    words: Words, rows: Int64[np.ndarray, "rows"]
) -> tuple[Int64[np.ndarray, "_"], Int64[np.ndarray, "_"]]:
    """The distinct pieces of some texts, ascending: the place of the text, and the piece."""
    sizes = np.diff(words.of.offsets)[rows]
    ends = np.cumsum(sizes)
    word = words.of.values[
        np.arange(sizes.sum()) + np.repeat(words.of.offsets[rows] - ends + sizes, sizes)
    ]
    row, pieces = np.repeat(np.arange(len(rows)), sizes), words.pieces
    many = np.diff(pieces.offsets)[word]
    ends = np.cumsum(many)
    at = np.arange(many.sum()) + np.repeat(pieces.offsets[word] - ends + many, many)
    keys = np.unique(np.repeat(row, many) * BUCKETS + pieces.values[at])
    return keys // BUCKETS, keys % BUCKETS
