"""The tour runs: its Python in order, then its lines of shell, as a newcomer would walk."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from quick import small_grains_seldom
from typer.testing import CliRunner

from jointrec.cli import app

CHECKOUT = Path(__file__).resolve().parents[1]
TOUR = (CHECKOUT / "docs/tour.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """The blocks of the page as (language, text), in order."""
    return BLOCK.findall(TOUR)


def same(shown: str, printed: str) -> bool:
    """Whether what was printed is what the page shows, where three dots stand for anything."""
    return doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tour")


def test_the_tour_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    # What is walked is the page; how good trees become is proved elsewhere.
    monkeypatch.setattr("jointrec.evaluation.baselines.lightgbm.ROUNDS", 60)
    names: dict[str, object] = {}
    printed = ""
    walked = []
    for language, text in blocks():
        if language == "python":
            capsys.readouterr()
            with small_grains_seldom(steps=6):
                exec(compile(text, "docs/tour.md", "exec"), names)
            printed = capsys.readouterr().out
        elif language == "text":
            assert same(text, printed), printed
        else:
            assert language == "console"
            for line in text.splitlines():
                assert line.startswith("$ jointrec "), line
                verb, *rest = shlex.split(line)[2:]
                walked.append(verb)
                if verb != "fit":  # it repeats what Python did; its options are tested elsewhere
                    result = CliRunner().invoke(app, [verb, *rest])
                    assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception}"
    assert walked == ["check", "fit", "predict", "predict", "recommend"]
    assert (folder / "back.csv").read_text().startswith("user,answer\n")


def test_what_is_shown_is_compared():
    assert same("click: auc 0...\n", "click: auc 0.7\n")
    assert not same("click: auc 0...\n", "cart: auc 0.7\n")
    assert [language for language, _ in blocks()].count("text") == 6
