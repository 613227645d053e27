"""Products of blocks and dropping, each against the slow way."""

import numpy as np
import pytest
import torch

from jointrec.functional.dropout import dropped
from jointrec.sharing.products import _linear, block_products, columns_where, wide_product


def drawn(*shapes: tuple[int, ...], kind: torch.dtype = torch.float64) -> list[torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    return [
        torch.randn(shape, generator=chance, dtype=torch.float64).to(kind).requires_grad_()
        for shape in shapes
    ]


def test_each_block_is_a_layer_of_its_own() -> None:
    x, weight, bias = drawn((7, 3, 5), (3, 4, 5), (3, 4))
    expected = np.einsum("rbi,boi->rbo", *(t.detach().numpy() for t in (x, weight)))
    got = block_products(x, weight, bias).detach().numpy()
    np.testing.assert_allclose(got, expected + bias.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_the_way_back_is_right() -> None:
    assert torch.autograd.gradcheck(block_products, drawn((4, 2, 3), (2, 5, 3), (2, 5)))


def test_one_product_is_that_of_each_block() -> None:
    x, weight, bias = drawn((7, 5), (3, 4, 5), (3, 4))
    same = block_products(x.unsqueeze(1).expand(-1, 3, -1).contiguous(), weight, bias)
    torch.testing.assert_close(wide_product(x, weight, bias), same, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(wide_product, (x, weight, bias))


def test_what_is_below_nothing_is_nothing_and_learns_nothing() -> None:
    x, weight, bias = drawn((7, 5), (3, 4, 5), (3, 4))
    each = x.unsqueeze(1).expand(-1, 3, -1).contiguous()
    for product, given in ((wide_product, x), (block_products, each)):
        plain = product(given, weight, bias)
        assert 0 < (plain < 0).double().mean() < 1
        torch.testing.assert_close(product(given, weight, bias, relu=True), plain.clamp(min=0))
        inputs = (given.detach().requires_grad_(), weight, bias)
        assert torch.autograd.gradcheck(lambda *of: product(*of, relu=True), inputs)  # noqa: B023


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 65])
def test_one_pass_of_onednn_is_the_layer_of_pytorch(rows: int, relu: bool) -> None:
    x, weight, bias = (t.detach() for t in drawn((rows, 32), (48, 32), (48,), kind=torch.bfloat16))
    expected = x.float() @ weight.float().T + bias.float()
    expected = expected.relu() if relu else expected
    torch.testing.assert_close(
        _linear(x, weight, bias, relu).float(), expected, rtol=8e-3, atol=1e-2
    )


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(("shared", "own"), [(20, 12), (32, 0), (4, 28), (0, 32)])
def test_what_all_rows_share_is_multiplied_once(shared: int, own: int, relu: bool) -> None:
    x, weight, bias = (t.detach() for t in drawn((99, 32), (3, 8, 32), (3, 8)))
    x[:, own // 2 : own // 2 + shared] = x[0, own // 2 : own // 2 + shared].clone()
    whole = wide_product(x, weight, bias, relu=relu)
    with torch.no_grad():
        once = wide_product(x, weight, bias, relu=relu)
        torch.testing.assert_close(once, whole, rtol=1e-12, atol=1e-12)
        # In bf16 as near to the truth as the product of all of it.
        half = wide_product(x.bfloat16(), weight.bfloat16(), bias.bfloat16(), relu=relu)
    assert half.dtype is torch.bfloat16
    torch.testing.assert_close(half.double(), whole, rtol=0.02, atol=0.1)


def test_rows_that_share_a_number_only_at_first_are_told_apart() -> None:
    x, weight, bias = (t.detach() for t in drawn((99, 32), (3, 8, 32), (3, 8)))
    x[:70] = x[0].clone()
    whole = wide_product(x, weight, bias)
    with torch.no_grad():
        torch.testing.assert_close(wide_product(x, weight, bias), whole, rtol=1e-12, atol=1e-12)


def test_without_rows_there_is_nothing() -> None:
    for relu in (False, True):
        x, weight, bias = drawn((0, 2, 3), (2, 5, 3), (2, 5))
        block_products(x, weight, bias, relu=relu).sum().backward()
        assert weight.grad is not None
        assert not weight.grad.any()


def test_bf16_rows_leave_the_weights_as_they_are() -> None:
    x, weight, bias = drawn((64, 2, 32), (2, 16, 32), (2, 16), kind=torch.float32)
    half = x.detach().bfloat16().requires_grad_()
    y = block_products(half, weight, bias)
    exact = block_products(x, weight, bias)
    assert y.dtype is torch.bfloat16
    torch.testing.assert_close(y.float(), exact, rtol=0.02, atol=0.1)
    y.float().square().sum().backward()
    assert weight.grad is not None
    assert weight.grad.dtype is torch.float32
    (expected,) = torch.autograd.grad(exact.square().sum(), weight)
    assert (weight.grad - expected).norm() < 0.01 * expected.norm()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_stays(share: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(1000, 301)
    y = dropped(x, share)
    # A mean of n draws is off by less than five of its deviations.
    spread = 5 * (share * (1 - share) / x.numel()) ** 0.5
    assert abs((y == 0).float().mean().item() - share) < 1 / 256 / 2 + spread
    assert abs(y.mean().item() - 1) < spread / (1 - share)
    for place in range(8):  # every byte of a word drops alike
        part = y.flatten()[place::8]
        assert abs((part == 0).float().mean().item() - share) < 1 / 256 / 2 + 3 * spread


def test_the_largest_share_keeps_something() -> None:
    torch.manual_seed(0)
    assert dropped(torch.ones(10_000), 0.9999).any()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_columns_are_cut_out_in_their_order(share: float) -> None:
    chance = np.random.default_rng(0)
    matrix = torch.arange(600.0).view(3, 200)
    some = chance.random(200) < share
    assert columns_where(matrix, some).tolist() == matrix.numpy()[:, some].tolist()
