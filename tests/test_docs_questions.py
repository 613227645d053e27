"""The page on questions has a section, and a declaration that is read, for every kind of task."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jointrec.config import members
from jointrec.project import parse
from jointrec.tasks import Task

PAGE = (Path(__file__).resolve().parents[1] / "docs/ideas/questions.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("kind", members(Task))
def test_a_kind_has_a_section_with_a_declaration(kind: str) -> None:
    assert f"[`{kind}`](#{kind.lower()})" in PAGE
    declared = [
        task
        for text in re.findall(r"^```toml\n(.*?)^```$", SECTIONS[kind], re.DOTALL | re.MULTILINE)
        for task in parse(f'entity.x = {{ source = "x.csv" }}\n[tasks]\n{text}').tasks.values()
    ]
    assert kind in {type(task).__name__ for task in declared}
    first = next(iter(members(Task)[kind]("a.b").metrics))
    assert SECTIONS[kind].count("Decided by") == 1, first
