"""The pages that the site makes from the code leave nothing out and read as they should."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "src" / "jointrec"


def hook(name: str):
    """A hook of the site, which is no part of the package."""
    pytest.importorskip("mkdocs", reason="the site is not installed: pip install 'jointrec[docs]'")
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "docs" / "hooks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_part_of_the_package_has_a_page():
    pages = hook("pages").reference(PACKAGE)
    parts = {path.stem for path in PACKAGE.glob("[!_]*.py")}
    parts |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(pages) == {f"reference/{part}.md" for part in [*parts, "index"]}
    for part in parts:
        assert f"::: jointrec.{part}\n" in pages[f"reference/{part}.md"]
        assert f"({part}.md): " in pages["reference/index.md"]


def test_a_new_part_has_one_without_a_line_of_ours(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "__init__.py").write_text('"""What is new."""\n')
    (tmp_path / "old.py").write_text('"""What is old.\n\nMore."""\n')
    (tmp_path / "__init__.py").write_text("")
    pages = hook("pages").reference(tmp_path)
    assert list(pages) == ["reference/index.md", "reference/new.md", "reference/old.md"]
    assert "- [`jointrec.new`](new.md): What is new.\n" in pages["reference/index.md"]
    assert "- [`jointrec.old`](old.md): What is old.\n" in pages["reference/index.md"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("See :class:`Project` and :func:`~jointrec.fit`.", "See `Project` and `jointrec.fit`."),
        ("Two:\n\n>>> 1 + 1\n2", "Two:\n\n```pycon\n>>> 1 + 1\n2\n```"),
        (">>> a\n1\n\nWords.", "```pycon\n>>> a\n1\n```\n\nWords."),
        (">>> a\n1\n\n>>> b\n2\n", "```pycon\n>>> a\n1\n\n>>> b\n2\n```"),
        ("No example.", "No example."),
    ],
)
def test_docstrings_become_markdown(written, read):
    assert hook("docstrings").readable(written) == read
