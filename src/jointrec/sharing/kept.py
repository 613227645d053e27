"""Products that come again: what the same candidates give to a layer, request after request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

MOST = 1 << 26
"""The most bytes that products take which one model keeps; 1,000 candidates of the largest network
on docs/examples/speed.md take 4 MiB."""
MET = 64
"""Of how many inputs of late it is known that they came."""


@dataclass(frozen=True)
class _Product:
    """A product, and copies of all that it is made of, as others may change the originals."""

    numbers: Int[np.ndarray, "rows inner"]
    weight: Shaped[np.ndarray, "outer inner"]
    given: Float[Tensor, "rows outer"]

    @property
    def size(self) -> int:
        return self.numbers.nbytes + self.weight.nbytes + self.given.nbytes

    def is_of(
        self,
        numbers: Int[np.ndarray, "rows inner"],
        weight: Shaped[np.ndarray, "outer inner"],
        own: Bool[np.ndarray, "inner"],
    ) -> bool:
        """Whether it is the product of these, bit for bit."""
        same = (numbers == self.numbers).all(axis=0)
        return bool(same[own].all()) and np.array_equal(weight, self.weight)


class KeptProducts:
    """The last products of a model that came more than once.

    A shop asks what of its goods suits one user, and then another. What a product holds of the
    goods is the same as long as they are, whoever is asked for. Products are found by what they are
    made of, all of it compared, so a changed weight or candidate is never answered for by an old
    product. A product is kept when it comes for the second time: what comes once pays nothing.
    Whether it is kept changes no bit of an answer.

    Any number of threads may use it: what it holds is replaced as a whole, never changed.
    """

    def __init__(self) -> None:
        self._met: tuple[object, ...] = ()
        self._products: dict[object, _Product] = {}

    @contextmanager
    def used(self) -> Iterator[None]:
        """Inside it layers of this thread find and leave products here."""
        before = _USED.set(self)
        try:
            yield
        finally:
            _USED.reset(before)

    def product(
        self,
        numbers: Int[np.ndarray, "rows inner"],
        weight: Float[Tensor, "outer inner"],
        own: Bool[np.ndarray, "inner"],
        kind: torch.dtype,
        make: Callable[[], Float[Tensor, "rows outer"]],
    ) -> Float[Tensor, "rows outer"]:
        """``x Wᵀ`` of some numbers of each row, which nobody may write to.

        :param numbers: The bits of ``x``.
        :param own: Which numbers of a row are multiplied.
        :param kind: The type that they are multiplied in.
        :param make: Multiplies them.
        """
        weights = weight.detach().numpy()
        ends = (numbers[0, own].tobytes(), numbers[-1, own].tobytes(), weights[0].tobytes())
        key = (kind, numbers.shape, numbers.dtype, weights.shape, own.tobytes(), *map(hash, ends))
        found = self._products.get(key)
        if found is not None and found.is_of(numbers, weights, own):
            return found.given
        given = make()
        if key in self._met:
            self._keep(key, _Product(numbers.copy(), weights.copy(), given))
        else:
            self._met = (key, *self._met[: MET - 1])
        return given

    def _keep(self, key: object, product: _Product) -> None:
        """The newest comes first; the oldest that there is no room for goes."""
        kept, size = {key: product}, product.size
        for other, older in self._products.items():
            size += older.size
            if other != key and size <= MOST:
                kept[other] = older
        if product.size <= MOST:
            self._products = kept


_USED: ContextVar[KeptProducts | None] = ContextVar("kept_products", default=None)


def kept_products() -> KeptProducts | None:
    """Where layers find and leave products now; None where nobody said."""
    return _USED.get()
