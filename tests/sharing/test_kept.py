"""Products that come again, against the plain ones."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.testing import assert_close

from jointrec.sharing import kept
from jointrec.sharing.kept import KeptProducts
from jointrec.sharing.products import wide_product

BLOCKS, OUTER, USER, ITEM = 3, 8, 20, 12


def layer(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    inner = USER + ITEM
    weight = torch.randn((BLOCKS, OUTER, inner), generator=chance)
    return weight, torch.randn((BLOCKS, OUTER), generator=chance)


def request(user: int, items: int = 0, rows: int = 99) -> torch.Tensor:
    """Rows about one user and many items, the item's numbers on both sides of the user's."""
    about = torch.randn(USER, generator=torch.Generator().manual_seed(user))
    goods = torch.randn((rows, ITEM), generator=torch.Generator().manual_seed(items))
    return torch.cat([goods[:, :5], about.expand(rows, -1), goods[:, 5:]], dim=1)


def plain(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return torch.einsum("ri,boi->rbo", x, weight).add(bias).relu()


def products(products: KeptProducts) -> list[torch.Tensor]:
    return [one.given for one in products._products.values()]


@torch.no_grad()
def test_what_comes_again_is_not_multiplied_again() -> None:
    weight, bias = layer()
    own = KeptProducts()
    with own.used():
        for user in range(4):
            x = request(user)
            assert_close(wide_product(x, weight, bias, relu=True), plain(x, weight, bias))
            assert len(products(own)) == (user > 0)
            if user == 1:
                (first,) = products(own)
    assert products(own)[0] is first


@torch.no_grad()
@pytest.mark.parametrize("changed", ["weight", "item", "order", "shared"])
def test_whatever_changes_is_multiplied_anew(changed: str) -> None:
    weight, bias = layer()
    own = KeptProducts()
    x = request(7)
    with own.used():
        for _ in range(3):
            wide_product(x, weight, bias, relu=True)
        assert len(products(own)) == 1
        if changed == "weight":  # in its place, and so that no version tells
            weight.data[1, 2, 3] += 1
        elif changed == "item":  # in the middle: the first and the last are as they were
            x[50, 2] += 1
        elif changed == "order":
            x[[40, 50]] = x[[50, 40]]
        else:
            x[:, 0] = 3.0
        for _ in range(3):
            assert_close(wide_product(x, weight, bias, relu=True), plain(x, weight, bias))


@torch.no_grad()
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_who_asks_again_gets_the_same_bits(kind: torch.dtype) -> None:
    weight, bias = layer()
    own, x = KeptProducts(), request(5).to(kind)
    with torch.autocast("cpu", torch.bfloat16, enabled=kind is torch.bfloat16):
        said = [wide_product(x, weight, bias, relu=True)]
        with own.used():
            said += [wide_product(x, weight, bias, relu=True) for _ in range(4)]
    assert {one.dtype for one in [*said, *products(own)]} == {kind}
    for one in said[1:]:
        assert torch.equal(one, said[0])
    whole = plain(x.float(), weight, bias)
    off = {} if kind is torch.float32 else {"rtol": 0.02, "atol": 0.1}
    assert_close(said[0].float(), whole, **off)


@torch.no_grad()
def test_what_is_no_number_in_one_row_stays_in_it() -> None:
    weight, bias = layer()
    x = request(5)
    x[0, 0] = torch.nan
    said = wide_product(x, weight, bias)
    assert said[0].isnan().all()
    assert not said[1:].isnan().any()


@torch.no_grad()
def test_memory_is_bounded_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, bias = layer()
    own = KeptProducts()
    with own.used():
        for items in (1, 2, 3):
            for _ in range(2):
                wide_product(request(0, items), weight, bias)
            if items == 1:
                (one,) = own._products.values()
                monkeypatch.setattr(kept, "MOST", int(2.5 * one.size))
        first, second, third = (request(0, items) for items in (1, 2, 3))
        assert len(products(own)) == 2
        before = products(own)
        for x in (third, second):
            wide_product(x, weight, bias)
        assert [id(one) for one in products(own)] == [id(one) for one in before]
        wide_product(first, weight, bias)
        assert products(own)[0] is not before[0]
        monkeypatch.setattr(kept, "MOST", 10)
        for _ in range(3):
            x = request(0, 9)
            assert_close(wide_product(x, weight, bias, relu=True), plain(x, weight, bias))


@torch.no_grad()
def test_two_networks_and_many_threads_may_share_them() -> None:
    layers, own = [layer(seed) for seed in range(2)], KeptProducts()

    def ask(number: int) -> None:
        weight, bias = layers[number % 2]
        x = request(number, number % 3)
        with torch.no_grad(), own.used():
            assert_close(wide_product(x, weight, bias, relu=True), plain(x, weight, bias))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(200)))
    assert len(products(own)) == 6


def test_nothing_is_kept_where_nobody_said_so_nor_while_learning() -> None:
    weight, bias = layer()
    own = KeptProducts()
    x = request(0)
    with torch.no_grad():
        for _ in range(3):
            wide_product(x, weight, bias)
    with own.used():
        for _ in range(3):
            wide_product(x, weight.requires_grad_(), bias)
    assert not own._met and not own._products and kept.kept_products() is None
