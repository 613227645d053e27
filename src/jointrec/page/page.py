"""Puts the page together, and writes it."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from pathlib import Path

from jointrec import durable
from jointrec.errors import JointRecError
from jointrec.leaks import Leaks
from jointrec.prepare.check import Looked

from .markup import Markup, joined, tag
from .sections import (
    codes_section,
    columns_section,
    findings_section,
    leaks_section,
    plan_section,
    rates_section,
    summary_section,
    tables_of,
)


def write_page(
    looked: Looked, path: Path, *, leaks: Leaks | None = None, name: str = "shop.toml"
) -> Path:
    """Writes the page of a project to a file; a crash leaves the old one or the new one.

    :param leaks, name: As for :func:`html_of`.
    :raises JointRecError: where there can be no such file.
    """
    if path.is_dir():
        raise JointRecError(f"--html {path}: is a folder. Name a file in it: {path / 'page.html'}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JointRecError(
            f"--html {path}: no file can be made there ({error.strerror}). Choose another."
        ) from None
    durable.write_file(path, html_of(looked, leaks=leaks, name=name).encode())
    return path


def html_of(looked: Looked, *, leaks: Leaks | None = None, name: str = "shop.toml") -> str:
    """The page of a project as text.

    :param leaks: What a scan for leaks found; None leaves that section out.
    :param name: What to call the project.
    """
    tables = tables_of(looked)
    sections = {
        "Plan": plan_section(looked),
        "Findings": findings_section(looked),
        **({} if leaks is None else {"Possible leaks": leaks_section(leaks)}),
        "Labels over time": rates_section(looked),
        **{f"Table {table.name}": columns_section(table) for table in tables},
        "What the codes mean": codes_section(looked),
    }
    links = [tag("a", title, href=f"#{anchor(title)}") for title in sections]
    body = joined(
        tag("header", tag("h1", name), summary_section(looked, tables)),
        tag("nav", *links),
        tag(
            "main",
            *[
                tag("section", tag("h2", title), inner, id=anchor(title))
                for title, inner in sections.items()
            ],
        ),
        tag("footer", "Made by jointrec check --html. It loads nothing and runs nothing."),
    )
    return "<!doctype html>\n" + tag(
        "html", head(f"{name}: the data"), tag("body", body), lang="en"
    )


def head(title: str) -> Markup:
    """The head of a page that loads nothing and runs nothing, which it tells the browser too."""
    style = (resources.files("jointrec.page") / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return joined(
        Markup('<head><meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        tag("title", title),
        Markup(f"<style>{style}</style></head>"),
    )


def anchor(title: str) -> str:
    """What a link to a section names.

    >>> anchor("Are chances right?")
    'are-chances-right'
    """
    return "-".join(re.findall(r"\w+", title.lower()))
