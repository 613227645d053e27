"""What every cast shares: a column on its way, what was odd in it, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from jointrec.errors import SourceError

from .base import kind_of

TEXT = pa.large_string()
"""What ids and texts are read as: no column is too long for it."""
EXAMPLES = 3


@dataclass
class Cast:
    """A column on its way to its cell.

    :param where: The file or table and the column, for messages.
    :param zone: The time zone of times that name none.
    :param odd: For each code, what it means, what was done, and the values concerned.
    """

    where: str
    zone: str = "UTC"
    odd: dict[str, tuple[str, str, pa.ChunkedArray]] = field(default_factory=dict)

    def note(
        self, code: str, values: pa.ChunkedArray, is_odd: pa.ChunkedArray, text: str, action: str
    ) -> None:
        """Notes the values that are odd, if there are any."""
        concerned = values.filter(is_odd)
        if len(concerned):
            self.odd[code] = (text, action, concerned)

    def refuse(self, values: pa.ChunkedArray, cell: str, way_out: str) -> SourceError:
        """The error for a column that holds something else altogether."""
        return SourceError(
            f"{self.where} should hold {cell}, but it holds {kind_of(values.type)}"
            f"{shown(values)}. {way_out}"
        )


def plain(values: pa.ChunkedArray, step: Cast) -> pa.ChunkedArray:
    """A column without encodings that only save space: dictionaries, views, bytes that are text."""
    if isinstance(values.type, pa.BaseExtensionType):
        raise step.refuse(values, "plain values", "Write it as a plain column.")
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = kind_of(values.type)
    if kind in ("text", "bytes"):
        try:
            return values.cast(TEXT)
        except pa.ArrowException:
            raise step.refuse(values.slice(0, 0), "text", "It is not UTF-8; write text.") from None
    return values


def shown(values: pa.ChunkedArray) -> str:
    """A few values in brackets, or nothing where there are none."""
    few = examples(values.slice(0, 100).drop_null())
    return f" (such as {', '.join(f'`{value}`' for value in few)})" if few else ""


def examples(values: pa.ChunkedArray) -> tuple[str, ...]:
    """A few different values as text, cut short."""
    few = values.slice(0, 100)
    try:
        found = few.to_pylist()
    except (OverflowError, ValueError):  # times that Python cannot hold: their plain numbers
        found = [value.value for value in few]
    return tuple(dict.fromkeys(str(value)[:80] for value in found))[:EXAMPLES]
