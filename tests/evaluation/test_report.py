"""The report: a stable schema that comes back as it went."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.evaluation import Report, TaskReport
from jointrec.functional.intervals import Interval

NAN = math.nan


def task_report(**changes) -> TaskReport:
    settings = {
        "kind": "Binary",
        "grain": "impression",
        "sees": ("user", "item"),
        "label": "impression.clicked",
        "rows": 100,
        "positives": 7,
        "train_rows": 400,
        "metric": "auc",
        "better": "higher",
        "systems": {
            "joint": {"auc": Interval(0.75, 0.5, 0.875), "gauc": Interval(NAN, NAN, NAN)},
            "alone": {"auc": Interval(0.625, 0.5, 0.75), "gauc": Interval(0.5, NAN, NAN)},
        },
        "gains": {"alone": Interval(0.125, 0.0625, 0.25)},
        "clusters": 20,
        "gauc_clusters": 0,
    }
    return TaskReport(**{**settings, **changes})


GOLDEN = """\
{
  "schema": 1,
  "facts": {
    "seed": 0
  },
  "tasks": {
    "click": {
      "kind": "Binary",
      "grain": "impression",
      "sees": [
        "user",
        "item"
      ],
      "label": "impression.clicked",
      "rows": 100,
      "positives": 7,
      "train_rows": 400,
      "clusters": 20,
      "gauc_clusters": 0,
      "metric": "auc",
      "better": "higher",
      "joint": {
        "auc": {
          "value": 0.75,
          "low": 0.5,
          "high": 0.875
        },
        "gauc": {
          "value": null,
          "low": null,
          "high": null
        }
      },
      "alone": {
        "auc": {
          "value": 0.625,
          "low": 0.5,
          "high": 0.75
        },
        "gauc": {
          "value": 0.5,
          "low": null,
          "high": null
        }
      },
      "gains": {
        "alone": {
          "value": 0.125,
          "low": 0.0625,
          "high": 0.25,
          "verdict": "better"
        }
      },
      "slices": {}
    }
  }
}
"""


def test_the_schema_stays_as_it_is():
    """A change here is a change for everybody who reads reports: raise `SCHEMA`."""
    assert Report({"click": task_report()}, {"seed": 0}).to_json() == GOLDEN


numbers = st.floats(allow_infinity=False) | st.just(NAN)
intervals = st.builds(Interval, numbers, numbers, numbers)


@given(
    st.dictionaries(st.sampled_from(["joint", "alone", "lightgbm", "oracle"]), intervals),
    st.none() | st.integers(0, 10**12),
    st.text(),
)
def test_a_report_comes_back_as_it_went(systems, positives, label):
    task = task_report(
        systems={way: {"auc": interval} for way, interval in systems.items()},
        gains={way: interval for way, interval in systems.items() if way != "joint"},
        positives=positives,
        gauc_clusters=positives,
        label=label,
    )
    report = Report({"click": task, "购买": task}, {"split": "ByTime()", "seconds": {"train": 1.5}})
    # nan is not equal to itself, but its text is.
    assert repr(Report.from_json(report.to_json())) == repr(report)


def test_what_is_not_a_number_is_null():
    endless = {"joint": {"auc": Interval(NAN, -math.inf, math.inf)}}
    text = Report({"click": task_report(systems=endless, gains={})}, {}).to_json()

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads(text, parse_constant=refuse)["tasks"]["click"]["joint"]["auc"]
    assert found == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.2, "better"),
        (-0.2, -0.1, "worse"),
        (-0.1, 0.1, "level"),
        (0.0, 0.1, "level"),
        (-0.1, 0.0, "level"),
        (NAN, NAN, "unknown"),
    ],
)
def test_the_verdict_is_the_interval_of_the_gain(low, high, verdict):
    task = task_report(gains={"alone": Interval((low + high) / 2, low, high)})
    assert task.verdict("alone") == verdict
    assert task.verdict("somebody else") == "unknown"
