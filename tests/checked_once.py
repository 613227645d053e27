"""What was checked once needs no second check: the same shapes in give and take the same answer.

A check of shapes reads the kinds, the shapes and the types of numbers of what goes into a function
and of what comes out; here that is the *form* of it. Training calls the same functions a thousand
times in the same form, and to check them each time took half of its time. So a form that passed is
remembered, for each function, and only what comes in another form is checked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from functools import wraps
from itertools import islice
from types import FunctionType
from typing import Any

import numpy as np
from torch import Tensor

_FEW = 32
"""So many parts of a container are looked at; the checker itself looks at one, by chance."""
_READ: dict[type, Callable[[Any], Hashable]] = {}
"""What reads the form of each kind met so far."""


def form(value: Any) -> Hashable:
    """All that a check of shapes reads of a value."""
    kind = type(value)
    return (_READ.get(kind) or _reader(kind))(value)


def _reader(kind: type) -> Callable[[Any], Hashable]:
    """What reads the form of values of a kind; asked once for each kind."""
    if issubclass(kind, Tensor | np.ndarray):
        read = _of_array
    elif issubclass(kind, tuple | list):
        read = _of_list
    elif issubclass(kind, Mapping):
        read = _of_mapping
    else:
        read = type
    _READ[kind] = read
    return read


def _of_array(value: Any) -> Hashable:
    return type(value), value.shape, value.dtype


def _of_list(value: Any) -> Hashable:
    return type(value), *map(form, value[:_FEW])


def _of_mapping(value: Any) -> Hashable:
    few = islice(value.items(), _FEW)
    return type(value), *((type(key), form(part)) for key, part in few)


def checked_once(function: FunctionType, checked: Callable[[Any], Any]) -> Any:
    """The function, checked where it is given or answers something in a form not seen before.

    :param checked: Makes the function that checks at every call. It is asked for at the first call:
        most functions of the package are never called in a run of a few tests.
    """
    seen: dict[Hashable, set[Hashable]] = {}
    told = threading.local()
    slow: list[Callable[..., Any]] = []

    def told_or_made(*given: Any, **named: Any) -> Any:
        return told.answer if hasattr(told, "answer") else function(*given, **named)

    def checking() -> Callable[..., Any]:
        if not slow:
            # Annotations are read where the function stands.
            code, closure = told_or_made.__code__, told_or_made.__closure__
            there = FunctionType(code, function.__globals__, closure=closure)
            slow.append(checked(wraps(function)(there)))
        return slow[0]

    @wraps(function)
    def quick(*given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        asked = form(given), *((name, form(value)) for name, value in named.items())
        answers = seen.get(asked)
        if answers is None:
            answer = checking()(*given, **named)
            seen.setdefault(asked, set()).add(form(answer))
            return answer
        answer = function(*given, **named)
        answered = form(answer)
        if answered not in answers:
            told.answer = answer
            try:
                checking()(*given, **named)
            finally:
                del told.answer
            answers.add(answered)
        return answer

    return quick
