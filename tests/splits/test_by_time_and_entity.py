from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.errors import DataError, ProjectError
from jointrec.splits import TEST, TRAIN, UNUSED, VALID, ByEntity, ByTime, Cuts
from jointrec.splits.by_time import DAY, moment_of

CUTS = Cuts(valid=100, test=200)


def parts(moments: list[int], known_at: list[int], split: ByTime | None = None) -> list[int]:
    found = (split or ByTime()).parts(
        np.array(moments, dtype=np.int64),
        np.array(known_at, dtype=np.int64),
        np.zeros(len(moments), dtype=np.int64),
        CUTS,
    )
    return found.tolist()


def test_cuts_are_at_midnight_and_the_last_day_counts_as_one() -> None:
    first = moment_of("2020-01-01T10:00")
    for last in ("2020-03-01", "2020-03-01T12:34:56", "2020-03-01T23:59:59.999999"):
        cuts = ByTime(test_days=14, valid_days=7).cuts(first, moment_of(last))
        assert cuts.test == moment_of("2020-02-17")
        assert cuts.valid == moment_of("2020-02-10")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-12-21", datetime(2020, 12, 21, tzinfo=UTC)),
        ("2020-12-21T18:30", datetime(2020, 12, 21, 18, 30, tzinfo=UTC)),
        ("2020-12-21T18:30:00Z", datetime(2020, 12, 21, 18, 30, tzinfo=UTC)),
        ("2020-12-21T18:30:00.000001+08:00", datetime(2020, 12, 21, 10, 30, 0, 1, tzinfo=UTC)),
        ("1969-12-31T23:59:59.999999", datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_moments_are_exact_to_the_microsecond(text, moment) -> None:
    assert moment_of(text) == round(moment.timestamp()) * 1_000_000 + (
        moment.microsecond if moment.microsecond < 500_000 else moment.microsecond - 1_000_000
    )


def test_test_from_overrides_test_days() -> None:
    first, last = moment_of("2020-10-01"), moment_of("2020-12-31")
    cuts = ByTime(test_from="2020-12-21", valid_days=5).cuts(first, last)
    assert cuts == Cuts(moment_of("2020-12-16"), moment_of("2020-12-21"))


def test_a_label_trains_if_it_was_known_by_the_cut_and_no_later() -> None:
    assert parts([50, 99, 99, 50], [100, 100, 101, 101]) == [TRAIN, TRAIN, VALID, VALID]
    # With rows that can validate by themselves, those in the gap are not used.
    assert parts([50, 99, 150], [101, 101, 160]) == [UNUSED, UNUSED, VALID]


def test_a_label_validates_if_it_was_known_by_the_test_cut_and_no_later() -> None:
    assert parts([100, 199, 199, 100], [200, 200, 201, 201]) == [VALID, VALID, UNUSED, UNUSED]


def test_all_from_the_test_cut_on_tests() -> None:
    assert parts([199, 200, 10**9], [199, 10**9, 2 * 10**9]) == [VALID, TEST, TEST]


def test_a_window_longer_than_validation_validates_in_its_own_gap() -> None:
    moments = list(range(0, 300, 10))
    found = parts(moments, [moment + 130 for moment in moments])
    known = {
        part: [m for m, p in zip(moments, found, strict=True) if p == part] for part in range(4)
    }
    assert known[TRAIN] == []
    assert known[VALID] == list(range(0, 80, 10))
    assert known[UNUSED] == list(range(80, 200, 10))
    assert known[TEST] == list(range(200, 300, 10))


def test_who_validates_in_a_gap_does_not_train() -> None:
    """Windows of the two overlap, so the answers of one entity would be nearly the same."""
    keys = np.repeat(np.arange(50), 30)
    moments = np.tile(np.arange(0, 300, 10), 50)
    found = ByTime().parts(moments, moments + 70, keys, Cuts(100, 160))
    by_key = found.reshape(50, 30)
    trains, validates = ((by_key == part).any(axis=1) for part in (TRAIN, VALID))
    assert not (trains & validates).any()
    assert 0.05 < validates.mean() < 0.4
    assert (trains | validates).all()
    assert ((by_key == TEST).sum(axis=1) == 14).all()
    # With one entity alone there is nobody to hold out.
    alone = ByTime().parts(moments[:30], moments[:30] + 70, keys[:30], Cuts(100, 160))
    assert (alone == VALID).any()
    assert (alone == TRAIN).any()


def test_a_fixed_embargo_widens_the_gap_and_never_narrows_it() -> None:
    first, last = 0, 100 * DAY - 1
    split = ByTime(test_days=20, valid_days=20, embargo="3d")
    cuts = split.cuts(first, last)
    moments = np.arange(100) * DAY
    keys = np.zeros(100, dtype=np.int64)
    for window, gap in ((0, 3), (2, 3), (3, 3), (9, 9)):
        found = split.parts(moments, moments + window * DAY, keys, cuts)
        wanted = [TRAIN] * (61 - gap) + [UNUSED] * (gap - 1)
        wanted += [VALID] * (21 - gap) + [UNUSED] * (gap - 1) + [TEST] * 20
        assert found.tolist() == wanted


@given(st.integers(0, 20_000), st.integers(1, 200), st.integers(1, 40), st.integers(1, 40))
def test_cuts_leave_a_day_to_train_on_or_say_how(start, days, test_days, valid_days) -> None:
    first, last = start * DAY, (start + days) * DAY - 1
    split = ByTime(test_days=test_days, valid_days=valid_days)
    if test_days + valid_days < days:
        cuts = split.cuts(first, last)
        assert first < cuts.valid < cuts.test <= last
        assert (last + 1 - cuts.test, cuts.test - cuts.valid) == (test_days * DAY, valid_days * DAY)
    else:
        with pytest.raises(DataError) as caught:
            split.cuts(first, last)
        message = str(caught.value)
        if days < 3:
            assert 'split = { kind = "ByEntity" }' in message
        else:
            said = [int(word.strip(",.")) for word in message.split() if word.strip(",.").isdigit()]
            again = ByTime(test_days=said[-2], valid_days=said[-1]).cuts(first, last)
            assert first < again.valid < again.test <= last


def test_data_that_are_too_short_say_what_to_do() -> None:
    with pytest.raises(DataError) as caught:
        ByTime().cuts(moment_of("2020-01-01T08:00"), moment_of("2020-01-20T09:30"))
    assert str(caught.value) == (
        "split: 14 days of test and 7 of validation leave none to train on. The data run from "
        "2020-01-01 08:00 to 2020-01-20 09:30 (UTC): 20 calendar days. "
        "Lower them: test_days = 4, valid_days = 2."
    )


@pytest.mark.parametrize("outside", ["2019-12-31", "2020-01-08", "2020-03-02"])
def test_a_cut_outside_the_data_says_where_they_are(outside) -> None:
    with pytest.raises(DataError) as caught:
        ByTime(test_from=outside).cuts(moment_of("2020-01-01"), moment_of("2020-03-01"))
    assert str(caught.value) == (
        f"split.test_from: `{outside}` leaves no rows on one side. The data run from "
        "2020-01-01 00:00 to 2020-03-01 00:00 (UTC). Choose a moment in them with more than "
        "7 days of data before it, or lower valid_days."
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ByTime(test_days=0), "`test_days` should be at least 1. Found `0`."),
        (lambda: ByTime(valid_days=-1), "`valid_days` should be at least 1. Found `-1`."),
        (
            lambda: ByTime(test_from="21.12.2020"),
            "`test_from` should be a date or a moment, such as 2020-12-21 or 2020-12-21T18:00. "
            "Found `21.12.2020`.",
        ),
        (lambda: ByTime(embargo="a week"), "`a week` is not a duration."),
        (
            lambda: ByTime(shares=(0.5, 0.5)),
            "`shares` should be shares above 0 that leave some rows to training, such as 0.1 for "
            "validation and 0.2 for test. Found 0.5 and 0.5.",
        ),
        (lambda: ByEntity(valid=0.0), "`valid` and `test` should be shares above 0"),
        (lambda: ByEntity(test=float("nan")), "`valid` and `test` should be shares above 0"),
    ],
)
def test_settings_that_cannot_be(make, says) -> None:
    with pytest.raises(ProjectError) as caught:
        make()
    assert says in str(caught.value)


@given(st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 4)), max_size=40))
def test_all_rows_of_an_entity_are_in_one_part(rows) -> None:
    moments, keys = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    split = ByEntity(valid=0.3, test=0.3)
    cuts = split.cuts(0, 10**15)
    assert cuts == Cuts(None, None)
    found = split.parts(moments, moments + DAY, keys, cuts)
    for key in set(keys.tolist()):
        assert len(set(found[keys == key].tolist())) == 1


def plain_place(key: int) -> float:
    """SplitMix64's finaliser in whole numbers of any size, as a share of 2^64."""
    mixed = (key + 0x9E3779B97F4A7C15) % 2**64
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
    return (mixed ^ (mixed >> 31)) / 2**64


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_the_part_of_a_key_is_the_same_on_every_machine(keys) -> None:
    found = ByEntity().parts(None, None, np.array(keys, dtype=np.int64), Cuts(None, None))
    places = [plain_place(key) for key in keys]
    wanted = [TEST if p < 0.2 else VALID if p < 0.1 + 0.2 else TRAIN for p in places]
    assert found.tolist() == wanted


def test_the_part_of_a_key_is_the_same_in_every_version() -> None:
    found = ByEntity().parts(None, None, np.arange(20), Cuts(None, None))
    assert "".join(map(str, found.tolist())) == "00020000002000000020"
