"""Shapes are checked while tests run, in every part of the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from checked_shapes import check, mentions_a_shape, says_a_shape
from jaxtyping import Float32, Int64, TypeCheckError, jaxtyped

from jointrec.features.base import Bags, Ids

Numbers = Float32[np.ndarray, "rows k"]
Codes = Int64[np.ndarray, "rows"]


@jaxtyped(typechecker=check)
def scaled(numbers: Numbers, codes: Codes, by: float = 1.0) -> Codes:
    """A function that says shapes; its answer is right only for one scale."""
    return codes if by == 1 else numbers[:, 0]


@jaxtyped(typechecker=check)
def plain(number: int) -> int:
    """A function that says none."""
    return number


@jaxtyped(typechecker=check)
@dataclass(frozen=True)
class Pair:
    """A class that says shapes."""

    numbers: Numbers
    codes: Codes


@dataclass(frozen=True)
class Named:
    """A class that says none."""

    name: str


TWO_BY_THREE = np.zeros((2, 3), np.float32)
TWO, THREE = np.zeros(2, np.int64), np.zeros(3, np.int64)


def test_right_shapes_pass():
    assert scaled(TWO_BY_THREE, TWO) is TWO
    assert scaled(TWO_BY_THREE, TWO, by=1) is TWO
    assert Pair(TWO_BY_THREE, TWO).codes is TWO


@pytest.mark.parametrize("codes", [THREE, TWO.astype(np.int32), TWO[:, None], [0, 0]])
def test_wrong_shapes_and_kinds_are_found(codes):
    with pytest.raises(TypeCheckError):
        scaled(TWO_BY_THREE, codes)
    with pytest.raises(TypeCheckError):
        Pair(TWO_BY_THREE, codes)


def test_a_wrong_answer_is_found():
    with pytest.raises(TypeCheckError):
        scaled(TWO_BY_THREE, TWO, by=2)


@jaxtyped(typechecker=check)
def answers(numbers: Numbers, *, all_of: Mapping[str, tuple[Numbers, ...]], answer: list) -> Codes:
    """A function that answers what it is told to."""
    return answer[0]


def test_what_passed_once_is_checked_again_in_another_form():
    right = {"numbers": TWO_BY_THREE, "all_of": {"a": (TWO_BY_THREE,)}}
    for _ in range(3):
        assert answers(**right, answer=[TWO]) is TWO
        for answer in (THREE, TWO.astype(np.int32), None):
            with pytest.raises(TypeCheckError):
                answers(**right, answer=[answer])
        for wrong in (TWO_BY_THREE.T, TWO_BY_THREE.astype(np.float64), TWO_BY_THREE[0]):
            with pytest.raises(TypeCheckError):
                answers(**{**right, "numbers": wrong}, answer=[TWO])
            with pytest.raises(TypeCheckError):
                answers(**{**right, "all_of": {"a": (wrong,)}}, answer=[TWO])
    # As many rows in all of them is as right as two in all of them.
    both = TWO_BY_THREE.T
    assert answers(both, all_of={"b": (both, both)}, answer=[THREE]) is THREE


def test_what_is_given_by_name_is_told_apart():
    @jaxtyped(typechecker=check)
    def first(one: Numbers | None = None, other: Codes | None = None) -> Numbers | None:
        return one

    assert first(one=TWO_BY_THREE) is TWO_BY_THREE
    with pytest.raises(TypeCheckError):
        first(other=TWO_BY_THREE)


def test_what_says_no_shape_is_left_alone():
    assert plain("seven") == "seven"
    assert not hasattr(plain, "__wrapped__"), "it would be called for nothing, again and again"


def test_a_name_that_stands_for_a_shape_is_seen():
    """Annotations are texts here: `Codes` names a shape, and so does a class through its field."""
    assert mentions_a_shape(scaled.__wrapped__)
    assert mentions_a_shape(Pair)
    assert not mentions_a_shape(says_a_shape)
    assert not mentions_a_shape(Named)


@pytest.mark.parametrize(
    ("annotation", "shaped"),
    [
        (Numbers, True),
        (Numbers | None, True),
        (Mapping[str, tuple[Numbers, int]], True),
        ('Mapping[str, Float32[np.ndarray, "rows k"]]', True),
        (int, False),
        (Mapping[str, int], False),
        ("Sequence[float]", False),
    ],
)
def test_a_shape_is_seen_at_any_depth(annotation, shaped):
    assert says_a_shape(annotation) is shaped


def test_the_package_itself_is_checked():
    assert len(Ids(THREE).values) == 3
    with pytest.raises(TypeCheckError):
        Ids(THREE.astype(np.int32))
    with pytest.raises(TypeCheckError):
        Bags(THREE, TWO[:, None])
