"""The type checker of the test run: it checks what says a shape, and leaves the rest to mypy.

Functions that take no tensor are left alone, because a wrong type given to them by a person is
theirs to explain, in words of their own; and because jaxtyping would bind the arguments of every
call of theirs to look at nothing, which took a third of the time of all tests.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

import jaxtyping
from beartype import BeartypeConf, beartype
from checked_once import checked_once
from jaxtyping import AbstractArray, install_import_hook

# An int is as good as a float, as it is for mypy.
_check = beartype(conf=BeartypeConf(is_pep484_tower=True))
# An annotation that could not be resolved is still a text: Float32[Tensor, "rows k"].
_jaxtyped = jaxtyping.jaxtyped
_NAMES = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SHAPED_TEXT = re.compile(r"""\b(?:Bool|U?Int|Float|Complex|Num|Real|Shaped|Key)\w*\[[^]]*["']""")


def says_a_shape(annotation: Any) -> bool:
    """Whether an annotation holds a shape, at any depth."""
    if isinstance(annotation, str):
        return bool(_SHAPED_TEXT.search(annotation))
    if isinstance(annotation, type) and issubclass(annotation, AbstractArray):
        return True
    return any(says_a_shape(part) for part in get_args(annotation))


def check(function: Any) -> Any:
    """The function with its arguments and answer checked, where any of them says a shape."""
    signature = inspect.signature(function)
    annotations = [parameter.annotation for parameter in signature.parameters.values()]
    if any(says_a_shape(annotation) for annotation in [*annotations, signature.return_annotation]):
        return _check(function)
    return function


def install(package: str) -> None:
    """Has the shapes of a package checked at each call, from its first import on."""
    jaxtyping.jaxtyped = jaxtyped  # what the hook writes above each function and class
    install_import_hook(package, "checked_shapes.check")


def jaxtyped(made: Any = None, *, typechecker: Any = None) -> Any:
    """What jaxtyping makes of a function or a class, where it says a shape; else the same again.

    A function is checked once for each form of what it is given and answers (checked_once.py).
    """
    again = partial(jaxtyped, typechecker=typechecker)
    if made is None:
        return again
    if not mentions_a_shape(made):
        return made
    if inspect.isclass(made):
        if "__init__" in vars(made):  # else it is its parent's, and that one is checked already
            made.__init__ = again(made.__init__)
        return made
    if isinstance(made, classmethod | staticmethod):
        return type(made)(again(made.__func__))
    if isinstance(made, property):
        return property(*(part and again(part) for part in (made.fget, made.fset, made.fdel)))
    return checked_once(made, partial(_jaxtyped, typechecker=typechecker))


def mentions_a_shape(made: Any) -> bool:
    """Whether a function, a method, a property or a dataclass has an annotation with a shape.

    Annotations are texts as a rule. Names in them may stand for shapes: `Rows`, `Answers | None`.
    """
    if isinstance(made, classmethod | staticmethod):
        return mentions_a_shape(made.__func__)
    if isinstance(made, property):
        return any(mentions_a_shape(part) for part in (made.fget, made.fset) if part)
    if inspect.isclass(made):
        if not dataclasses.is_dataclass(made):
            return False
        annotations = [field.type for field in dataclasses.fields(made)]
        named = vars(sys.modules[made.__module__])
    else:
        annotations = list(getattr(made, "__annotations__", {}).values())
        named = getattr(made, "__globals__", {})
    return any(_mentions(annotation, named) for annotation in annotations)


def _mentions(annotation: Any, named: Mapping[str, Any]) -> bool:
    if not isinstance(annotation, str):
        return says_a_shape(annotation)
    return says_a_shape(annotation) or any(
        says_a_shape(_found(name.split("."), named)) for name in _NAMES.findall(annotation)
    )


def _found(path: list[str], named: Mapping[str, Any]) -> Any:
    found = named.get(path[0])
    for part in path[1:]:
        found = getattr(found, part, None)
    return None if isinstance(found, str) else found
