"""What the recipes add would pass the contract tests of its family, and a broken one would not."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from jointrec import sharing, tasks

CHECKOUT = Path(__file__).resolve().parents[1]
HOW_TO = CHECKOUT / "docs" / "how-to"
LONGEST = 100


def file_of(page: str, package: str) -> str:
    """The file that a recipe shows, whole."""
    (text,) = re.findall(
        r"^```python\n(.*?)^```$",
        (HOW_TO / page).read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert max(map(len, text.splitlines())) <= LONGEST
    return text.replace("from .", f"from jointrec.{package}.")


def made(text: str, name: str, monkeypatch) -> type:
    """The class that a file defines."""
    module = ModuleType(f"recipe_{name.lower()}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(text, module.__name__, "exec"), vars(module))
    return getattr(module, name)


@pytest.fixture
def contract(monkeypatch):
    """The contract tests of a family, by name: each asks one member."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "tests" / "contracts"))

    def load(family: str, argument: str) -> dict:
        module = __import__(f"test_{family}_contract")
        return {
            name: test
            for name, test in inspect.getmembers(module, inspect.isfunction)
            if name.startswith("test_")
            if [mark.args[0] for mark in getattr(test, "pytestmark", [])] == [argument]
        }

    return load


def test_the_task_kind_keeps_its_contract(contract, monkeypatch):
    level = made(file_of("add-a-task-kind.md", "tasks"), "Level", monkeypatch)
    found = contract("tasks", "kind")
    assert len(found) > 8
    for test in found.values():
        test(kind=level)
    assert issubclass(level, tasks.Task)


def test_a_broken_task_kind_is_found(contract, monkeypatch):
    text = file_of("add-a-task-kind.md", "tasks").replace(".square()", ".square().mean()")
    broken = made(text, "Level", monkeypatch)
    failed = [test for test in contract("tasks", "kind").values() if not passes(test, kind=broken)]
    assert failed


def test_the_architecture_keeps_its_contract(contract, monkeypatch):
    towers = made(file_of("add-an-architecture.md", "sharing"), "Towers", monkeypatch)
    for test in contract("sharing", "cls").values():
        test(cls=towers)
    found = contract("sharing", "member")
    assert len(found) > 6
    for test in found.values():
        test(member=towers(widths=(8, 4)))
    assert issubclass(towers, sharing.Sharing)


def test_the_fault_that_the_page_plants_is_found(contract, monkeypatch):
    text = file_of("add-an-architecture.md", "sharing")
    assert "[self.places[task] for task" in text
    broken = made(text.replace("[self.places[task] for", "[0 for"), "Towers", monkeypatch)
    found = contract("sharing", "member")["test_gradients_reach_all_parameters"]
    assert not passes(found, member=broken(widths=(8, 4)))


def passes(test, **arguments) -> bool:
    try:
        test(**arguments)
    except Exception:  # the fault may show in any way
        return False
    return True


@pytest.mark.parametrize("page", sorted(path.name for path in HOW_TO.glob("add-*.md")))
def test_files_that_a_recipe_names_are_there(page):
    text = (HOW_TO / page).read_text(encoding="utf-8")
    shown = set(re.findall(r"`(src/[\w/]+\.py)`, whole", text))
    for named in set(re.findall(r"`((?:src|tests)/[\w/]+\.py)`", text)) - shown:
        assert (CHECKOUT / named).is_file(), named
