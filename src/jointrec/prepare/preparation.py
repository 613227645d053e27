"""What is learned from training rows before any network sees them. It travels with the model.

All of it is JSON: vocabularies, scales, base rates, classes. Nothing in it was learned from a row
at or after the validation cut.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64

from jointrec.errors import BundleError
from jointrec.features.vocabulary import Words, compact

from .prepared import FieldsLayout, Layout
from .rarity import Rarity

CLIP = 5.0
"""A standardised number is cut off this many standard deviations from the mean."""


@dataclass(frozen=True)
class Scale:
    """Mean, deviation and extremes of each number of a group, learned from training rows.

    What is beyond all that training saw is read as the nearest that it saw: how long somebody has
    been known, or how often something ever happened, only grows, and a network has no reason to go
    on rightly where it has never been.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    least: tuple[float, ...]
    most: tuple[float, ...]

    @classmethod
    def learn(cls, pieces: Iterable[Float32[np.ndarray, "rows k"]]) -> Scale:
        """The scale of some numbers. A number that never changes gets a deviation of 1.

        :param pieces: The numbers, piece by piece; they are gone through twice.

        >>> Scale.learn([np.array([[1.0], [5.0]], dtype=np.float32)])
        Scale(mean=(3.0,), std=(2.0,), least=(1.0,), most=(5.0,))
        """
        count, total = 0, np.zeros(0)
        least, most = np.full(1, np.inf), np.full(1, -np.inf)
        for numbers in pieces:
            count += len(numbers)
            total = _plus(total, numbers.sum(axis=0, dtype=np.float64))
            least = np.minimum(least, numbers.min(axis=0, initial=np.inf))
            most = np.maximum(most, numbers.max(axis=0, initial=-np.inf))
        if count == 0:
            return cls(*((value,) * len(total) for value in (0.0, 1.0, -math.inf, math.inf)))
        mean, squares = total / count, np.zeros(0)
        for numbers in pieces:
            off = numbers - mean
            squares = _plus(squares, np.multiply(off, off, out=off).sum(axis=0))
        std = np.sqrt(squares / count)
        std = np.where(std > 1e-6, std, 1.0)
        parts = (mean, std, least, most)
        return cls(*(tuple(part.astype(np.float64).tolist()) for part in parts))

    def apply(self, numbers: Float32[np.ndarray, "rows k"]) -> Float32[np.ndarray, "rows k"]:
        """The numbers in units of their deviation, cut off at the extremes and at ±5.

        >>> scale = Scale(mean=(1.0,), std=(2.0,), least=(0.0,), most=(4.0,))
        >>> scale.apply(np.array([[3.0], [1e9]], dtype=np.float32)).tolist()
        [[1.0], [1.5]]
        """
        least, most, mean, std = (
            np.array(part, np.float32) for part in (self.least, self.most, self.mean, self.std)
        )
        scaled = (np.clip(numbers, least, most) - mean) / std
        cut: Float32[np.ndarray, "rows k"] = np.clip(scaled, -CLIP, CLIP, out=scaled)
        return cut


def _plus(
    total: Float64[np.ndarray, "_"], more: Float64[np.ndarray, "k"]
) -> Float64[np.ndarray, "k"]:
    """What has been added up so far, and more; the first is taken as it is."""
    return total + more if len(total) else more


@dataclass(frozen=True)
class Preparation:
    """Everything learned from training rows.

    :param features: For each ``table.column``, what its feature learned.
    :param ids: For each entity, the keys that have a vector of their own, the most frequent first.
    :param offsets: For each ``table.column`` and each ``entity.@id``, the first row that it has in
        the fused table.
    :param rates: For each ``event.column`` of an outcome, how often it is yes.
    :param scales: For each group of numbers, its scale.
    :param tasks: For each task, what it learned from its labels.
    :param limits: What each kind of finding learned: by its code, and there by ``table`` or
        ``table.column``.
    :param layout: The shape of what is prepared.
    :param cuts: The moments (µs) of the validation and the test cut, None without a time.
    :param first, until: The first moment of the data and the first µs after the last.
    :param texts: For each ``table.column`` of text that is compared with another, how rare its
        words are.
    """

    features: Mapping[str, Mapping[str, Any]]
    ids: Mapping[str, tuple[str, ...]]
    offsets: Mapping[str, int]
    rates: Mapping[str, float]
    scales: Mapping[str, Scale]
    tasks: Mapping[str, Mapping[str, Any]]
    limits: Mapping[str, Mapping[str, float]]
    layout: Layout
    cuts: tuple[int | None, int | None]
    first: int | None
    until: int | None
    texts: Mapping[str, Rarity] = field(default_factory=dict)

    def to_json(self) -> str:
        """The preparation as text. The same preparation always gives the same text."""
        return json.dumps(
            {
                "features": self.features,
                "ids": self.ids,
                "offsets": self.offsets,
                "rates": self.rates,
                "scales": {name: asdict(scale) for name, scale in self.scales.items()},
                "tasks": self.tasks,
                "limits": self.limits,
                "layout": layout_to_json(self.layout),
                "cuts": self.cuts,
                "first": self.first,
                "until": self.until,
                "texts": {name: rarity.to_plain() for name, rarity in self.texts.items()},
            },
            ensure_ascii=False,
            allow_nan=False,
            default=_plain,
        )

    @classmethod
    def from_json(cls, text: str) -> Preparation:
        """The preparation that gave the text.

        :raises BundleError: where the text is no preparation.
        """
        try:
            return cls._from_data(json.loads(text))
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise BundleError(
                f"preparation.json: is not what JointRec wrote ({type(error).__name__}: {error}). "
                "Take the model from a backup, or train it again."
            ) from None

    @classmethod
    def _from_data(cls, data: Mapping[str, Any]) -> Preparation:
        return cls(
            features={name: _compact(state) for name, state in data["features"].items()},
            ids={name: tuple(keys) for name, keys in data["ids"].items()},
            offsets=data["offsets"],
            rates=data["rates"],
            scales={
                name: Scale(*(tuple(scale[part]) for part in ("mean", "std", "least", "most")))
                for name, scale in data["scales"].items()
            },
            tasks=data["tasks"],
            limits=data["limits"],
            layout=layout_from_json(data["layout"]),
            cuts=(data["cuts"][0], data["cuts"][1]),
            first=data["first"],
            until=data["until"],
            texts={name: Rarity.from_plain(rarity) for name, rarity in data["texts"].items()},
        )

    def id_rows(self, entity: str, keys: pl.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The row of the id table for each key: 0 for those without a vector of their own."""
        known = pl.DataFrame(
            {
                "key": pl.Series(self.ids[entity], dtype=pl.String),
                "row": pl.int_range(1, len(self.ids[entity]) + 1, dtype=pl.Int64, eager=True),
            }
        )
        frame = pl.DataFrame({"key": keys.cast(pl.String)})
        joined = frame.join(known, on="key", how="left", maintain_order="left")
        return joined["row"].fill_null(0).to_numpy()


def _plain(found: object) -> list[str]:
    """Long vocabularies as JSON knows them."""
    if isinstance(found, Words):
        return list(found)
    raise TypeError(f"{type(found).__name__} is not JSON")


def _compact(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a feature learned, with a long vocabulary in little memory."""
    values = state.get("values")
    if isinstance(values, list) and values and all(isinstance(value, str) for value in values):
        return {**state, "values": compact(values)}
    return dict(state)


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """A layout as JSON knows it."""
    data = asdict(layout)
    for name, pairs in (("pairs", layout.pairs), ("matches", layout.matches)):
        data[name] = [[first, second, names] for (first, second), names in pairs.items()]
    return data


def layout_from_json(data: Mapping[str, Any]) -> Layout:
    """The layout that :func:`layout_to_json` gave."""

    def fields(value: Mapping[str, Any]) -> FieldsLayout:
        return FieldsLayout(tuple(value["ids"]), tuple(value["bags"]), tuple(value["numbers"]))

    def tuples(value: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
        return {name: tuple(items) for name, items in value.items()}

    def of_two(name: str) -> dict[tuple[str, str], tuple[str, ...]]:
        return {(first, second): tuple(names) for first, second, names in data[name]}

    def rows_of(value: Mapping[str, Any]) -> dict[str, tuple[tuple[float, ...], ...]]:
        return {name: tuple(tuple(row) for row in rows) for name, rows in value.items()}

    return Layout(
        table_rows=data["table_rows"],
        things={name: fields(value) for name, value in data["things"].items()},
        moments=tuples(data["moments"]),
        pairs=of_two("pairs"),
        edges=rows_of(data["edges"]),
        context={name: fields(value) for name, value in data["context"].items()},
        clock=tuple(data["clock"]),
        kinds=tuples(data["kinds"]),
        objects=tuples(data["objects"]),
        sizes=data["sizes"],
        constants=tuples(data["constants"]),
        scales=data["scales"],
        matches=of_two("matches"),
        starts=rows_of(data["starts"]),
        more=rows_of(data["more"]),
        nothing=tuples(data.get("nothing", {})),
    )
