"""Each detector of a house rule finds the fault that it is for, and leaves good code alone."""

from __future__ import annotations

import pickle
from collections import OrderedDict

import house_rules as rules
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("x = eval('1')", "calls eval("),
        ("exec('x = 1')", "calls exec("),
        ("__import__('os')", "calls __import__("),
        ("import pickle", "imports pickle"),
        ("import pickle as p", "imports pickle"),
        ("from pickle import loads", "imports pickle"),
        ("import joblib.numpy_pickle", "imports joblib.numpy_pickle"),
        ("def f():\n    import cloudpickle", "imports cloudpickle"),
        ("import torch\ntorch.load('x')", "calls torch.load("),
        ("from torch import load", "imports torch.load"),
        ("import torch.distributed.checkpoint", "imports torch.distributed.checkpoint"),
        ("import yaml\nyaml.load('x')", "calls yaml.load("),
        ("import numpy as np\nnp.load('x', allow_pickle=True)", "passes allow_pickle"),
        ("try:\n    pass\nexcept:\n    pass", "bare except"),
        ("def f():\n    raise NotImplementedError", "NotImplementedError"),
        ("def f():\n    raise NotImplementedError('later')", "NotImplementedError"),
        ("x = 1  # TO" + "DO: mend", "TO" + "DO"),
        ('"""FIX' + 'ME"""', "FIX" + "ME"),
        ("print('hello')", "calls print("),
    ],
)
def test_a_planted_fault_is_found(bad, found):
    assert any(what.endswith(found) or found in what for what in rules.forbidden(bad))


@pytest.mark.parametrize(
    "good",
    [
        "model.eval()",
        "'''No pickle anywhere; eval( and torch.load do not occur.'''",
        "console.print('hello')",
        "try:\n    pass\nexcept ValueError:\n    pass",
        "from safetensors.torch import load_file\nload_file('x')",
        "import json\njson.load(open('x'))",
    ],
)
def test_good_code_is_left_alone(good):
    assert rules.forbidden(good) == []


def test_printing_is_for_the_command_line():
    assert rules.forbidden("print('hello')", may_print=True) == []


@pytest.mark.parametrize(
    "bad",
    [
        "def f():\n    import numpy",
        "class A:\n    def f(self):\n        from numpy import array",
        "async def f():\n    if True:\n        import numpy",
    ],
)
def test_a_late_import_is_found(bad):
    assert len(rules.late_imports(bad)) == 1


def test_an_import_at_the_top_is_left_alone():
    assert rules.late_imports("import numpy\nif True:\n    import polars\ndef f(): pass") == []


@pytest.mark.parametrize(
    "bad", ["import jointrec", "from jointrec import fit", "import jointrec as jr"]
)
def test_an_import_of_the_whole_is_found(bad):
    assert len(rules.imports_of_the_top(bad)) == 1


@pytest.mark.parametrize(
    "good", ["from jointrec.errors import DataError", "from . import tasks", "import jointrec.plan"]
)
def test_an_import_of_a_part_is_left_alone(good):
    assert rules.imports_of_the_top(good) == []


def test_a_part_may_be_imported_by_its_name_but_nothing_beside_it():
    parts = {"sources", "tasks"}
    assert rules.imports_of_the_top("from jointrec import sources, tasks", parts=parts) == []
    assert len(rules.imports_of_the_top("from jointrec import sources, fit", parts=parts)) == 1


def test_values_with_a_word_below_are_documented():
    source = "A = 1\n'''What A is.'''\nB: int = 2\n'''What B is.'''\nC = 3\nD = 4\n"
    assert rules.documented_values(source) == {"A", "B"}


@pytest.mark.parametrize("folder", ["home", "root", "tmp", "work", "Users"])
def test_a_path_of_one_machine_is_found(folder):
    assert len(rules.machine_paths(f"first line\nopen('/{folder}/ann/x')")) == 1
    assert len(rules.machine_paths(f"/{folder}/ann/x")) == 1


@pytest.mark.parametrize(
    "good", ["../shared/data", "runs/tmp/x", "https://a.example/home/x", "and/or", "src/work/x"]
)
def test_a_relative_path_is_left_alone(good):
    assert rules.machine_paths(good) == []


@given(st.integers(0, 20), st.integers(0, 20))
def test_length_is_counted_in_lines(lines, at_most):
    assert bool(rules.too_long("x = 1\n" * lines, at_most=at_most)) == (lines > at_most)


def test_a_pickle_is_refused_while_tests_run():
    with pytest.raises(RuntimeError, match="a pickle asked for"):
        pickle.loads(pickle.dumps(OrderedDict(a=1)))
