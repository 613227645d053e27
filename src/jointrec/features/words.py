"""The words of texts, in their order: what makes a text a text and not a bag."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from jaxtyping import Int64

from .bags import bags_of, gather_bags
from .base import Bags
from .vocabulary import numbered

LONGEST = 1_000
"""How many characters of a text are read."""
BUCKETS = 2**15
"""How many kinds of pieces of words are told apart."""
PIECE = 3
"""How many characters a piece of a word has, the marks of its ends included."""
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー々〇"
_TOKENS = rf"[{_UNSPACED}]+|[\p{{L}}\p{{N}}\p{{M}}--[{_UNSPACED}]]+"
_IS_UNSPACED = rf"^[{_UNSPACED}]"


@dataclass(frozen=True)
class Words:
    """The words of some texts.

    :param of: For each text the places of its words in ``ids``, in their order. A text that is
        missing or empty has none.
    :param ids: For each distinct word a number of 53 bits, the same on every machine; odd where the
        word holds a digit.
    :param pieces: For each distinct word its pieces of three characters with marked ends, as
        numbers below :data:`BUCKETS`.
    """

    of: Bags
    ids: Int64[np.ndarray, "words"]
    pieces: Bags


def words_of(values: pl.Series, most: int) -> Words:
    """The first words of each text, read as `Text` reads them.

    Chinese and Japanese write no spaces, so of a run of their characters each two neighbours are
    a word.

    :param values: Text; null is a text without a word.
    :param most: How many words of a text are read.

    >>> two = words_of(pl.Series(["2 red shirts", "Red SHIRT", None]), 64)
    >>> np.diff(two.of.offsets).tolist(), len(two.ids), (two.ids % 2).tolist()
    ([3, 2, 0], 4, [1, 0, 0, 0])
    """
    texts, text_of_row = distinct(values.cast(pl.String).fill_null(""))
    rows, tokens = tokens_of(texts)
    runs, run_of_token = distinct(tokens)
    split = [
        ["".join(two) for two in pairwise(run)] if unspaced and len(run) > 1 else [run]
        for run, unspaced in zip(runs.to_list(), is_unspaced(runs), strict=True)
    ]
    lengths = np.array([len(words) for words in split], dtype=np.int64)
    flat = pl.Series([word for words in split for word in words], dtype=pl.String)
    names, places = distinct(flat)
    of_run = Bags(places, np.concatenate([[0], lengths.cumsum()]).astype(np.int64))
    of_token = gather_bags(of_run, run_of_token)
    row = np.repeat(rows, np.diff(of_token.offsets))
    first = np.searchsorted(row, row)
    kept = np.arange(len(row)) - first < most
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.bincount(row[kept], minlength=len(texts)), out=offsets[1:])
    of = gather_bags(Bags(of_token.values[kept], offsets), text_of_row)
    return Words(of, _ids(names), _pieces(names))


def joined_words(one: Words, other: Words) -> Words:
    """The texts of both, one after the other."""
    return Words(
        _after(one.of, Bags(other.of.values + len(one.ids), other.of.offsets)),
        np.concatenate([one.ids, other.ids]),
        _after(one.pieces, other.pieces),
    )


def _after(one: Bags, other: Bags) -> Bags:
    offsets = np.concatenate([one.offsets, other.offsets[1:] + one.offsets[-1]])
    return Bags(np.concatenate([one.values, other.values]), offsets)


def _ids(names: pl.Series) -> Int64[np.ndarray, "words"]:
    digests = [
        int.from_bytes(
            hashlib.blake2b(name.encode(), digest_size=8, key=b"jointrec word").digest(), "little"
        )
        >> 12
        for name in names.to_list()
    ]
    digits = names.str.contains(r"\p{N}").to_numpy()
    ids: Int64[np.ndarray, "words"] = np.array(digests, dtype=np.int64) * 2 + digits
    return ids


def _pieces(names: pl.Series) -> Bags:
    split = [
        [marked[n : n + PIECE] for n in range(max(len(marked) - PIECE, 0) + 1)]
        for marked in (f"<{name}>" for name in names.to_list())
    ]
    rows = np.repeat(np.arange(len(split)), [len(pieces) for pieces in split])
    different, place = distinct(pl.Series([p for own in split for p in own], dtype=pl.String))
    hashed = np.array([bucket(piece, BUCKETS) for piece in different.to_list()], dtype=np.int64)
    return bags_of(rows, hashed[place], num_rows=len(names))


def bucket(piece: str, buckets: int) -> int:
    """The row of the table that a piece of text goes to: 1 to ``buckets`` − 1, always the same.

    >>> bucket("<red>", 2**15)
    17049
    """
    digest = hashlib.blake2b(piece.encode(), digest_size=8, key=b"jointrec text").digest()
    return 1 + int.from_bytes(digest, "little") % (buckets - 1)


def distinct(texts: pl.Series) -> tuple[pl.Series, Int64[np.ndarray, "rows"]]:
    """The distinct texts in order of appearance, and which one each row holds."""
    found = texts.unique(maintain_order=True)
    return found, numbered(texts, found.to_list()) - 1


def tokens_of(texts: pl.Series) -> tuple[Int64[np.ndarray, "tokens"], pl.Series]:
    """The words and runs of each text: the row of the text, and the token."""
    plain = texts.str.head(LONGEST).str.normalize("NFKC").str.to_lowercase()
    tokens = plain.str.extract_all(_TOKENS)
    rows = np.repeat(np.arange(len(texts)), tokens.list.len().to_numpy())
    return rows, tokens.explode(empty_as_null=False, keep_nulls=False)


def is_unspaced(tokens: pl.Series) -> list[bool]:
    """Whether each token is of a writing without spaces."""
    found: list[bool] = tokens.str.contains(_IS_UNSPACED).to_list()
    return found
