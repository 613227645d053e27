"""What holds for every test: checked shapes, no pickle, one thread, and what was left out."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings


def _only_hands_out() -> bool:
    """Whether this process starts workers (`-n 2`) and runs no test of its own."""
    given = sys.argv[1:]
    return (
        "PYTEST_XDIST_WORKER" not in os.environ
        and "-n" in given[:-1]
        and given[given.index("-n") + 1] != "0"
    )


if not _only_hands_out():  # it need not wait for PyTorch
    from checked_shapes import install

    # Whatever says a shape in `jointrec` is checked at each call (see checked_shapes.py). This must
    # stand before the package is first imported.
    install("jointrec")

    import torch

    torch.set_num_threads(1)

settings.register_profile("here", deadline=None, max_examples=50)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Commands keep what they prepare: not in the cache folder of whoever runs the tests.
os.environ["JOINTREC_CACHE"] = tempfile.mkdtemp(prefix="jointrec-tests-")
atexit.register(shutil.rmtree, os.environ["JOINTREC_CACHE"], ignore_errors=True)

CHECKOUT = Path(__file__).resolve().parents[1]


class PickleUsed(RuntimeError):
    """Something was built from a pickle, which this package never does."""


def _refuse_pickle(event: str, args: tuple[object, ...]) -> None:
    if event == "pickle.find_class":
        raise PickleUsed(f"a pickle asked for {args}")


sys.addaudithook(_refuse_pickle)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of public data sets: $JOINTREC_DATA, else shared/data beside the checkout."""
    named = os.environ.get("JOINTREC_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no data sets here: set JOINTREC_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _what_stays_is_passed_over() -> None:
    """As after collecting the tests: what is there when a file begins, like caches, stays."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Let the garbage collector pass over what stays to the end: modules, tests and parameters.

    They are over a million objects, and to look through them takes half a second each time. And
    let it look through new objects after so many of them, not after 700: few tests leave circles.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what did not run, and why, so that green never means less than it seems to."""
    skipped = Counter(
        report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        for report in terminalreporter.stats.get("skipped", [])
    )
    if skipped:
        terminalreporter.section("left out")
        for reason, number in skipped.most_common():
            terminalreporter.line(f"{number:>5}  {reason or 'no reason given'}")
    if terminalreporter.config.option.markexpr == "not slow":
        terminalreporter.line("Tests marked `slow` were left out; `make slow` runs them.")
