"""How well two texts match, as numbers: what a query has in common with a title.

A network that reads each text as a bag of words must learn for each word that it means the same on
both sides, and has never seen the words of a new query. These numbers compare the words themselves,
so they hold for words that nobody has seen. All that is learned is how rare words are, on training
rows. Numbers are of the order of 1, whatever the length of the texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from jointrec.features.words import BUCKETS, Words

MOST_WORDS = 64
"""So many words of a text are compared, from its beginning."""
PAIRS = 1 << 20
"""So many pairs of words are compared at a time."""
K1, B = 1.2, 0.75
"""The two numbers of BM25, as most search engines take them."""
ONE_SIDED = (
    "bm25", "share", "weighted share", "like share", "weighted like share", "least like",
    "first like", "last like", "phrase share", "numbers found", "numbers missed",
)  # fmt: skip
"""What is told of the words of a text that are looked for in another."""


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
        _, pieces = _pieces_of(words, np.arange(len(lengths)))
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


def names_of(one: str, other: str) -> tuple[str, ...]:
    """The names of the numbers that :func:`match` gives for two columns."""
    return (
        *(f"{one} in {other}: {name}" for name in ONE_SIDED),
        *(f"{other} in {one}: {name}" for name in ("share", "weighted share")),
        *(
            f"{one} ~ {other}: {name}"
            for name in ("cosine", "cosine of pieces", "same", "length", "other length", "both")
        ),
    )


@dataclass(frozen=True)
class Side:
    """The texts of one column, and how rare their words are."""

    words: Words
    rarity: Rarity


def match(
    one: Side, rows: Int64[np.ndarray, "rows"], other: Side, other_rows: Int64[np.ndarray, "rows"]
) -> Float32[np.ndarray, "rows numbers"]:
    """How well the text of each row matches the other text of the row, in the order of the names.

    :param rows, other_rows: Which text of each side a row is about.
    :returns: nan where one of both texts is missing or without a word, but for the last number,
        which is 1 where both are there and 0 where not.
    """
    pairs = np.stack([rows, other_rows])
    if len(rows):
        size = int(other_rows.max()) + 1
        unique, back = np.unique(rows * size + other_rows, return_inverse=True)
        pairs = np.stack([unique // size, unique % size])
    found = np.full((pairs.shape[1], len(names_of("", ""))), np.nan, dtype=np.float32)
    found[:, -1] = 0.0
    lengths = [
        np.diff(side.words.of.offsets)[which]
        for side, which in zip((one, other), pairs, strict=True)
    ]
    there = np.flatnonzero((lengths[0] > 0) & (lengths[1] > 0))
    for some in _blocks(there, (lengths[0] * lengths[1])[there]):
        found[some] = _Compared(one, pairs[0, some], other, pairs[1, some]).numbers()
    return found[back] if len(rows) else found


def _blocks(
    rows: Int64[np.ndarray, "some"], costs: Int64[np.ndarray, "some"]
) -> Iterator[Int64[np.ndarray, "_"]]:
    """Rows in blocks of about :data:`PAIRS` pairs of words."""
    if len(rows):
        block = np.cumsum(costs) // PAIRS
        yield from np.split(rows, np.flatnonzero(np.diff(block)) + 1)


class _Tokens:
    """The words of some texts, one after the other."""

    def __init__(self, side: Side, rows: Int64[np.ndarray, "rows"]) -> None:
        of = side.words.of
        self.sizes = np.diff(of.offsets)[rows]
        self.first = np.cumsum(self.sizes) - self.sizes
        self.row = np.repeat(np.arange(len(rows)), self.sizes)
        shift = np.repeat(of.offsets[rows] - self.first, self.sizes)
        self.word = of.values[np.arange(len(self.row)) + shift]
        self.id = side.words.ids[self.word]

    def __len__(self) -> int:
        return len(self.row)

    def sum(self, values: np.ndarray) -> Float64[np.ndarray, "rows"]:
        """The sum of a number of the words of each text."""
        return np.asarray(np.add.reduceat(values.astype(np.float64), self.first))


class _Compared:
    """Texts beside texts, none of them without a word."""

    def __init__(
        self,
        one: Side,
        rows: Int64[np.ndarray, "_"],
        other: Side,
        other_rows: Int64[np.ndarray, "_"],
    ) -> None:
        self.one, self.other, self.rows, self.other_rows = one, other, rows, other_rows
        self.mine, self.theirs = _Tokens(one, rows), _Tokens(other, other_rows)
        # Every word of one text beside every word of the other: those of a word stand in one run.
        partners = self.theirs.sizes[self.mine.row]
        self.starts = np.cumsum(partners) - partners
        self.left = np.repeat(np.arange(len(self.mine)), partners)
        shift = np.repeat(self.theirs.first[self.mine.row] - self.starts, partners)
        self.right = np.arange(len(self.left)) + shift
        self.equal = self.mine.id[self.left] == self.theirs.id[self.right]

    def numbers(self) -> Float64[np.ndarray, "rows numbers"]:
        mine, theirs = self.mine, self.theirs
        found = np.logical_or.reduceat(self.equal, self.starts)
        found_there = np.bincount(self.right[self.equal], minlength=len(theirs)) > 0
        there = theirs.sum(found_there) / theirs.sizes
        same = (mine.sizes == theirs.sizes) & (mine.sum(self._in_place()) == mine.sizes)
        columns = [
            *self._one_sided(found),
            there,
            _share(theirs, found_there, self.one.rarity.of_words(theirs.id)),
            self._cosine(),
            self._cosine_of_pieces(),
            same,
            np.log1p(mine.sizes),
            np.log1p(theirs.sizes),
            np.ones(len(self.rows)),
        ]
        return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)

    def _one_sided(self, found: Bool[np.ndarray, "words"]) -> Iterator[Float64[np.ndarray, "rows"]]:
        mine = self.mine
        weights = self.other.rarity.of_words(mine.id)
        like = self._likeness(found)
        last = mine.first + mine.sizes - 1
        number = mine.id % 2 == 1
        yield mine.sum(self._bm25(weights))
        yield mine.sum(found) / mine.sizes
        yield _share(mine, found, weights)
        yield mine.sum(like) / mine.sizes
        yield _share(mine, like, weights)
        yield np.minimum.reduceat(like, mine.first)
        yield like[mine.first]
        yield like[last]
        yield self._phrases() / np.maximum(mine.sizes - 1, 1)
        yield np.log1p(mine.sum(number & found))
        yield np.log1p(mine.sum(number & ~found))

    def _bm25(self, weights: Float64[np.ndarray, "words"]) -> Float64[np.ndarray, "words"]:
        """What each word adds to BM25 of the other text."""
        times = np.add.reduceat(self.equal.astype(np.float64), self.starts)
        length = self.theirs.sizes[self.mine.row] / self.other.rarity.length
        return np.asarray(weights * times * (K1 + 1) / (times + K1 * (1 - B + B * length)))

    def _in_place(self) -> Bool[np.ndarray, "words"]:
        """Whether each word has the same one at its place in the other text."""
        own = np.arange(len(self.mine)) - self.mine.first[self.mine.row]
        there = np.arange(len(self.theirs)) - self.theirs.first[self.theirs.row]
        at = self.equal & (own[self.left] == there[self.right])
        return np.logical_or.reduceat(at, self.starts)

    def _phrases(self) -> Float64[np.ndarray, "rows"]:
        """How many words stand in the other text right before the word that follows them here."""
        left, right = self.left[self.equal], self.right[self.equal]
        size = len(self.theirs) + 1
        both = left * size + right
        nexts = np.isin(both + size + 1, both, assume_unique=True)
        nexts &= self.mine.row[np.minimum(left + 1, len(self.mine) - 1)] == self.mine.row[left]
        followed = np.zeros(len(self.mine), dtype=bool)
        followed[left[nexts]] = True
        return self.mine.sum(followed)

    def _likeness(self, found: Bool[np.ndarray, "words"]) -> Float64[np.ndarray, "words"]:
        """How like each word is to the one of the other text that is most like it, 0 to 1.

        Dice's coefficient of their pieces, which plurals and misspellings leave high.
        """
        best = np.where(found, 1.0, 0.0)
        left = self.left[~found[self.left]]
        right = self.right[~found[self.left]]
        if not len(left):
            return best
        size = len(self.other.words.ids)
        pairs, back = np.unique(
            self.mine.word[left] * size + self.theirs.word[right], return_inverse=True
        )
        likes = _dice(self.one.words, pairs // size, self.other.words, pairs % size)[back]
        starts = np.flatnonzero(np.diff(left, prepend=-1))
        best[left[starts]] = np.maximum.reduceat(likes, starts)
        return best

    def _cosine(self) -> Float64[np.ndarray, "rows"]:
        """The cosine of the words, each weighted by how rare it is on both sides."""
        mine, theirs = self.mine, self.theirs
        weights = [
            np.sqrt(self.one.rarity.of_words(side.id) * self.other.rarity.of_words(side.id))
            for side in (mine, theirs)
        ]
        common = np.bincount(
            mine.row[self.left[self.equal]],
            weights[0][self.left[self.equal]] ** 2,
            minlength=len(self.rows),
        )
        # A word that is repeated counts each time, on each side: the square of its sum.
        norms = [
            np.sqrt(_squares(side, weight))
            for side, weight in zip((mine, theirs), weights, strict=True)
        ]
        return np.asarray(common / (norms[0] * norms[1]))

    def _cosine_of_pieces(self) -> Float64[np.ndarray, "rows"]:
        """The cosine of the sets of pieces, each weighted by how rare it is on both sides."""
        weights = self.one.rarity.of_pieces() * self.other.rarity.of_pieces()
        count = len(self.rows)
        keys, squares = [], []
        for side, rows in ((self.one, self.rows), (self.other, self.other_rows)):
            row, piece = _pieces_of(side.words, rows)
            keys.append(row * BUCKETS + piece)
            squares.append(np.bincount(row, weights[piece], minlength=count))
        common = np.intersect1d(keys[0], keys[1], assume_unique=True)
        dots = np.bincount(common // BUCKETS, weights[common % BUCKETS], minlength=count)
        return np.asarray(dots / np.sqrt(squares[0] * squares[1]))


def _share(
    tokens: _Tokens, found: np.ndarray, weights: Float64[np.ndarray, "words"]
) -> Float64[np.ndarray, "rows"]:
    """The share of the weight of each text's words that is found."""
    return np.asarray(tokens.sum(weights * found) / tokens.sum(weights))


def _squares(tokens: _Tokens, weights: Float64[np.ndarray, "words"]) -> Float64[np.ndarray, "rows"]:
    """The sum of the squares of each text's words, those that are repeated added up first."""
    order = np.lexsort((tokens.id, tokens.row))
    row, word, weight = tokens.row[order], tokens.id[order], weights[order]
    new = np.flatnonzero((np.diff(row, prepend=-1) != 0) | (np.diff(word, prepend=-1) != 0))
    sums = np.add.reduceat(weight, new)
    return np.bincount(row[new], sums**2, minlength=len(tokens.sizes))


def _pieces_of(
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


def _dice(
    one: Words, left: Int64[np.ndarray, "pairs"], other: Words, right: Int64[np.ndarray, "pairs"]
) -> Float64[np.ndarray, "pairs"]:
    """How many pieces two words have in common, as a share of the mean of both."""
    sizes = np.diff(one.pieces.offsets)
    many = sizes[left]
    ends = np.cumsum(many)
    at = np.arange(many.sum()) + np.repeat(one.pieces.offsets[left] - ends + many, many)
    pair = np.repeat(np.arange(len(left)), many)
    theirs = np.diff(other.pieces.offsets)
    known = np.repeat(np.arange(len(theirs)), theirs) * BUCKETS + other.pieces.values
    asked = right[pair] * BUCKETS + one.pieces.values[at]
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    common = np.bincount(pair, known[place] == asked, minlength=len(left))
    return np.asarray(2 * common / (many + theirs[right]))
