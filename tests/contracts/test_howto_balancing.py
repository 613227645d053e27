"""The page on how to add a balancing method shows the file that is really there."""

from __future__ import annotations

import re
from pathlib import Path

from jointrec import balancing, project

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs/how-to/add-a-balancing-method.md").read_text(encoding="utf-8")
FILE = CHECKOUT / "src/jointrec/balancing/geometric.py"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_page_shows_the_whole_file():
    assert f"`{FILE.relative_to(CHECKOUT).as_posix()}`, whole" in PAGE
    assert blocks("python") == [FILE.read_text(encoding="utf-8")]


def test_the_file_is_as_short_as_promised():
    assert len(FILE.read_text(encoding="utf-8").splitlines()) < 40


def test_the_file_of_a_project_can_name_it():
    (text,) = blocks("toml")
    declared = project.parse(f"entity = {{}}\ntasks = {{}}\n{text}")
    assert declared.balancing == balancing.Geometric()


def test_members_that_the_page_names_are_there():
    named = re.findall(r"\[jointrec\.balancing\.(\w+)\]", PAGE)
    assert len(named) == 3
    assert set(named) <= set(balancing.__all__)
