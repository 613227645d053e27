"""The picture and the table of a report: better to the right, losses as plain as wins."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from jointrec.errors import DataError
from jointrec.evaluation import Report, TaskReport
from jointrec.functional.intervals import Interval

CHECKOUT = Path(__file__).resolve().parents[1]
NAN = math.nan


def script():
    """The script, which is no part of the package."""
    path = CHECKOUT / "benchmarks" / "quality" / "picture.py"
    spec = importlib.util.spec_from_file_location("picture", path)
    module = sys.modules["picture"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


picture = script()


def task(metric="auc", better="higher", systems=None, gains=None, **changes) -> TaskReport:
    settings = {
        "kind": "Binary", "grain": "impression", "sees": ("user",), "label": "impression.clicked",
        "rows": 1000, "positives": 70, "train_rows": 4000, "clusters": 200,
    }  # fmt: skip
    ways = {way: {metric: Interval(*ends)} for way, ends in (systems or {}).items()}
    paired = {way: Interval(*ends) for way, ends in (gains or {}).items()}
    return TaskReport(
        **settings | changes, metric=metric, better=better, systems=ways, gains=paired
    )


def report() -> Report:
    return Report(
        {
            "click": task(
                systems={"joint": (0.75, 0.7, 0.8), "alone": (0.7, 0.65, 0.75),
                         "lightgbm": (0.76, 0.71, 0.81), "oracle": (0.85, 0.8, 0.9)},
                gains={"alone": (0.05, 0.02, 0.08), "lightgbm": (-0.01, -0.02, -0.005)},
            ),
            "sales": task("poisson_deviance", "lower", positives=None,
                          systems={"joint": (1.5, 1.2, 1.9), "alone": (1.5, 1.25, 1.8)},
                          gains={"alone": (0.0, -0.1, 0.1)}),
            "next_item": task("ndcg@10", gains={"popularity": (0.02, 0.01, 0.03)}, systems={
                "joint": (0.1, 0.09, 0.11), "popularity": (0.08, 0.07, 0.09)}),
            "churn": task(systems={"joint": (NAN, NAN, NAN)}, gains={"alone": (NAN, NAN, NAN)}),
        },
        {"jointrec": "0.1.0", "seed": 0, "seconds": {"train": 12.4}},
    )  # fmt: skip


def test_better_is_to_the_right_whichever_way_the_metric_goes():
    higher = picture.scale_of(task(systems={"joint": (0.75, 0.7, 0.8)}))
    assert [higher.place(x) for x in (0.7, 0.75, 0.8)] == pytest.approx([0, 0.5, 1])
    lower = picture.scale_of(task("mae", "lower", systems={"joint": (3.0, 2.0, 4.0)}))
    assert [lower.place(x) for x in (4.0, 3.0, 2.0)] == [0, 0.5, 1]


def test_a_scale_holds_every_way_and_needs_a_number():
    scale = picture.scale_of(report().tasks["click"])
    assert (scale.worst, scale.best) == (0.65, 0.9)
    assert picture.scale_of(report().tasks["churn"]) is None
    single = picture.scale_of(task(systems={"joint": (0.5, NAN, NAN)}))
    assert 0 < single.place(0.5) < 1


def test_wins_and_losses_are_told_alike():
    click = report().tasks["click"]
    assert picture.gain(click, "alone") == "▲ +.050"
    assert picture.gain(click, "lightgbm") == "▼ −.010"
    assert picture.gain(report().tasks["sales"], "alone") == "= .000"
    assert picture.gain(report().tasks["sales"], "lightgbm") == "–"
    assert picture.gain(report().tasks["churn"], "alone") == "not defined"


TABLE = """\
| `click` | Binary | impression | 1,000 | 70 | auc ↑ | .750 (.700–.800) | .700 (.650–.750) \
| .760 (.710–.810) | – | .850 (.800–.900) | ▲ +.050 (+.020 to +.080) | ▼ −.010 (−.020 to −.005) \
| – |
"""


def test_the_table_says_it_in_numbers():
    text = picture.table(report())
    assert TABLE in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
    assert len(rows) == 2 + 4
    assert "Against alone: 1 better, 1 level." in text
    assert "Against LightGBM: 1 worse." in text
    assert "Against popularity: 1 better." in text
    assert "The run: JointRec 0.1.0; seed 0; time: train 12 s." in text


def test_only_what_stands_between_the_markers_changes():
    page = "# A\n\n<!-- table: a -->\n\nold\n\n<!-- /table -->\n\nwords | here\n"
    filled = picture.fill(page, "a", "new \\1", at="a.md")
    assert filled == page.replace("old", "new \\1")
    assert picture.fill(filled, "a", "new \\1", at="a.md") == filled


@pytest.mark.parametrize("page", ["no markers", "<!-- table: b -->\n<!-- /table -->",
                                  "<!-- table: a -->\n<!-- /table -->" * 2])  # fmt: skip
def test_a_page_without_its_markers_is_refused(page):
    with pytest.raises(DataError, match=r"a\.md: should hold `<!-- table: a -->`"):
        picture.fill(page, "a", "new", at="a.md")


def test_the_pages_of_the_examples_have_their_markers():
    for name in ("demo", "merch"):
        page = CHECKOUT / "docs" / "examples" / f"{name}.md"
        text = page.read_text(encoding="utf-8")
        assert "filled" in picture.fill(text, page.stem, "filled", at=page.name)


def test_from_a_report_to_a_page_and_a_picture(tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need pip install 'jointrec[plots]'")
    source, page, drawn = (tmp_path / name for name in ("report.json", "a.md", "new/a.svg"))
    source.write_text(report().to_json(), encoding="utf-8")
    page.write_text("<!-- table: a -->\n<!-- /table -->\n", encoding="utf-8")
    asked = [str(source), "--page", str(page), "--picture", str(drawn)]
    assert picture.main(asked) == 0
    text = page.read_text(encoding="utf-8")
    assert "](new/a.svg)\n\n| task |" in text
    assert "`next_item`" in text
    first = drawn.read_bytes()
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(first).iter()}
    assert "path" in tags
    assert "text" not in tags, "letters must be paths, or they look otherwise elsewhere"
    assert b"<dc:date>" not in first
    assert picture.main(asked) == 0
    assert drawn.read_bytes() == first
    width = float(re.search(rb'width="([\d.]+)pt"', first)[1])
    assert width == pytest.approx(9.6 * 72)


def test_a_wrong_report_is_told_without_a_traceback(tmp_path, capsys):
    wrong = tmp_path / "report.json"
    wrong.write_text("{}", encoding="utf-8")
    assert picture.main([str(wrong)]) == 2
    assert f"Error: {wrong}: KeyError: 'tasks'" in capsys.readouterr().err
