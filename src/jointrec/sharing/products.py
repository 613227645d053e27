"""Several products at once, each of a block of its own, forwards and backwards."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


def wide_product(
    x: Float[Tensor, "rows inner"],
    weight: Float[Tensor, "blocks outer inner"],
    bias: Float[Tensor, "blocks outer"],
) -> Float[Tensor, "rows blocks outer"]:
    """What the linear layers of all blocks make of the same rows, in one product.

    >>> weight, bias = torch.tensor([[[1.0, 1.0]]] * 2), torch.tensor([[0.0], [10.0]])
    >>> wide_product(torch.tensor([[1.0, 2.0]]), weight, bias).tolist()
    [[[3.0], [13.0]]]
    """
    product: Tensor = _Product.apply(x, weight.flatten(0, 1), bias.flatten())  # type: ignore[no-untyped-call]
    return product.view(len(x), *bias.shape)


def block_products(
    x: Float[Tensor, "rows blocks inner"],
    weight: Float[Tensor, "blocks outer inner"],
    bias: Float[Tensor, "blocks outer"],
) -> Float[Tensor, "rows blocks outer"]:
    """What a linear layer of its own makes of each block: ``y_b = x_b W_bᵀ + bias_b``.

    Rows come first and the blocks of a row stand side by side, so that one wide product may come
    before and none of its numbers is moved. `torch.bmm` wants blocks first: in bf16 it would spend
    twice as long on putting them so as on the products. Computed in the type of ``x``, whatever
    that of the weights.

    >>> x, weight = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[[1.0, 1.0]]] * 2)
    >>> block_products(x, weight, torch.tensor([[0.0], [10.0]])).tolist()
    [[[3.0], [17.0]]]
    """
    products: Tensor = _BlockProducts.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return products


class _Product(torch.autograd.Function):
    """A linear layer. Its bias is summed as a product: a sum over rows takes four times as long."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.addmm(bias, x, weight.T)

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return dy @ weight, dy.T @ x, (dy.new_ones(1, len(dy)) @ dy)[0]


class _BlockProducts(torch.autograd.Function):
    """Autograd would pay for every block with zeros of the size of all of them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        own, y = weight.to(x.dtype), x.new_empty(len(x), *bias.shape)
        for block, (w, b) in enumerate(zip(own, bias.to(x.dtype), strict=True)):
            torch.addmm(b, x[:, block], w.T, out=y[:, block])
        ctx.save_for_backward(x, own)
        ctx.kind = weight.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        dy = dy.to(x.dtype)
        dx, dw = torch.empty_like(x), torch.empty_like(weight)
        for block, w in enumerate(weight):
            torch.mm(dy[:, block], w, out=dx[:, block])
            torch.mm(dy[:, block].T, x[:, block], out=dw[block])
        db = dy.new_ones(1, len(dy)) @ dy.flatten(1)
        return dx, dw.to(ctx.kind), db.view(dy.shape[1:]).to(ctx.kind)
