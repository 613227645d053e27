"""How well two texts match, as numbers: what a query has in common with a title.

A network that reads each text as a bag of words must learn for each word that it means the same on
both sides, and has never seen the words of a new query. These numbers compare the words themselves,
so they hold for words that nobody has seen. All that is learned is how rare words are, on training
rows. Numbers are of the order of 1, whatever the length of the texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from jointrec.features.words import BUCKETS, Words

from .rarity import Rarity, pieces_of

MOST_WORDS = 64
"""So many words of a text are compared, from its beginning."""
PAIRS = 1 << 20
"""So many pairs of words are compared at a time."""
K1, B = 1.2, 0.75
"""The two numbers of BM25, as most search engines take them."""
ONE_SIDED = (
    "bm25", "share", "weighted share", "like share", "weighted like share", "least like",
    "first like", "last like", "rarest like", "rarest", "weight", "weight missed", "phrase share",
    "numbers found", "numbers missed", "first near start", "last near start", "last near end",
    "near start", "near end", "spread",
)  # fmt: skip
"""What is told of the words of a text that are looked for in another."""
BACK = ("share", "weighted share", "like share", "first like", "last like")
"""What is told of the words of the other text that are looked for in the first."""
ALIKE = 0.5
"""From so much likeness on a word stands for another."""


def names_of(one: str, other: str) -> tuple[str, ...]:
    """The names of the numbers that :func:`match` gives for two columns."""
    return (
        *(f"{one} in {other}: {name}" for name in ONE_SIDED),
        *(f"{other} in {one}: {name}" for name in BACK),
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
        self.last = self.first + self.sizes - 1
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
        self.like = self._likeness()

    def numbers(self) -> Float64[np.ndarray, "rows numbers"]:
        mine, theirs = self.mine, self.theirs
        found = np.logical_or.reduceat(self.equal, self.starts)
        found_there = np.bincount(self.right[self.equal], minlength=len(theirs)) > 0
        like_there = np.zeros(len(theirs))
        np.maximum.at(like_there, self.right, self.like)
        same = (mine.sizes == theirs.sizes) & (mine.sum(self._in_place()) == mine.sizes)
        columns = [
            *self._one_sided(found),
            theirs.sum(found_there) / theirs.sizes,
            _share(theirs, found_there, self.one.rarity.of_words(theirs.id)),
            theirs.sum(like_there) / theirs.sizes,
            like_there[theirs.first],
            like_there[theirs.last],
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
        like = np.maximum.reduceat(self.like, self.starts)
        # Of each text the word of the most weight, of equals the last.
        rarest = np.lexsort((weights, mine.row))[mine.last]
        number = mine.id % 2 == 1
        yield mine.sum(self._bm25(weights))
        yield mine.sum(found) / mine.sizes
        yield _share(mine, found, weights)
        yield mine.sum(like) / mine.sizes
        yield _share(mine, like, weights)
        yield np.minimum.reduceat(like, mine.first)
        yield like[mine.first]
        yield like[mine.last]
        yield like[rarest]
        yield weights[rarest]
        yield mine.sum(weights)
        yield mine.sum(weights * (like < ALIKE))
        yield self._phrases() / np.maximum(mine.sizes - 1, 1)
        yield np.log1p(mine.sum(number & found))
        yield np.log1p(mine.sum(number & ~found))
        yield from self._places(like)

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

    def _places(self, best: Float64[np.ndarray, "words"]) -> Iterator[Float64[np.ndarray, "rows"]]:
        """Where in the other text words are found: near its start, near its end, how far apart.

        Nearness is 1 for the very first (or last) word, 1/2 for the next, and 0 of a word that none
        is like. Titles begin with the brand and say late what the thing is.
        """
        mine, theirs = self.mine, self.theirs
        stands = (self.like >= best[self.left]) & (self.like >= ALIKE)
        place = (np.arange(len(theirs)) - theirs.first[theirs.row])[self.right]
        behind = (theirs.last[theirs.row] - np.arange(len(theirs)))[self.right]
        start, end = (
            np.maximum.reduceat(np.where(stands, 1 / (1 + far), 0.0), self.starts)
            for far in (place, behind)
        )
        yield start[mine.first]
        yield start[mine.last]
        yield end[mine.last]
        for near in (start, end):
            yield np.maximum.reduceat(near, mine.first)
        firsts = np.where(start > 0, 1 / np.maximum(start, 1e-9), np.nan)
        apart = np.fmax.reduceat(firsts, mine.first) - np.fmin.reduceat(firsts, mine.first)
        yield np.log1p(np.nan_to_num(apart, nan=0.0))

    def _likeness(self) -> Float64[np.ndarray, "pairs"]:
        """How like each two words are, 0 to 1.

        Dice's coefficient of their pieces, which plurals and misspellings leave high.
        """
        found = np.ones(len(self.equal))
        unlike = np.flatnonzero(~self.equal)
        size = len(self.other.words.ids)
        pairs, back = np.unique(
            self.mine.word[self.left[unlike]] * size + self.theirs.word[self.right[unlike]],
            return_inverse=True,
        )
        likes = _dice(self.one.words, pairs // size, self.other.words, pairs % size)
        found[unlike] = likes[back]
        return found

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
            row, piece = pieces_of(side.words, rows)
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
