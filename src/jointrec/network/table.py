"""The one embedding table, of which a step reads and moves only the rows that its batch touches.

The table is a buffer and not a parameter: no optimizer walks over all of it. A step gathers the
distinct rows of its batch once, as a small matrix that everything else looks up in; the gradient of
that matrix is all that the update of the table needs, so its cost follows the batch and not the
table.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding, embedding_bag

from jointrec.batches import FieldBatch
from jointrec.functional.compiled import at_once, bits_of, machine, parts_of, pays, widen

START = 0.01
"""Standard deviation of the vectors before training: small beside one step of the update."""


class FusedTable(nn.Module):
    """The vectors of every id, word and value, side by side; offsets are already in the ids.

    :param rows: How many vectors.
    :param width: Numbers in a vector.

    >>> table = FusedTable(10, 4)
    >>> table.gather(torch.tensor([7, 2])).shape
    torch.Size([2, 4])
    """

    weight: Tensor

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        # Made by numpy, which asks the system for large pages: rows here and there of a table of
        # gigabytes are found a tenth faster.
        weight = torch.from_numpy(np.empty((rows, width), np.float32))
        self.register_buffer("weight", weight.normal_(0.0, START))

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return self.weight.shape[1]

    def gather(self, touched: Int[Tensor, "touched"]) -> Float[Tensor, "touched width"]:
        """The vectors of these rows, as a matrix of its own that may collect a gradient."""
        return self.weight.index_select(0, touched)


def gathered(
    matrix: Float[Tensor, "distinct width"], at: Int[Tensor, "*rows"]
) -> Float[Tensor, "*rows width"]:
    """The rows of a matrix at some positions. Its gradient adds up in a fixed order.

    On a CPU, `index_select` adds up its gradient five times as fast as `embedding` does; on a GPU
    it would add in whatever order threads come.
    """
    if matrix.device.type != "cpu":
        return embedding(at, matrix)
    return matrix.index_select(0, at.flatten()).view(*at.shape, matrix.shape[1])


def id_vectors(
    ids: Int[Tensor, "rows ids"],
    vectors: Float[Tensor, "touched width"],
    kind: torch.dtype | None = None,
) -> Float[Tensor, "rows size"]:
    """The vectors of the single-valued fields of each row, side by side.

    :param kind: The type of what is given. In bf16 half as many bytes are moved; the gradient adds
        up in the type of the vectors all the same.
    """
    kind = kind or vectors.dtype
    loops = pays(ids.numel() * vectors.shape[1], vectors, _add_up)
    if vectors.device.type != "cpu" or (kind is vectors.dtype and not loops):
        return gathered(vectors, ids).flatten(1)
    found: Tensor = _GatheredAs.apply(vectors, ids.flatten(), kind, loops)  # type: ignore[no-untyped-call]
    return found.view(len(ids), -1)


class _GatheredAs(torch.autograd.Function):
    """Rows in another type than the matrix. Autograd would add up their gradients in it."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, at: Tensor, kind: torch.dtype, loops: bool) -> Tensor:
        ctx.save_for_backward(at)
        ctx.shape, ctx.kind, ctx.loops = matrix.shape, matrix.dtype, loops
        return matrix.to(kind).index_select(0, at)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None, None, None]:
        (at,) = ctx.saved_tensors
        if not ctx.loops:
            total = dy.new_zeros(ctx.shape, dtype=ctx.kind).index_add_(0, at, dy.to(ctx.kind))
            return total, None, None, None
        parts = parts_of(len(at))
        sums = torch.zeros(len(parts), *ctx.shape, dtype=ctx.kind)
        told = dy.contiguous()
        given = (at.numpy(), told.numpy() if told.dtype is ctx.kind else bits_of(told))
        loop, totals = machine(_add_up), sums.numpy()
        at_once(
            [partial(loop, *part, *given, own) for part, own in zip(parts, totals, strict=True)]
        )
        return sums.sum(dim=0) if len(parts) > 1 else sums[0], None, None, None


def _add_up(first: int, last: int, at: np.ndarray, dy: np.ndarray, sums: np.ndarray) -> None:
    """Adds the gradient of each lookup to that of the row that it found, in their order.

    :param dy: As they are where they are of the type of the sums, else bits of bf16.
    """
    width = sums.shape[1]
    bits = np.empty(width, np.uint32)
    numbers = bits.view(np.float32)
    for place in range(first, last):
        given, own = dy[place], sums[at[place]]
        if given.itemsize == 2:
            widen(given, bits)
            for i in range(width):
                own[i] += numbers[i]
        else:  # a copy of them would take as long as the sums
            for i in range(width):
                own[i] += given[i]


def field_vectors(
    fields: FieldBatch, vectors: Float[Tensor, "touched width"], kind: torch.dtype | None = None
) -> Float[Tensor, "rows size"]:
    """The vectors of all fields of each row, side by side; of a bag the mean, zero where empty.

    :param kind: As for :func:`id_vectors`, where there are no bags.
    """
    if not fields.bags:
        return id_vectors(fields.ids, vectors, kind)
    parts = [id_vectors(fields.ids, vectors)]
    for bag in fields.bags:
        if len(bag.values):
            mean = embedding_bag(
                bag.values, vectors, bag.offsets, mode="mean", include_last_offset=True
            )
        else:
            mean = vectors.new_zeros(len(bag.offsets) - 1, vectors.shape[1])
        parts.append(mean)
    return torch.cat(parts, dim=1)
