"""The page: one file, nothing from elsewhere, no script, and whatever the data say is text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.cli import app
from jointrec.errors import JointRecError
from jointrec.leaks import Leak, Leaks
from jointrec.page import html_of, write_page
from jointrec.prepare.check import Looked, look

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
DAY = 86_400_000_000
START = 1_700_006_400_000_000  # 2023-11-15, midnight
ROWS = 600


class Elements(HTMLParser):
    """The elements of a page and their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def frames() -> dict[str, pl.DataFrame]:
    names = [EVIL, "红色 连衣裙", "plain", "`tick`"]
    return {
        "user": pl.DataFrame({"user": ["a", "b", "c", EVIL]}),
        "visit": pl.DataFrame(
            {
                "user": ["a", "b", "c", "nobody " + EVIL] * (ROWS // 4),
                "at": [START + n * DAY // 10 for n in range(ROWS)],
                "what": [names[n % 4] for n in range(ROWS)],
                "late": ["x" if n < 400 else "y" for n in range(ROWS)],
                "paid": [float(n % 7) for n in range(ROWS)],
                "tags": [["a", EVIL], ["b"]] * (ROWS // 2),
            }
        ),
    }


def shop(sources: dict) -> jr.Project:
    return jr.Project(
        entity={"user": jr.Entity(sources["user"], key="user")},
        event={
            "visit": jr.Event(
                sources["visit"],
                ("user",),
                time="at",
                features={"what": f.Category(), "late": f.Category(), "tags": f.Set()},
            )
        },
        tasks={"paid": t.Amount("visit.paid")},
    )


@pytest.fixture(scope="module")
def looked() -> Looked:
    return look(shop(frames()))


@pytest.fixture(scope="module")
def page(looked: Looked) -> str:
    return html_of(looked, name=f"shop {EVIL}.toml")


def test_whatever_the_data_say_is_text(page: str):
    elements = Elements(page)
    assert elements.open == []
    kinds = {name for name, _ in elements.tags}
    assert not kinds & {"script", "img", "iframe", "object", "embed", "link", "form", "base"}
    for name, attributes in elements.tags:
        assert not [key for key in attributes if key.startswith("on") or key == "style"], name
    assert "<script>" not in page
    shown = "".join(elements.words)
    assert f"nobody {EVIL}" in shown and "红色 连衣裙" in shown


def test_nothing_is_loaded_and_nothing_may_be(page: str):
    assert "http://" not in page and "https://" not in page and "url(" not in page
    assert "@import" not in page and "src=" not in page.replace("img src=x", "")
    policy = next(
        attributes["content"]
        for name, attributes in Elements(page).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_links_lead_somewhere(page: str):
    elements = Elements(page).tags
    places = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(places) == len(set(places))
    links = {attributes["href"] for name, attributes in elements if name == "a"}
    assert links <= {f"#{place}" for place in places}
    assert {"#plan", "#findings", "#labels-over-time", "#table-visit", "#code-orphan"} <= links


def test_what_drifts_is_told_without_colour(page: str):
    assert page.count("▲ TV") == 1  # `late`
    assert "<b>1</b> columns that drift" in page
    assert "prefers-color-scheme: dark" in page


def test_every_column_has_a_row(looked: Looked, page: str):
    for column in ("user", "at", "what", "late", "paid", "tags"):
        assert f"<td><b>{column}</b></td>" in page
    assert len(looked.checked.findings) == page.count('class="done ')


def test_the_same_data_give_the_same_page(looked: Looked, page: str):
    assert html_of(looked, name=f"shop {EVIL}.toml") == page


def test_possible_leaks_have_a_section(looked: Looked, page: str):
    assert "Possible leaks" not in page
    alarm = Leak("tells_answer", "event.visit", EVIL, 3, (), "told", EVIL, ("paid",), EVIL, "`x`")
    told = html_of(looked, leaks=Leaks((alarm,), (), {}))
    assert "<script>" not in told
    assert f"event.visit.{EVIL}" in "".join(Elements(told).words)
    assert "<td><code>x</code></td>" in told
    assert "None suspected." in html_of(looked, leaks=Leaks((), (), {}))


def test_a_shop_without_times(tmp_path: Path):
    users = pl.DataFrame({"user": range(100), "good": [0, 1] * 50, "age": [20.0, 30.0] * 50})
    project = jr.Project(
        entity={"user": jr.Entity(users, key="user", features={"age": f.Number()})},
        tasks={"good": t.Binary("user.good")},
    )
    page = html_of(look(project))
    assert "Time plays no part in the split." in page
    assert "No task is asked at moments." in page


def test_the_command_writes_the_page(tmp_path: Path):
    tables = frames()
    for name, frame in tables.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    shop({name: f"{name}.parquet" for name in tables}).write(tmp_path / "shop.toml")
    out = tmp_path / "new" / "page.html"
    args = ["check", str(tmp_path / "shop.toml"), "--root", str(tmp_path), "--html", str(out)]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    assert "Open it in a browser." in result.output
    assert out.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="en">')


def test_no_page_where_there_is_a_folder(looked: Looked, tmp_path: Path):
    with pytest.raises(JointRecError, match=r"is a folder. Name a file in it"):
        write_page(looked, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(JointRecError, match="no file can be made there"):
        write_page(looked, tmp_path / "file" / "page.html")
