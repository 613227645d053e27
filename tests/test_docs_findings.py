"""The page of findings has a section for every code that can be emitted, and for no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jointrec.findings import CODES, DONE
from jointrec.prepare.cleaning import detectors

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = (CHECKOUT / "docs/findings.md").read_text(encoding="utf-8")
EMITTERS = {"Finding": 0, "note": 0, "find": 0, "put_aside": 3, "set_aside": None, "_act": 0}
"""The calls that emit a finding, and at which place they take its code."""


def sections(page: str) -> dict[str, str]:
    """The text below each heading that is a code."""
    parts = re.split(r"^### `(\w+)`$", page, flags=re.MULTILINE)[1:]
    texts = (" ".join(text.split("\n## ")[0].split()) for text in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))


def emitted(source: str) -> Iterator[str]:
    """The codes that calls in a module name, and those of loops over (code, …)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in EMITTERS:
                continue
            place = EMITTERS[name]
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if place is not None:
                given += node.args[place : place + 1]
            for value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value
        elif isinstance(node, ast.For) and ast.unparse(node.target).startswith("(code, "):
            yield from (row[0] for row in ast.literal_eval(_without_names(node.iter)))


def _without_names(table: ast.expr) -> ast.expr:
    """A tuple of tuples, of each only what comes first."""
    assert isinstance(table, ast.Tuple)
    rows = [row for row in table.elts if isinstance(row, ast.Tuple)]
    return ast.Tuple([ast.Tuple(row.elts[:1], ast.Load()) for row in rows], ast.Load())


def all_emitted() -> set[str]:
    found = {kind.code for kind in detectors()}
    for path in (CHECKOUT / "src/jointrec").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "Finding(" in source or "record" in source or "step.note(" in source:
            found |= set(emitted(source))
    return found


def test_every_code_that_can_be_emitted_is_declared_and_every_declared_one_can_be():
    assert all_emitted() == set(CODES)


def test_a_new_code_would_be_noticed():
    source = 'step.note("new_a", values, odd, "", "")\nFinding("new_b", at)\nrecord.find("new_c")'
    assert set(emitted(source)) == {"new_a", "new_b", "new_c"}
    assert set(emitted('for code, text in (("new_e", f"{x}"), ("new_f", "")): pass')) == {
        "new_e", "new_f",
    }  # fmt: skip
    assert set(emitted('record.set_aside(at, frame, bad, code="new_d", text="")')) == {"new_d"}


def test_the_page_has_a_section_for_every_code():
    assert list(sections(PAGE)) == [code for code in sections(PAGE) if code in CODES]
    assert set(sections(PAGE)) == set(CODES)


@pytest.mark.parametrize("name", CODES)
def test_a_section_says_what_the_code_says(name: str):
    code, told = CODES[name], sections(PAGE)[name]
    if len(code.actions) > 1:
        others = ", ".join(f"`{action}`" for action in code.actions[1:])
        done = f"Done: `{code.default}`. May be: {others}."
    else:
        done = f"Done, always: {code.done or DONE[code.default]}."
    assert told == f"{code.meaning} {code.advice} {done}"


def test_a_section_that_says_something_else_would_be_noticed():
    assert sections("### `bot`\n\nA bot.\n\n## Next\n")["bot"] == "A bot."
