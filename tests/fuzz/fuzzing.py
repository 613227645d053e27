"""What every target of the fuzzer shares: how long it runs, and which errors are meant."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jointrec.errors import JointRecError

SECONDS = float(os.environ.get("JOINTREC_FUZZ_SECONDS", "10"))
"""How long a target runs at most. More for a night: JOINTREC_FUZZ_SECONDS=3600."""
EACH = 30.0
"""No single input may take longer than this many seconds."""
ROUND = 200


def fuzz(
    target: Callable[[Any], object], inputs: st.SearchStrategy[Any], *, shrink: bool = True
) -> int:
    """Runs a target on made-up inputs until its time is over, and gives how many there were.

    :param shrink: Whether to look for the smallest input that goes wrong, which takes a while.
    :raises AssertionError: where an input ends in any error but one that this package raises on
        purpose, or takes too long; Hypothesis shows the smallest such input.
    """
    tried = 0
    until = time.monotonic() + SECONDS

    @settings(
        max_examples=ROUND, deadline=None, database=None, derandomize=False,
        phases=[Phase.generate, Phase.shrink][: 1 + shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(inputs)
    def some(data: Any) -> None:
        nonlocal tried
        if time.monotonic() > until:
            return
        tried += 1
        started = time.monotonic()
        try:
            target(data)
        except JointRecError as error:
            assert str(error).strip()
        assert time.monotonic() - started < EACH, "took too long"

    while time.monotonic() < until:
        some()
    return tried


def mutated(seeds: list[str], alphabet: str = "") -> st.SearchStrategy[str]:
    """Texts that are almost right: parts are cut out, doubled, swapped with others, or replaced."""
    pieces = st.one_of(
        st.sampled_from(seeds), st.text(max_size=8), st.text(alphabet or "{}[]\",:=\\.\n0-1eE+nul"),
        st.sampled_from(["9" * 5_000, "1e999", "-0", "NaN", "\u0000", "\ufeff", "[" * 3_000]),
    )  # fmt: skip

    def mixed(draw: Any) -> str:
        text = draw(st.sampled_from(seeds))
        for _ in range(draw(st.integers(0, 4))):
            first, last = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
            text = text[:first] + draw(pieces) + text[last:]
        return text

    return st.composite(mixed)()


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.sampled_from([2**63, -(2**70), 10**400, 1e308, "", "\ud800"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)  # fmt: skip
"""Any JSON, and some that Python calls so."""


def replaced(whole: Any) -> st.SearchStrategy[Any]:
    """A JSON document of which one part is something else, is gone, or is there twice."""

    def change(draw: Any) -> Any:
        return _changed(whole, draw, depth=draw(st.integers(0, 4)))

    return st.composite(change)()


def _changed(value: Any, draw: Any, depth: int) -> Any:
    if depth == 0 or not isinstance(value, dict | list) or not value:
        return draw(JSON)
    if isinstance(value, list):
        place = draw(st.integers(0, len(value) - 1))
        what = draw(st.sampled_from(["change", "drop", "double"]))
        middle = {
            "drop": [], "double": [value[place]] * 2,
            "change": [_changed(value[place], draw, depth - 1)] if what == "change" else [],
        }[what]  # fmt: skip
        return [*value[:place], *middle, *value[place + 1 :]]
    key = draw(st.sampled_from(sorted(value)))
    rest = {name: item for name, item in value.items() if name != key}
    what = draw(st.sampled_from(["change", "drop", "rename"]))
    if what == "drop":
        return rest
    if what == "rename":
        return {**rest, draw(st.text(max_size=5)): value[key]}
    return {**rest, key: _changed(value[key], draw, depth - 1)}
