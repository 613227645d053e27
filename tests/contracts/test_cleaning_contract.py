"""What every kind of finding must do: find what is planted, be silent otherwise, do as it is told.

A new kind is tested because it is in ``jointrec.prepare.cleaning.__all__``; it needs a plant.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest
from dirty_shop import DAY, PLANTS, START, clean_frames, dirty_frames, project

from jointrec.findings import CODES, DONE, done_about
from jointrec.prepare import Tables, load
from jointrec.prepare.cleaning import detectors
from jointrec.sources import Finding

KINDS = {kind.code: kind for kind in detectors()}
ACTIONS = [(code, action) for code in KINDS for action in CODES[code].actions]


def the_finding(tables: Tables, code: str) -> Finding:
    (finding,) = tables.findings
    assert finding.code == code
    return finding


def test_every_kind_has_a_plant_and_a_meaning():
    assert set(KINDS) == set(PLANTS)
    assert set(KINDS) <= set(CODES)
    assert all(kind.__doc__ for kind in KINDS.values())


def test_a_clean_shop_is_silent():
    assert load(project(clean_frames())).findings == ()


@pytest.mark.parametrize("code", KINDS)
def test_what_is_planted_is_found_with_its_count_and_nothing_else(code: str):
    finding = the_finding(load(project(dirty_frames(code))), code)
    assert finding.count == PLANTS[code].count
    assert finding.at.endswith(PLANTS[code].table)
    assert finding.action == done_about(code, CODES[code].default)
    assert finding.examples or code == "constant_column"


@pytest.mark.parametrize(("code", "action"), ACTIONS)
def test_the_action_is_done_and_no_row_is_lost(code: str, action: str):
    plant, frames = PLANTS[code], dirty_frames(code)
    family = "event" if plant.table == "order" else "entity"
    tables = load(project(frames, {f"{family}.{plant.table}.{code}": action}))
    finding = the_finding(tables, code)
    assert (finding.count, finding.action) == (plant.count, done_about(code, action))
    used = {**tables.entities, **tables.events}[plant.table]
    aside = tables.quarantine.get(plant.table, pl.DataFrame({"@reason": []}))
    assert len(used) + len(aside) == tables.rows_in[plant.table] == len(frames[plant.table])
    if action == "quarantine":
        assert aside["@reason"].to_list() == [code] * plant.count
        source = frames[plant.table]
        for row in aside.iter_rows(named=True):
            number = row.pop("@row")
            row.pop("@reason")
            assert row == source.row(number - 1, named=True)
        return
    assert len(aside) == 0
    if finding.column is None:
        return
    before, after = frames[plant.table][finding.column], used[finding.column]
    differ = ~before.eq_missing(after)
    assert int(differ.sum()) == (plant.count if action in ("null", "cap") else 0)
    if action == "null":
        assert after.filter(differ).null_count() == plant.count
    if action == "cap":
        limit = tables.limits[code]["order.quantity"] if code != "negative_number" else 0.0
        assert after.filter(differ).unique().to_list() == [limit]


@pytest.mark.parametrize(("code", "action"), [pair for pair in ACTIONS if pair[1] != "keep"])
def test_what_was_cleaned_is_clean(code: str, action: str):
    """With the limits that were learned, a second pass finds nothing more to do."""
    first = load(project(dirty_frames(code), {code: action}))

    class Learned:
        cuts, limits = (first.cuts.valid, first.cuts.test), first.limits

    cleaned = {**dirty_frames(code)}
    if PLANTS[code].table == "order":
        cleaned["order"] = first.events["order"].select(cleaned["order"].columns)
    again = load(project(cleaned, {code: action}), learned=Learned())  # type: ignore[arg-type]
    assert code not in {finding.code for finding in again.findings}


@pytest.mark.parametrize("code", [code for code, kind in KINDS.items() if not kind.by_order])
def test_the_order_of_rows_means_nothing(code: str):
    frames = dirty_frames(code)
    mixed = {
        name: frame.sample(fraction=1.0, shuffle=True, seed=1) for name, frame in frames.items()
    }
    finding = the_finding(load(project(mixed)), code)
    assert finding.count == PLANTS[code].count


def late_dirt() -> Iterator[pl.DataFrame]:
    """The orders with all that is after the validation cut made as odd as can be."""
    frame = clean_frames()["order"]
    late = pl.col("at") >= load(project(clean_frames())).cuts.valid
    for column, value in (("quantity", 1e12), ("quantity", -5.0), ("size", "x"), ("user", "u1")):
        yield frame.with_columns(pl.when(late).then(pl.lit(value)).otherwise(column).alias(column))
    one = pl.when(late).then(START + 55 * DAY).otherwise("at")
    yield frame.with_columns(one.alias("at"))


def test_nothing_is_learned_from_rows_at_or_after_the_validation_cut():
    frames = clean_frames()
    first = load(project(frames))
    for dirty in late_dirt():
        # The last row stays, so that time is cut where it was.
        dirty[-1, "at"] = frames["order"]["at"][-1]
        tables = load(project({**frames, "order": dirty}))
        assert tables.cuts == first.cuts
        assert tables.limits == first.limits


def test_the_words_of_actions_are_those_of_findings():
    for code in CODES.values():
        assert set(code.actions) <= set(DONE)
        assert code.actions or code.done
