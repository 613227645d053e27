"""The house rules hold in every file: what the linters cannot say, said here."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import house_rules as rules
import pytest

import jointrec

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "src" / "jointrec"
MODULES = sorted(PACKAGE.rglob("*.py"))
OURS = sorted(
    path
    for folder in ("src", "tests", "docs", "benchmarks", "examples")
    for path in (CHECKOUT / folder).rglob("*.py")
)


def place(path: Path) -> str:
    """`training/loop` for src/jointrec/training/loop.py."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def within(path: Path, places: tuple[str, ...]) -> bool:
    """Whether a file is one of the places named, or inside one."""
    return any(place(path) == one or place(path).startswith(f"{one}/") for one in places)


def dotted(path: Path) -> str:
    """`jointrec.training.loop` for src/jointrec/training/loop.py."""
    parts = ["jointrec", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def findings(paths: list[Path], rule) -> list[str]:
    """What a rule finds in files, each with the place where it stands."""
    return [
        f"{path.relative_to(CHECKOUT)}: {found}"
        for path in paths
        for found in rule(path.read_text(encoding="utf-8"))
    ]


def test_there_is_something_to_look_at():
    assert len(MODULES) > 10
    assert PACKAGE / "errors.py" in MODULES


def test_files_can_be_read_in_one_go():
    assert findings(OURS, rules.too_long) == []


def test_nothing_forbidden_in_the_package():
    may_print = [path for path in MODULES if within(path, rules.PRINTING_ALLOWED)]
    others = [path for path in MODULES if path not in may_print]
    assert findings(others, rules.forbidden) == []
    assert findings(may_print, lambda source: rules.forbidden(source, may_print=True)) == []


def test_imports_stand_at_the_top():
    strict = [path for path in MODULES if not within(path, rules.LATE_IMPORTS_ALLOWED)]
    assert findings(strict, rules.late_imports) == []


def test_no_part_imports_the_whole():
    inner = [path for path in MODULES if not within(path, ("cli", "demo"))]
    parts = {"__version__", *(place(path).split("/")[0] for path in MODULES)}
    assert findings(inner, lambda source: rules.imports_of_the_top(source, parts=parts)) == []


def test_no_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [path for path in MODULES if drawers & set(Path(place(path)).parts)] == []


def test_every_folder_is_a_package():
    folders = {path.parent for path in MODULES}
    assert sorted(str(f) for f in folders if not (f / "__init__.py").is_file()) == []


def test_every_module_says_what_it_is_for():
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert [place(path) for path in silent] == []


def undocumented(module: types.ModuleType, values: set[str]) -> list[str]:
    """Public names of a module that say nothing about themselves."""
    silent = []
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name)
        if isinstance(thing, type) or inspect.isroutine(thing) or inspect.ismodule(thing):
            text = thing.__doc__ or ""
            # A dataclass without a docstring is given its own signature as one.
            said = bool(text) and not text.startswith(f"{name}(")
        else:
            said = name in values
        if not said:
            silent.append(f"{module.__name__}.{name}")
    return silent


def test_every_public_name_is_documented():
    values = set().union(*(rules.documented_values(path.read_text("utf-8")) for path in MODULES))
    silent = [
        name
        for path in MODULES
        for name in undocumented(importlib.import_module(dotted(path)), values)
    ]
    assert sorted(set(silent)) == []


def test_a_silent_public_name_is_found():
    def spoken():
        """Say something."""

    def silent():
        pass

    module = types.ModuleType("planted")
    module.spoken, module.silent, module.VALUE, module.TOLD = spoken, silent, 1, 2
    module.Bare = type("Bare", (), {"__doc__": "Bare(x: int)"})
    module.__all__ = ["Bare", "TOLD", "VALUE", "silent", "spoken"]
    assert undocumented(module, {"TOLD"}) == ["planted.Bare", "planted.VALUE", "planted.silent"]


def tracked_texts() -> list[Path]:
    """The text files that are committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout: which files are tracked is not known")
    binary = {".parquet", ".png", ".jpg", ".gz", ".zip", ".safetensors", ".woff2"}
    paths = [CHECKOUT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in binary]


def test_no_path_of_one_machine():
    assert findings(tracked_texts(), rules.machine_paths) == []


def test_there_is_one_version():
    declared = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    assert declared["version"] == jointrec.__version__
    assert f"## [{jointrec.__version__}]" in (CHECKOUT / "CHANGELOG.md").read_text("utf-8")


def layers() -> list[str]:
    """The names of the layers that import-linter holds the package to, optional ones included."""
    config = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    lines = config["tool"]["importlinter"]["contracts"][0]["layers"]
    return [name.strip(" ()") for line in lines for name in re.split(r"[|:]", line)]


def test_the_layers_that_people_read_are_those_that_are_proved():
    text = (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")
    told = text.split("## Layers")[1].split("```")[1].strip()
    assert [name.strip() for name in re.split(r"[|\n]", told)] == layers()


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after a statement."""
    program = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return {name.split(".")[0] for name in json.loads(ran.stdout)}


HEAVY = {"lightgbm", "numpy", "pandas", "polars", "pyarrow", "scipy", "sklearn", "torch"}


def test_the_command_line_starts_light():
    assert modules_after("import jointrec") & HEAVY == set()
    assert modules_after("import jointrec.cli") & HEAVY == set()


def test_a_project_that_is_not_there_is_told_before_torch_is_imported():
    lines = (
        "import contextlib",
        "from jointrec import cli",
        "sys.argv = ['jointrec', 'check', 'nowhere.toml']",
        "with contextlib.suppress(SystemExit):",
        "    cli.main()",
    )
    held = modules_after(f"exec({chr(10).join(lines)!r})")
    assert "typer" in held
    assert "torch" not in held


def test_a_heavy_start_is_seen():
    assert "numpy" in modules_after("import numpy")
