"""Several products at once, each of a block of its own, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .kept import kept_products

LINE = 16
"""Numbers of float32 in a cache line."""


def wide_product(
    x: Float[Tensor, "rows inner"],
    weight: Float[Tensor, "blocks outer inner"],
    bias: Float[Tensor, "blocks outer"],
    *,
    relu: bool = False,
) -> Float[Tensor, "rows blocks outer"]:
    """What the linear layers of all blocks make of the same rows, in one product.

    Where nothing is learned, what all rows share is multiplied once (:func:`_shared_once`), and
    what they do not is not multiplied again where it came before (:class:`.kept.KeptProducts`).

    :param relu: Ends in ``max(0, y)``, which then costs no pass over the numbers of its own.

    >>> weight, bias = torch.tensor([[[1.0, 1.0]]] * 2), torch.tensor([[0.0], [-10.0]])
    >>> wide_product(torch.tensor([[1.0, 2.0]]), weight, bias).tolist()
    [[[3.0], [-7.0]]]
    >>> wide_product(torch.tensor([[1.0, 2.0]]), weight, bias, relu=True).tolist()
    [[[3.0], [0.0]]]
    """
    flat, shifts = weight.flatten(0, 1), bias.flatten()
    product: Tensor | None = None
    if len(x) >= MANY and x.device.type == "cpu" and not torch.is_grad_enabled():
        product = _shared_once(x, flat, shifts, relu)
    if product is None:
        product = _Product.apply(x, flat, shifts, relu)  # type: ignore[no-untyped-call]
    return product.view(len(x), *bias.shape)


MANY, FEW, LEAST = 64, 16, 0.25
"""From so many rows on it is asked what they share, first of a few; and the least share of their
numbers that is worth it."""
WHOLE = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Whole numbers of as many bytes."""
RUNS = 32
"""Up to so many stretches of columns are cut out of a matrix one by one."""


def _shared_once(
    x: Float[Tensor, "rows inner"],
    weight: Float[Tensor, "outer inner"],
    bias: Float[Tensor, "outer"],
    relu: bool,
) -> Float[Tensor, "rows outer"] | None:
    """The layer where rows have much in common: what they share becomes part of the bias.

    The rows of a request are about one user and many items: what is known of the user, half of
    every row where parts stand side by side, need not be multiplied for each item. None where they
    have too little in common.
    """
    # As whole numbers and by numpy, which looks through them five times as fast as torch.
    numbers = x.detach().view(WHOLE[x.element_size()]).numpy()
    if (numbers[:FEW] == numbers[0]).all(axis=0).mean() < LEAST:
        return None
    shared = (numbers == numbers[0]).all(axis=0)
    if shared.mean() < LEAST:
        return None
    first = torch.where(torch.from_numpy(shared), x[0].to(weight.dtype), 0.0)
    once, own = torch.addmv(bias, weight, first), ~shared
    kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype

    def multiplied() -> Tensor:
        return _linear(
            columns_where(x, own).to(kind), columns_where(weight, own).to(kind), None, False
        )

    kept = kept_products()
    # Rounded before it is added, wherever it comes from: who asks again gets the same bits.
    given = multiplied() if kept is None else kept.product(numbers, weight, own, kind, multiplied)
    y = given + once.to(kind)
    return y.relu_() if relu else y


def columns_where(
    matrix: Float[Tensor, "rows columns"], some: Bool[np.ndarray, "columns"]
) -> Float[Tensor, "rows some"]:
    """Some columns of a matrix. Those that stand together are copied at once: a tenth of the time.

    >>> columns_where(torch.tensor([[1.0, 2.0, 3.0]]), np.array([True, False, True]))
    tensor([[1., 3.]])
    """
    stretches = np.flatnonzero(np.diff(some, prepend=False, append=False)).reshape(-1, 2).tolist()
    if 0 < len(stretches) <= RUNS:
        return torch.cat([matrix[:, first:last] for first, last in stretches], dim=1)
    return matrix.index_select(1, torch.from_numpy(np.flatnonzero(some)))


def block_products(
    x: Float[Tensor, "rows blocks inner"],
    weight: Float[Tensor, "blocks outer inner"],
    bias: Float[Tensor, "blocks outer"],
    *,
    relu: bool = False,
) -> Float[Tensor, "rows blocks outer"]:
    """What a linear layer of its own makes of each block: ``y_b = x_b W_bᵀ + bias_b``.

    Rows come first and the blocks of a row stand side by side, so that one wide product may come
    before and none of its numbers is moved. `torch.bmm` wants blocks first: in bf16 it would spend
    twice as long on putting them so as on the products. Computed in the type of ``x``, whatever
    that of the weights.

    :param relu: Ends in ``max(0, y)``.

    >>> x, weight = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[[1.0, 1.0]]] * 2)
    >>> block_products(x, weight, torch.tensor([[0.0], [10.0]])).tolist()
    [[[3.0], [17.0]]]
    """
    products: Tensor = _BlockProducts.apply(x, weight, bias, relu)  # type: ignore[no-untyped-call]
    return products


class _Product(torch.autograd.Function):
    """A linear layer. Its bias is summed as a product: a sum over rows takes four times as long."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, relu: bool) -> Tensor:
        y = _linear(x, weight, bias, relu)
        ctx.save_for_backward(x, weight, *([y] if relu else []))
        return y

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, *ends = ctx.saved_tensors
        dy = _before(dy, ends)
        # In float32 the transposed of what is wanted is made a sixth faster.
        dw = (x.T @ dy).T if dy.dtype is torch.float32 else dy.T @ x
        return _product(dy, weight), dw, (dy.new_ones(1, len(dy)) @ dy)[0], None


class _BlockProducts(torch.autograd.Function):
    """Autograd would pay for every block with zeros of the size of all of them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, relu: bool) -> Tensor:
        own, y = weight.to(x.dtype), x.new_empty(len(x), *bias.shape)
        for block, (w, b) in enumerate(zip(own, bias.to(x.dtype), strict=True)):
            torch.addmm(b, x[:, block], w.T, out=y[:, block])
        if relu:
            y.relu_()
        ctx.save_for_backward(x, own, *([y] if relu else []))
        ctx.kind = weight.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, *ends = ctx.saved_tensors
        dy = _before(dy.to(x.dtype), ends)
        dx, dw = torch.empty_like(x), torch.empty_like(weight)
        for block, w in enumerate(weight):
            torch.mm(dy[:, block], w, out=dx[:, block])
            torch.mm(dy[:, block].T, x[:, block], out=dw[block])
        db = dy.new_ones(1, len(dy)) @ dy.flatten(1)
        return dx, dw.to(ctx.kind), db.view(dy.shape[1:]).to(ctx.kind), None


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None, relu: bool) -> Tensor:
    """``x Wᵀ + b``, and where asked ``max(0, ·)`` of it.

    PyTorch first fills the result with the bias, and rectifies it in another pass. oneDNN does both
    while the numbers are at hand: a tenth of the time of the whole layer. But to it the larger of
    nothing and what is no number is 0. In float32, where a pass more is a hundredth of the layer,
    it is left to PyTorch, so that such a loss is known by its task; in bf16 the gradient tells.
    """
    own = x.numel() and x.device.type == "cpu" and x.dtype in _ONE_PASS_OF
    if not own or _ONE_PASS is None:
        y = F.linear(x, weight, bias)
        return y.relu_() if relu else y
    fused = relu and x.dtype is torch.bfloat16
    y = _ONE_PASS(x, weight, bias, "relu" if fused else "none", [], "")
    return y.relu_() if relu and not fused else y


def _product(a: Float[Tensor, "rows inner"], b: Float[Tensor, "inner outer"]) -> Tensor:
    """``a b``, whose rows begin at whole cache lines.

    A row of 342 numbers begins within a line, and writing it takes a product of float32 a third
    longer (docs/log.md, 2026-11-26).
    """
    lines = -(-b.shape[1] // LINE) * LINE
    return torch.mm(a, b, out=a.new_empty(len(a), lines)[:, : b.shape[1]])


def _before(dy: Tensor, ends: Sequence[Tensor]) -> Tensor:
    """The gradient before ``max(0, ·)``, of that after it and of what it gave, if there was one."""
    return torch.ops.aten.threshold_backward(dy, ends[0], 0) if ends else dy


def _one_pass() -> Callable[..., Tensor] | None:
    """The layer of oneDNN that `torch.compile` uses as well; None where PyTorch has none."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def _one_pass_of() -> tuple[torch.dtype, ...]:
    """What oneDNN multiplies on this processor: bf16 only where it has instructions for it."""
    ask = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return (torch.float32, torch.bfloat16) if ask is not None and ask() else (torch.float32,)


_ONE_PASS, _ONE_PASS_OF = _one_pass(), _one_pass_of()
