"""The things of a batch as vectors, each encoded when it is first asked for."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from jointrec.batches import Batch, FieldBatch

from .precision import products_of
from .table import field_vectors, gathered, id_vectors

SHARED = 1.5
"""From so many rows a thing on, things are encoded first and their vectors are looked up."""


class Encoded:
    """Vectors of the things of a batch.

    :param batch: What they are.
    :param vectors: The rows of the table that the batch touches.
    """

    def __init__(self, batch: Batch, vectors: Float[Tensor, "touched width"]) -> None:
        self.vectors = vectors
        self._kind = products_of(vectors)
        self._things = batch.things
        self._fields: dict[str, Tensor] = {}
        self._whole: dict[str, Tensor] = {}
        self.about: dict[tuple[str, str], Tensor] = {}
        """What events about things add to a history: by who acts, and what they are about."""
        self.pasts: dict[tuple[str, str], Tensor] = {}
        """The histories of the moments of a grain: by grain, and who acts."""

    def fields(self, entity: str) -> Float[Tensor, "things size"]:
        """The vectors of all fields of each thing, side by side."""
        if entity not in self._fields:
            self._fields[entity] = field_vectors(self._things[entity], self.vectors)
        return self._fields[entity]

    def context(self, fields: FieldBatch) -> Float[Tensor, "rows size"]:
        """The vectors of what events themselves say, row by row."""
        return field_vectors(fields, self.vectors, self._kind)

    def whole(self, entity: str) -> Float[Tensor, "things size"]:
        """All that is known of each thing: its vectors and its numbers."""
        if entity not in self._whole:
            parts = [self.fields(entity), self._things[entity].numbers]
            self._whole[entity] = torch.cat(parts, dim=1)
        return self._whole[entity]

    def categories(self, entity: str) -> Int[Tensor, "things ids"]:
        """The single-valued fields of each thing, as numbers: equal where the values are."""
        return self._things[entity].ids

    def fields_at(self, entity: str, at: Int[Tensor, "rows"]) -> Float[Tensor, "rows size"]:
        """The vectors of some things, row by row.

        Where hardly two rows share a thing, as in a flat table, the fields are looked up for the
        rows at once: encoding things first would only move all numbers, and their gradients, twice.
        """
        things = self._things[entity]
        alone = len(at) < SHARED * len(things.ids)
        if alone and not things.bags and entity not in self._fields:
            return id_vectors(things.ids[at], self.vectors, self._kind)
        return gathered(self.fields(entity), at)

    def numbers_at(self, entity: str, at: Int[Tensor, "rows"]) -> Float[Tensor, "rows numbers"]:
        """The numbers of some things, row by row."""
        return gathered(self._things[entity].numbers, at)
