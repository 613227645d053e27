"""What pages tell people to type and to open is there: commands, options, verbs, files, figures."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer
import typer.core
from typer.main import get_command

from jointrec.cli import app
from jointrec.plan import plan
from jointrec.project import read

CHECKOUT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = [
    *(CHECKOUT / name for name in (*READMES, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *sorted((CHECKOUT / "examples").rglob("*.md")),
]
ANY_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
every = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix()
)


def typed(text: str) -> list[str]:
    """The lines of a page that somebody is told to type in a shell."""
    blocks = [body for language, body in ANY_BLOCK.findall(text) if language in ("console", "sh")]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip()]


def mentioned(text: str) -> list[str]:
    """Commands with arguments in running text."""
    inline = re.findall(r"`(jointrec [^`]+)`", ANY_BLOCK.sub("", text))
    return [" ".join(line.split()) for line in inline if len(line.split()) > 2]


@cache
def commands() -> typer.core.TyperGroup:
    """The command line; to make it takes much longer than to parse a line."""
    return get_command(app)


def parse(line: str) -> None:
    """Parses a line as the command line would, and runs nothing."""
    group = commands()
    context = typer.Context(group)
    name, command, rest = group.resolve_command(context, shlex.split(line, comments=True)[1:])
    command.make_context(name, list(rest), parent=context)


@every
def test_commands_have_the_words_that_pages_give_them(page):
    text = page.read_text(encoding="utf-8")
    for line in [*typed(text), *mentioned(text)]:
        if line.startswith("jointrec "):
            parse(line)


def test_pages_do_tell_commands():
    found = [line for page in PAGES for line in typed(page.read_text(encoding="utf-8"))]
    verbs = {line.split()[1] for line in found if line.startswith("jointrec ")}
    assert verbs >= {"init", "check", "fit", "evaluate", "predict", "recommend"}


@pytest.mark.parametrize(
    "line",
    [
        "jointrec train shop.toml",
        "jointrec fit shop.toml --cuts 3",
        "jointrec fit",
        "jointrec fit a b",
    ],
)
def test_a_command_that_is_none_is_found(line):
    with pytest.raises(Exception, match=r"(?i)no such|missing|unexpected"):
        parse(line)


@every
def test_verbs_are_those_of_the_makefile(page):
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    for line in [*typed(text), *re.findall(r"`(make [^`]+)`", text)]:
        if line.startswith("make "):
            asked = [word for word in shlex.split(line)[1:] if "=" not in word]
            assert set(asked) <= verbs, line


@every
def test_files_that_are_linked_are_there(page):
    text = ANY_BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        path, _, _ = target.partition("#")
        if path and "://" not in path and "/reference/" not in f"/{path}":
            assert (page.parent / path).exists(), target


@every
def test_files_that_are_named_are_there(page):
    text = page.read_text(encoding="utf-8")
    if page.parent.name == "how-to" and page.name.startswith("add-"):
        pytest.skip("names files that its reader makes: test_docs_recipes.py looks after it")
    for named in re.findall(r"`((?:src|tests|docs|examples|benchmarks)/[\w/.-]+)`", text):
        assert (CHECKOUT / named).exists(), named


@every
def test_pages_are_of_no_one_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.:/~}*\-])/(?:work|root|home|tmp|Users|opt|mnt)/[\w.]", text)


def test_both_readmes_say_the_same_to_the_shell():
    one, other = ((CHECKOUT / name).read_text(encoding="utf-8") for name in READMES)
    assert typed(one) == typed(other)
    (code,), (translated,) = (
        [body for language, body in ANY_BLOCK.findall(text) if language == "python"]
        for text in (one, other)
    )
    without_comments = [re.sub(r"\s+#.*", "", text) for text in (code, translated)]
    assert without_comments[0] == without_comments[1]
    assert set(LINK.findall(one)) - {READMES[1]} == set(LINK.findall(other)) - {READMES[0]}
    assert len(re.findall(r"^## ", one, re.M)) == len(re.findall(r"^## ", other, re.M))


def test_the_project_of_the_readme_can_be_planned(tmp_path):
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    (code,) = (body for language, body in ANY_BLOCK.findall(text) if language == "python")
    names: dict[str, object] = {}
    exec(code[: code.index("model = ")], names)
    shop = names["shop"]
    assert len(plan(shop).grains) == 4
    assert read(shop.write(tmp_path / "shop.toml")) == shop


def test_the_demo_is_as_large_as_promised():
    project = read(CHECKOUT / "src/jointrec/simulate/shop.toml")
    assert (len(project.tasks), len(plan(project).grains)) == (13, 6)
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert "one model on thirteen tasks at six grains" in " ".join(text.split())


def test_members_that_the_readme_lists_are_all_there_are():
    from jointrec import config

    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    box = text[text.index("## In the box") : text.index("## What it does not")]
    listed = set(re.findall(r"`([A-Z]\w+)`", box))
    members = {name for family in config.FAMILIES for name in config.members(family)}
    # Optimizers and updates of the table are not in the box: one of each will do.
    optimizers = {"Adam", "AdamW", "SGD", "LazyAdam", "RowwiseAdagrad"}
    assert listed == members - {"ByTime", "ByEntity"} - optimizers
