"""The type checker of the test run: it checks what says a shape, and leaves the rest to mypy.

Functions that take no tensor are left alone, because a wrong type given to them by a person is
theirs to explain, in words of their own.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray

# An int is as good as a float, as it is for mypy.
_check = beartype(conf=BeartypeConf(is_pep484_tower=True))
# An annotation that could not be resolved is still a text: Float32[Tensor, "rows k"].
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
