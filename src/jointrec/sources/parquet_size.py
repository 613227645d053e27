"""How large a Parquet file becomes when it is unpacked, and how it is unpacked piece by piece.

A small file can stand for more than any memory holds: compression makes a thousandth of zeros, and
one long text in a dictionary is repeated by a number of a few bits. What the file says of itself
is looked at before anything is unpacked, and what comes out is counted while it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LEAST_CAP = 1 << 30
"""A source may unpack to this many bytes however small its files are, …"""
RATIO = 100
"""… or to this many times the size of its files, if that is more."""
_ROWS = 65_536
_PIECE = 1 << 28
"""How many bytes a piece should have at most."""
_FEW_ROWS = 4_096
"""Pieces of fewer rows than this take longer to read."""
_WIDTHS = {"BOOLEAN": 0.125, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8}
_PREFIXED = "DELTA_BYTE_ARRAY"
"""An encoding in which a text may be all of the text before it, for nothing."""


def cap_of(sizes: Sequence[int]) -> int:
    """How many bytes files of some sizes may unpack to.

    >>> cap_of([1_000, 2_000]) == LEAST_CAP, cap_of([10**9])
    (True, 100000000000)
    """
    return max(LEAST_CAP, RATIO * sum(sizes))


@dataclass(frozen=True)
class _Leaf:
    """A column of plain values, of which a nested column has several."""

    place: int
    width: float | None
    """Bytes a value; None for text."""


def _leaves(metadata: Any, wanted: Sequence[str]) -> list[_Leaf]:
    """The columns of plain values that wanted columns are made of."""
    found = []
    for place in range(metadata.num_columns):
        column = metadata.schema.column(place)
        if any(column.path == name or column.path.startswith(f"{name}.") for name in wanted):
            fixed = column.physical_type == "FIXED_LEN_BYTE_ARRAY"
            width = column.length if fixed else _WIDTHS.get(column.physical_type)
            found.append(_Leaf(place, width))
    return found


def paths_of(metadata: Any, wanted: Sequence[str]) -> list[str]:
    """The columns of plain values that wanted columns are made of, by their paths."""
    return [metadata.schema.column(leaf.place).path for leaf in _leaves(metadata, wanted)]


def declared_size(metadata: Any, wanted: Sequence[str]) -> int:
    """The least number of bytes that wanted columns unpack to, by what the file says of itself."""
    total, chosen = 0.0, _leaves(metadata, wanted)
    for group in range(metadata.num_row_groups):
        for leaf in chosen:
            chunk = metadata.row_group(group).column(leaf.place)
            by_values = chunk.num_values * (4 if leaf.width is None else leaf.width)
            total += max(by_values, chunk.total_uncompressed_size if leaf.width is None else 0)
    return int(total)


def unpacked_size(piece: pa.RecordBatch) -> int:
    """How many bytes a piece has once every text of a dictionary stands where it is used."""
    return sum(map(_size, piece.columns))


def _size(values: pa.Array) -> int:
    kind = values.type
    if pa.types.is_dictionary(kind):
        words = values.dictionary
        if pa.types.is_string(words.type) or pa.types.is_binary(words.type):
            lengths = pc.binary_length(words).cast(pa.int64())
            return int(values.nbytes + (pc.sum(lengths.take(values.indices)).as_py() or 0))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return 8 * len(values) + _size(values.flatten())
    return int(values.nbytes)


def pieces(opened: Any, data: BufferedReader, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of the wanted columns, each piece of a size that memory can take.

    :param opened: The Parquet file.
    :param data: The open file that it lies in.
    """
    longest = _longest_text(opened.metadata, data, _leaves(opened.metadata, wanted))
    rows = max(1, min(_ROWS, _PIECE // max(longest, 1)))
    yield from opened.iter_batches(batch_size=rows, columns=list(wanted))


def _longest_text(metadata: Any, data: BufferedReader, chosen: Sequence[_Leaf]) -> int:
    """At least the length of the longest text, where one may be repeated for nothing; else 0."""
    texts = [leaf.place for leaf in chosen if leaf.width is None]
    longest = 0
    unknown: dict[int, list[str]] = defaultdict(list)
    for group in range(metadata.num_row_groups):
        for place in texts:
            chunk = metadata.row_group(group).column(place)
            if _PREFIXED in chunk.encodings:
                longest = max(longest, chunk.total_uncompressed_size)
            elif chunk.has_dictionary_page:
                size = _dictionary_size(data, chunk.dictionary_page_offset)
                if size <= _PIECE // _FEW_ROWS:
                    longest = max(longest, size)
                else:  # it may hold many words, none of them long
                    unknown[group].append(metadata.schema.column(place).path)
    return max([longest, *_longest_words(metadata, data, unknown)])


def _dictionary_size(data: BufferedReader, offset: int) -> int:
    """The size of an unpacked dictionary, from the header of its page.

    In Thrift's compact form it begins with the fields 1 (the kind) and 2 (this size): for each a
    byte 0x15, then the number in groups of 7 bits, lowest first, its sign in the last bit.
    """
    data.seek(offset)
    head = iter(data.read(22))
    value = 0
    for _ in range(2):
        if next(head, 0) != 0x15:
            raise ValueError("the header of a dictionary is no such thing")
        value = 0
        for shift, byte in zip(range(0, 70, 7), head, strict=False):
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
    return value >> 1


def _longest_words(
    metadata: Any, data: BufferedReader, wanted: Mapping[int, Sequence[str]]
) -> Iterator[int]:
    """The length of the longest text in each dictionary of some row groups, of one row each."""
    paths = sorted({path for chosen in wanted.values() for path in chosen})
    opened = pq.ParquetFile(
        data, metadata=metadata, page_checksum_verification=True, arrow_extensions_enabled=False,
        read_dictionary=paths,
    )  # fmt: skip
    for group, chosen in wanted.items():
        batch = next(opened.iter_batches(batch_size=1, row_groups=[group], columns=chosen))
        for column in batch.columns:
            while not pa.types.is_dictionary(column.type):
                inner = column.flatten()
                column = inner if isinstance(inner, pa.Array) else inner[0]
            yield pc.max(pc.binary_length(column.dictionary)).as_py() or 0
