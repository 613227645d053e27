"""What readers hear of experts: what experts give, normalised, rectified, and mixed by shares."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from jointrec.functional.compiled import (
    arrays,
    at_once,
    bits_of,
    machine,
    narrow,
    parts_of,
    pays,
    widen,
)
from jointrec.functional.dropout import dropped, kept


def heard_of(
    experts: Float[Tensor, "rows experts width"],
    gain: Float[Tensor, "experts width"],
    shift: Float[Tensor, "experts width"],
    shares: Float[Tensor, "rows readers heard"],
    listens: Int64[Tensor, "readers heard"],
    dropout: float = 0.0,
) -> Float[Tensor, "rows readers width"]:
    r"""What each reader hears::

        y_e = max(0, gain_e ⊙ norm(x_e) + shift_e),  h_t = Σ_k shares_tk · y_{listens_tk}

    with x_e the last layer of expert e and norm that of LayerNorm over the numbers of one row
    (`Ba et al., 2016 <https://arxiv.org/abs/1607.06450>`_). PyTorch takes nine passes over all
    numbers and as many back. With numba a large step is one loop over its rows there and one back,
    which keep nothing between them but the mean and the size of each x, and work in float32
    whatever the type of x.

    :param shares: How much each reader listens to each expert that it hears.
    :param listens: Which experts those are.
    :param dropout: The share of the numbers of y that is dropped (:func:`.dropout.dropped`).

    >>> x, one, none = torch.tensor([[[1.0, 3.0], [5.0, 4.0]]]), torch.ones(2, 2), torch.zeros(2, 2)
    >>> shares, listens = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[0, 1]])
    >>> heard_of(x, one, none, shares, listens).round(decimals=2)
    tensor([[[0.5000, 0.5000]]])
    """
    if not pays(experts.numel(), experts, _there):
        return _by_passes(experts, gain, shift, shares, listens, dropout)
    stays, scale = kept(experts.numel(), dropout) if dropout else (np.zeros(0, np.bool_), 1.0)
    heard: Tensor = _Heard.apply(  # type: ignore[no-untyped-call]
        experts, gain, shift, shares.float(), listens, stays.reshape(-1, *gain.shape), scale
    )
    return heard


def _by_passes(
    experts: Tensor, gain: Tensor, shift: Tensor, shares: Tensor, listens: Tensor, dropout: float
) -> Tensor:
    """The same by PyTorch."""
    normal = F.layer_norm(experts, experts.shape[2:])
    gain, shift = gain.to(normal.dtype), shift.to(normal.dtype)
    y = dropped(torch.addcmul(shift, normal, gain).relu_(), dropout)
    return torch.bmm(_of_all(shares, listens, experts.shape[1]).to(y.dtype), y)


def _of_all(shares: Tensor, listens: Tensor, experts: int) -> Tensor:
    """Shares of all experts, 0 of those that a reader does not hear."""
    if (
        listens.shape[1] == experts
        and (listens == torch.arange(experts, device=listens.device)).all()
    ):
        return shares
    whole = shares.new_zeros(*shares.shape[:2], experts)
    return whole.scatter_add(2, listens.expand_as(shares), shares)


class _Heard(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, experts: Tensor, gain: Tensor, shift: Tensor, shares: Tensor, listens: Tensor,
        stays: np.ndarray, scale: float,
    ) -> Tensor:  # fmt: skip
        experts, shares = experts.contiguous(), shares.contiguous()
        heard = experts.new_empty(len(experts), len(listens), experts.shape[2])
        moments = np.empty((*experts.shape[:2], 2), np.float32)
        loop = machine(_there)
        given = (bits_of(experts), *arrays(gain, shift, shares, listens), stays, np.float32(scale))
        at_once(
            [
                partial(loop, *part, *given, moments, bits_of(heard))
                for part in parts_of(len(experts))
            ]
        )
        ctx.save_for_backward(experts, gain, shift, shares, listens)
        ctx.rest = stays, scale, moments
        return heard

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        experts, gain, shift, shares, listens = ctx.saved_tensors
        stays, scale, moments = ctx.rest
        dx, dshares = torch.empty_like(experts), torch.empty_like(shares)
        parts = parts_of(len(experts))
        sums = np.zeros((len(parts), 2, *gain.shape), np.float32)
        loop = machine(_back)
        given = (bits_of(experts), *arrays(gain, shift, shares, listens), stays, np.float32(scale))
        found = (moments, bits_of(dy.to(experts.dtype).contiguous()), bits_of(dx), dshares.numpy())
        at_once(
            [
                partial(loop, *part, *given, *found, own)
                for part, own in zip(parts, sums, strict=True)
            ]
        )
        dgain, dshift = torch.from_numpy(sums.sum(axis=0)).to(gain.dtype)
        return dx, dgain, dshift, dshares, None, None, None


def _there(
    first: int, last: int, experts: np.ndarray, gain: np.ndarray, shift: np.ndarray,
    shares: np.ndarray, listens: np.ndarray, stays: np.ndarray, scale: np.float32,
    moments: np.ndarray, heard: np.ndarray,
) -> None:  # fmt: skip
    """What readers hear in the rows from ``first`` to before ``last``.

    The loops over numbers index one dimension only: others would not become instructions for
    several numbers at once.
    """
    count, width = gain.shape
    part = np.float32(1 / width)
    bits, ys = np.empty(width, np.uint32), np.empty((count, width), np.float32)
    x = bits.view(np.float32)
    for row in range(first, last):
        for e in range(count):
            given, y, own_gain, own_shift = experts[row, e], ys[e], gain[e], shift[e]
            widen(given, bits)
            mean, square = np.float32(0), np.float32(0)
            for i in range(width):
                mean += x[i]
            mean *= part
            for i in range(width):
                square += (x[i] - mean) * (x[i] - mean)
            size = np.float32(1) / np.sqrt(square * part + np.float32(1e-5))
            moments[row, e, 0], moments[row, e, 1] = mean, size
            for i in range(width):
                own = (x[i] - mean) * size * own_gain[i] + own_shift[i]
                # What is not a number stays so, and is found in the loss.
                y[i] = np.float32(0) if own < 0 else own
            if len(stays):
                kept_ones = stays[row, e]
                for i in range(width):
                    y[i] *= scale * np.float32(kept_ones[i])
        for reader in range(len(listens)):
            told = heard[row, reader]
            for i in range(width):
                x[i] = np.float32(0)
            for place in range(listens.shape[1]):
                share, y = shares[row, reader, place], ys[listens[reader, place]]
                for i in range(width):
                    x[i] += share * y[i]
            narrow(bits, told)


def _back(
    first: int, last: int, experts: np.ndarray, gain: np.ndarray, shift: np.ndarray,
    shares: np.ndarray, listens: np.ndarray, stays: np.ndarray, scale: np.float32,
    moments: np.ndarray, dheard: np.ndarray, dexperts: np.ndarray, dshares: np.ndarray,
    sums: np.ndarray,
) -> None:  # fmt: skip
    """The gradients of the same rows; those of gain and shift are added to ``sums``."""
    count, width = gain.shape
    part = np.float32(1 / width)
    bits, ys = np.empty(width, np.uint32), np.empty((count, width), np.float32)
    x, dys = bits.view(np.float32), np.empty((count, width), np.float32)
    normals = np.empty((count, width), np.float32)
    for row in range(first, last):
        for e in range(count):
            given, normal, y, dy = experts[row, e], normals[e], ys[e], dys[e]
            own_gain, own_shift = gain[e], shift[e]
            widen(given, bits)
            mean, size = moments[row, e, 0], moments[row, e, 1]
            for i in range(width):
                normal[i] = (x[i] - mean) * size
                own = normal[i] * own_gain[i] + own_shift[i]
                y[i] = np.float32(0) if own < 0 else own
                dy[i] = np.float32(0)
            if len(stays):
                kept_ones = stays[row, e]
                for i in range(width):
                    y[i] *= scale * np.float32(kept_ones[i])
        for reader in range(len(listens)):
            told = dheard[row, reader]
            widen(told, bits)
            for place in range(listens.shape[1]):
                share, e, product = (
                    shares[row, reader, place],
                    listens[reader, place],
                    np.float32(0),
                )
                y, dy = ys[e], dys[e]
                for i in range(width):
                    product += x[i] * y[i]
                for i in range(width):
                    dy[i] += share * x[i]
                dshares[row, reader, place] = product
        for e in range(count):
            normal, y, dy, dgain, dshift = normals[e], ys[e], dys[e], sums[0, e], sums[1, e]
            found, own_gain = dexperts[row, e], gain[e]
            size, mean_d, mean_dn = moments[row, e, 1], np.float32(0), np.float32(0)
            if len(stays):
                kept_ones = stays[row, e]
                for i in range(width):
                    dy[i] *= scale * np.float32(kept_ones[i])
            for i in range(width):
                # 0 where the sum before max(0, ·) is: a number that was dropped has no gradient.
                dy[i] = np.float32(0) if y[i] <= 0 else dy[i]
            for i in range(width):
                dgain[i] += dy[i] * normal[i]
                dshift[i] += dy[i]
                dy[i] *= own_gain[i]
            for i in range(width):
                mean_d += dy[i]
                mean_dn += dy[i] * normal[i]
            mean_d *= part
            mean_dn *= part
            for i in range(width):
                x[i] = size * (dy[i] - mean_d - normal[i] * mean_dn)
            narrow(bits, found)
