"""A split by time: learn from the past, be judged by the future."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from jaxtyping import Bool, Int8, Int64

from jointrec import clocks
from jointrec.errors import DataError, ProjectError
from jointrec.labels import DAY, microseconds

from .base import TEST, TRAIN, UNUSED, VALID, Cuts, Split
from .shares import by_share, check_shares

HELD_OUT = 0.2
"""The share of entities that validate and do not train, where windows are too long for both."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ByTime(Split):
    """The last days test, the days before them validate, all before train.

    A row trains only if its label was known by the validation cut, and validates only if it was
    known by the test cut; otherwise it is unused. So the gap before each cut is as long as the
    window of each label, no longer. Where a window is so long that no row asked in the validation
    days is known by the test cut, rows validate that this gap keeps from training: asked before the
    validation cut, known after it and by the test cut. Their windows overlap those of training, so
    they are those of a fifth of the entities, which do not train.

    Rows without a time are cut by a hash of their key.

    :param test_days: How many calendar days (UTC) test, up to the last day of the data.
    :param valid_days: How many days before the test cut validate.
    :param test_from: The test cut itself, as ``2020-12-21`` or ``2020-12-21T18:00``, in the
        time zone of the project unless it names another. All from it on tests, and ``test_days``
        plays no part.
    :param embargo: The least time, such as ``7d``, between a row and the next cut. It can make the
        gap longer than the label's window, never shorter.
    :param shares: The shares of rows without a time that validate and test.
    :raises ProjectError: where a setting is none of these.

    >>> cuts = ByTime(test_days=2, valid_days=1).cuts(0, 10 * DAY - 1)
    >>> cuts.valid // DAY, cuts.test // DAY
    (7, 8)
    """

    test_days: int = 14
    valid_days: int = 7
    test_from: str | None = None
    embargo: str | None = None
    shares: tuple[float, float] = (0.1, 0.2)

    def __post_init__(self) -> None:
        for name in ("test_days", "valid_days"):
            if getattr(self, name) < 1:
                raise ProjectError(f"`{name}` should be at least 1. Found `{getattr(self, name)}`.")
        if self.test_from is not None:
            moment_of(self.test_from)
        if self.embargo is not None:
            microseconds(self.embargo)
        check_shares(*self.shares, at="`shares`")

    def cuts(self, first: int, last: int, zone: str = "UTC") -> Cuts:
        """Where time is cut.

        :raises DataError: where the data are too short, or ``test_from`` is outside them.
        """
        if self.test_from is None:
            test = (last // DAY + 1 - self.test_days) * DAY
        else:
            test = moment_of(self.test_from, zone)
        valid = test - self.valid_days * DAY
        if valid <= first or test > last:
            raise DataError(self._misfit(first, last))
        return Cuts(valid, test)

    def parts(
        self,
        moments: Int64[np.ndarray, "rows"] | None,
        known_at: Int64[np.ndarray, "rows"] | None,
        keys: Int64[np.ndarray, "rows"],
        cuts: Cuts,
    ) -> Int8[np.ndarray, "rows"]:
        if moments is None or cuts.valid is None or cuts.test is None:
            return by_share(keys, valid=self.shares[0], test=self.shares[1])
        known = moments if known_at is None else known_at
        if self.embargo is not None:
            known = np.maximum(known, moments + microseconds(self.embargo))
        parts = np.full(len(moments), UNUSED, dtype=np.int8)
        parts[(moments < cuts.valid) & (known <= cuts.valid)] = TRAIN
        parts[(moments >= cuts.valid) & (moments < cuts.test) & (known <= cuts.test)] = VALID
        parts[moments >= cuts.test] = TEST
        if not (parts == VALID).any():
            _hold_out(parts, known <= cuts.test, keys)
        return parts

    def _misfit(self, first: int, last: int) -> str:
        """Why the data cannot be cut so, and what to do."""
        span = f"The data run from {_spell(first)} to {_spell(last)}"
        if self.test_from is not None:
            return (
                f"split.test_from: `{self.test_from}` leaves no rows on one side. {span} (UTC). "
                f"Choose a moment in them with more than {self.valid_days} days of data before it, "
                "or lower valid_days."
            )
        days = last // DAY - first // DAY + 1
        enough = days >= 3
        return (
            f"split: {self.test_days} days of test and {self.valid_days} of validation leave none "
            f"to train on. {span} (UTC): {days} calendar days. "
            + (
                f"Lower them: test_days = {max(days // 5, 1)}, valid_days = {max(days // 10, 1)}."
                if enough
                else 'Too short to be cut by time: take split = { kind = "ByEntity" }.'
            )
        )


def _hold_out(
    parts: Int8[np.ndarray, "rows"],
    in_time: Bool[np.ndarray, "rows"],
    keys: Int64[np.ndarray, "rows"],
) -> None:
    """Lets rows between training and test validate, of entities that do not train.

    Their windows overlap those of the last training rows. Of the same entity that would be nearly
    the same answer, and what is learned by heart would look like what is understood.
    """
    held = by_share(keys, valid=HELD_OUT, test=0.0) == VALID
    between = (parts == UNUSED) & in_time
    if (between & held).any() and ((parts == TRAIN) & ~held).any():
        parts[(parts == TRAIN) & held] = UNUSED
        between &= held
    parts[between] = VALID


def moment_of(text: str, zone: str = "UTC") -> int:
    """A moment as µs since 1970 UTC.

    :param text: A date, or a date and a time; in ``zone`` unless it names another.
    :raises ProjectError: where it is neither.

    >>> moment_of("1970-01-02") == DAY
    True
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ProjectError(
            f"`test_from` should be a date or a moment, such as 2020-12-21 or 2020-12-21T18:00. "
            f"Found `{text}`."
        ) from None
    return clocks.moment_of(moment, zone)


def _spell(moment: int) -> str:
    """A moment as people write it."""
    return f"{_EPOCH + timedelta(microseconds=moment):%Y-%m-%d %H:%M}"
