"""The page of a report: one file, nothing from elsewhere, no script, names as text."""

from __future__ import annotations

import math
import re

import pytest
from test_page import EVIL, Elements

from jointrec.errors import JointRecError
from jointrec.evaluation import Report, Slice, TaskReport
from jointrec.functional.intervals import Interval
from jointrec.functional.reliability import Reliability
from jointrec.page import report_html, write_report
from jointrec.page.reliability import LEFT, SIDE, TOP

NAN = math.nan


def report(name: str = "click", **changes) -> Report:
    auc = {"auc": Interval(0.75, 0.5, 0.875)}
    settings = {
        "kind": "Binary",
        "grain": "impression",
        "sees": ("user", "item"),
        "label": "impression.clicked",
        "rows": 1000,
        "positives": 7,
        "train_rows": 400,
        "metric": "auc",
        "better": "higher",
        "systems": {"joint": auc, "alone": auc},
        "gains": {"alone": Interval(0.125, 0.0625, 0.25)},
        "clusters": 20,
        "slices": {"user": {"cold": Slice("0", 12, 3, {"joint": Interval(0.6, NAN, NAN)})}},
        "reliability": {
            "before": Reliability(0.02, 1.3, (0.001, 0.2), (0.0, 0.1), (500, 500)),
            "after": Reliability(0.01, 1.01, (0.001, 0.1), (0.001, 0.1), (500, 500)),
        },
    }
    return Report({name: TaskReport(**{**settings, **changes})}, {})


def test_every_task_slice_and_diagram_is_there() -> None:
    page = Elements(report_html(report(), name="first"))
    words = " ".join(page.words)
    assert not page.open
    for told in (".750", "(.500–.875)", "cold: 0", ".600", "ECE 0.0100", "observed 1.01", "1,000"):
        assert told in words, told
    assert sum(name == "circle" for name, _ in page.tags) == 2  # a dot for each share, after
    assert "▲" in words


def test_diagrams_stay_within_their_frame() -> None:
    text = report_html(report(), name="first")
    for line in re.findall(r'class="rate" d="M([^"]+)"', text):
        for pair in line.split("L"):
            x, y = map(float, pair.split())
            assert LEFT <= x <= LEFT + SIDE
            assert TOP <= y <= TOP + SIDE


def test_a_chance_that_is_right_lies_on_the_dashed_line() -> None:
    text = report_html(report(), name="first")
    (line,) = re.findall(r'class="rate" d="M([^"]+)"', text)
    for pair in line.split("L"):
        x, y = map(float, pair.split())
        assert x - LEFT == pytest.approx(TOP + SIDE - y, abs=0.15)


def test_axes_say_what_they_are_and_end_at_powers_of_ten() -> None:
    words = Elements(report_html(report(), name="first")).words
    assert words.count("said") == words.count("seen") == 1
    assert [words.count(f"{share} %") for share in ("100", "10", "1", "0.1", "0.01")] == [2] * 4 + [
        0
    ]


def test_what_a_report_does_not_have_has_no_section() -> None:
    words = " ".join(Elements(report_html(report(slices={}, reliability={}), name="x")).words)
    for title in ("Are chances right?", "Who and what is new", "Do bands hold?", "What is shown"):
        assert title not in words


def test_ways_that_few_tasks_have_share_a_column() -> None:
    auc = {"auc": Interval(0.75, 0.5, 0.875)}
    found = report(systems={"joint": auc, "oracle": auc, "rfm": auc, "bm25": auc})
    page = Elements(report_html(found, name="x"))
    heads = page.words[page.words.index("test rows") - 1 :]
    assert heads[:6] == ["task", "test rows", "metric", "joint", "other ways", "oracle"]
    assert {"bm25", "rfm"} <= {word.strip() for word in page.words}


def test_bands_and_what_is_shown_are_told() -> None:
    held = {f"coverage_{n}": Interval(n / 100, 0.5, 1.0) for n in (80, 95)}
    found = report(
        systems={"joint": {"auc": Interval(0.75, 0.5, 0.875), **held}}, gains={},
        shown={"joint": {"coverage@10": 0.25, "novelty@10": 7.5}},
    )  # fmt: skip
    words = " ".join(Elements(report_html(found, name="x")).words)
    for told in ("Do bands hold?", ".800", ".950", "What is shown", "25.0%", "7.5"):
        assert told in words, told


def test_on_a_narrow_screen_each_number_stands_beside_its_head() -> None:
    page = Elements(report_html(report(), name="x"))
    told = [attrs["data-head"] for name, attrs in page.tags if name == "td"]
    assert told[:5] == ["task", "test rows", "metric", "joint", "alone"]


def test_names_are_text() -> None:
    page = Elements(report_html(report(EVIL, grain=EVIL), name=EVIL))
    names = {name for name, _ in page.tags}
    assert not names & {"script", "img", "link", "iframe"}
    assert not [attrs for _, attrs in page.tags if any(key.startswith("on") for key in attrs)]
    assert EVIL in page.words


def test_the_ending_says_what_is_written(tmp_path) -> None:
    found = report()
    assert write_report(found, tmp_path / "new" / "r.json").read_text() == found.to_json()
    page = write_report(found, tmp_path / "run" / "report.html")
    assert page.read_text() == report_html(found, name="run")
    (tmp_path / "file").write_text("")
    with pytest.raises(JointRecError, match="Choose another"):
        write_report(found, tmp_path / "file" / "r.json")
