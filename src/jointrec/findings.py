"""Every code that a finding may have: what it means, what is done about it, what may be done.

The page ``docs/findings.md`` says the same with examples, one section a code; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DONE: Mapping[str, str] = {
    "keep": "kept", "cap": "capped", "null": "made null", "quarantine": "set aside",
}  # fmt: skip
"""The actions that may be chosen, and what a finding says was done."""

QUARANTINE = ("quarantine",)
NULL = ("null",)
KEEP = ("keep",)


@dataclass(frozen=True)
class Code:
    """What a code of a finding means.

    :param meaning: What was found, as a sentence for people.
    :param advice: What to do about it.
    :param actions: What may be done, what is done unless told first. One alone cannot be changed.
        Empty where none of the four fits: ``done`` says what is done then.
    :param done: What the finding says was done, where it is not the word of the action.
    """

    meaning: str
    advice: str
    actions: tuple[str, ...]
    done: str | None = None

    @property
    def default(self) -> str:
        """What is done unless the project says otherwise."""
        return self.actions[0] if self.actions else (self.done or "keep")


CODES: Mapping[str, Code] = {
    # --- while reading -------------------------------------------------------------------------
    "ragged_row": Code(
        "A row of a CSV file has more or fewer cells than the header.",
        "Quote cells that hold the delimiter, and export the file again.",
        QUARANTINE,
    ),
    "not_a_number": Code(
        "A value of a column of numbers is no number, such as `n/a` or `1,5`.",
        "Write numbers with a point and nothing else; leave a cell empty where it is unknown.",
        NULL,
    ),
    "not_finite": Code(
        "A number is infinite, nan, or too large for a 64-bit float.",
        "Leave the cell empty where the number is unknown.",
        NULL,
    ),
    "not_a_flag": Code(
        "A value of a yes-or-no column is neither.",
        "Write 1 or 0, true or false, yes or no; leave a cell empty where it is unknown.",
        NULL,
    ),
    "not_a_time": Code(
        "A value of a column of times is no time in ISO 8601, nor a date whose order of day and "
        "month its column tells.",
        "Write times like `2024-05-01T12:30:00Z`.",
        NULL,
    ),
    "date_order": Code(
        "A time is a date that ends with the year, such as `12/1/2010 8:26`, and other dates of "
        "its column tell whether the day or the month comes first.",
        "Look whether the order is right; write times like `2024-05-01T12:30:00Z` to be sure.",
        (),
        "read in that order",
    ),
    "time_too_far": Code(
        "A time lies so far away that it cannot be counted in microseconds.",
        "Leave the cell empty where the time is unknown.",
        NULL,
    ),
    "zero_date": Code(
        "A date of MySQL is `0000-00-00`, or has a month or a day of zero.",
        "It is taken for unknown. Store null where the date is unknown.",
        NULL,
    ),
    "column_left_out": Code(
        "A column of a database is of a type that cannot be read, such as JSON, and all columns "
        "were asked for.",
        "Cast it in a query if you need it.",
        (),
        "left out",
    ),
    "id_respelled": Code(
        "An id has blanks around it, or is in another Unicode form than NFC.",
        "Nothing is needed: both spellings are one id. Other systems may take them for two.",
        (),
        "respelled",
    ),
    "null_mark": Code(
        "A word stands for nothing: `NULL`, `NA`, `None` and such where a number, a time or yes or "
        "no is read, and `\\N` anywhere.",
        "Nothing is needed. Export nothing for what is unknown, and it is not told.",
        NULL,
    ),
    "null_word": Code(
        "An id or a text is a word that often stands for nothing: `NULL`, `NA`, `None`, `nan` and "
        "such.",
        "It stays what it is, as `NA` may be Namibia. Where it means nothing, export nothing: as "
        "an id it would be thousands of strangers in one.",
        KEEP,
    ),
    "shown_twice": Code(
        "A time without a zone that the clocks of the declared zone show twice, as they are put "
        "back in autumn.",
        "It is read as the first of the two. Export times with a zone to be exact.",
        (),
        "read as the first",
    ),
    "never_shown": Code(
        "A time without a zone that the clocks of the declared zone skip, as they are put forward "
        "in spring.",
        "It is moved behind the gap. Look at `time_zone`: there may be another one.",
        (),
        "moved behind the gap",
    ),
    # --- keys and rows -------------------------------------------------------------------------
    "no_key": Code(
        "A row of an entity has no key, or a row of an event names nobody.",
        "Look at the export: such a row can neither be learned from nor asked about.",
        QUARANTINE,
    ),
    "duplicate_key": Code(
        "A row has the key of another row. The first is used; of events, the earliest in time.",
        "Take the column out of `key` if it does not name rows.",
        QUARANTINE,
    ),
    "repeated_row": Code(
        "A row of an event equals another one in every column that is read, its time included.",
        "A shop may have sold two of one, so both stay. Where they are mistakes, choose "
        "`quarantine`, or name the column that tells rows apart as `key`.",
        ("keep", "quarantine"),
    ),
    "repeated_version": Code(
        "A row of an entity that changes with time equals another one, its time included.",
        "Nothing is needed: both are one version.",
        (),
        "used once",
    ),
    "two_versions": Code(
        "A row of an entity says something else than another row of the same key and time.",
        "The first is used. Give versions times that tell them apart.",
        QUARANTINE,
    ),
    "orphan": Code(
        "A row of an event names a key that the entity's table does not have.",
        "It is read as an unknown one. Export the missing rows, or choose `quarantine`.",
        ("keep", "quarantine"),
        "read as unknown",
    ),
    "missing_key": Code(
        "A row of an event does not say which of an entity it is about, such as a guest's order.",
        "It is read as an unknown one. Choose `quarantine` to leave such rows out.",
        ("keep", "quarantine"),
        "read as unknown",
    ),
    "unnamed": Code(
        "A key that no row of any event names: a customer who never came, an item never shown.",
        "It is answered from its features alone. Very many of them may mean that keys are spelled "
        "in two ways.",
        KEEP,
    ),
    "near_duplicate": Code(
        "Keys differ, but their texts (or the keys themselves) are equal but for capitals, "
        "blanks, punctuation and Unicode form.",
        "Often one thing was entered twice. Merge them in the shop, if so: their histories are "
        "learned apart.",
        KEEP,
    ),
    # --- times ---------------------------------------------------------------------------------
    "no_time": Code(
        "A row of an event has no time.",
        "Look at the export, or leave `time` out if the event needs none.",
        QUARANTINE,
    ),
    "strange_time": Code(
        "A time is before 1980 or after 2100.",
        "It is mostly a zero, or milliseconds taken for seconds. Mend the export.",
        QUARANTINE,
    ),
    "future_time": Code(
        "A time is more than a day after the moment at which the table is read.",
        "Look at the clock or the time zone of what wrote it. Were such rows kept, the last days "
        "of the data, which test, would be theirs alone.",
        ("quarantine", "keep"),
    ),
    "lone_time": Code(
        "A few rows (at most 1 %) are parted from all others by a gap of at least 60 days, and as "
        "long as all the others span.",
        "Mostly a clock that was wrong, or test entries. Choose `keep` if they are real.",
        ("quarantine", "keep"),
    ),
    "clock_burst": Code(
        "At one identical microsecond far more different actors act than ever at once: 50 times "
        "the 99 % quantile, and at least 20.",
        "A batch job may have stamped its own time on all rows. Look for the time of the deed.",
        ("keep", "quarantine"),
    ),
    "clock_back": Code(
        "Rows are in the order of time, or of their numbered key, but for a few whose time is "
        "before that of the row before.",
        "A clock may have been set back: what happened in between is in doubt.",
        ("keep", "quarantine"),
    ),
    "crowded_day": Code(
        "A day has more than ten times as many rows as the median day.",
        "A sale, a crawler, or a table that was loaded twice: look at that day.",
        ("keep", "quarantine"),
    ),
    "bot": Code(
        "Somebody acts more often within an hour than people do: 20 times the 99 % quantile, and "
        "at least 100 times. Meant are the rows from that moment on.",
        "Crawlers, tests and price scanners teach what no customer does. Choose `quarantine` once "
        "the examples are known to be such.",
        ("keep", "quarantine"),
    ),
    # --- values --------------------------------------------------------------------------------
    "absurd_number": Code(
        "A number is more than 1,000 times as large as 99 % of the numbers of its column.",
        "It would drown every sum. Choose `keep` if it is real, `cap` to use the limit instead.",
        ("null", "keep", "cap", "quarantine"),
    ),
    "large_number": Code(
        "A number is more than 100 and up to 1,000 times as large as 99 % of those of its column.",
        "It is cut down to that limit, so that one order does not outweigh a year. Choose `keep` "
        "if it is to count in full.",
        ("cap", "keep", "null", "quarantine"),
    ),
    "negative_number": Code(
        "A number is negative in a column in which at most one in twenty is.",
        "A correction, a discount or a mistake. Choose `null` where it can be no real value.",
        ("keep", "cap", "null", "quarantine"),
    ),
    "return": Code(
        "A number is negative, and the same entities had a row with a positive one before: what "
        "was bought is given back.",
        "Sums are net of it. Choose `quarantine` to learn what was ordered instead.",
        ("keep", "null", "quarantine"),
    ),
    "constant_column": Code(
        "A feature is the same in all training rows, or empty in all of them.",
        "It tells nothing: take it out, or look at the export.",
        KEEP,
    ),
    "mixed_types": Code(
        "Nearly all values of a column of names are numbers or dates, and a few are words.",
        "Often `NULL`, `n/a` or a note in the wrong cell. Choose `null`, or mend the export.",
        ("keep", "null", "quarantine"),
    ),
    "mojibake": Code(
        "A text was read in another encoding than it was written in, such as `Ã©` for `é`.",
        "Export in UTF-8 once, not twice. The same word in two spellings is learned as two words.",
        ("keep", "null", "quarantine"),
    ),
    # --- labels --------------------------------------------------------------------------------
    "unusable_label": Code(
        "A label is none that the kind of task can learn, or a class that training never saw.",
        "Look at the column and at the kind of the task.",
        (),
        "made unknown",
    ),
    "net_return": Code(
        "A sum of what comes later is below 0, as more is given back than is bought.",
        "It is learned as 0, the least that can be answered; left out, those who give back most "
        "would be missing.",
        (),
        "taken as 0",
    ),
    "funnel_order": Code(
        "What comes after something else in a funnel happened without it.",
        "What came before is taken to have happened. Where that is common, leave `after` out.",
        (),
        "made yes",
    ),
}
"""What each code means, by code."""


def action_of(chosen: Mapping[str, str], code: str, table: str) -> str:
    """What is to be done about a finding of a table: as its own line says, as the code's, or not.

    :param chosen: ``code`` or ``table.code`` → action, as the project has it.
    :param table: The table with its family: ``event.purchase``.

    >>> chosen = {"bot": "quarantine", "event.view.bot": "keep"}
    >>> action_of(chosen, "bot", "event.view"), action_of(chosen, "bot", "event.purchase")
    ('keep', 'quarantine')
    >>> action_of(chosen, "absurd_number", "event.view")
    'null'
    """
    return chosen.get(f"{table}.{code}") or chosen.get(code) or CODES[code].default


def done_about(code: str, action: str) -> str:
    """What a finding says was done.

    >>> done_about("orphan", "keep"), done_about("orphan", "quarantine")
    ('read as unknown', 'set aside')
    """
    known = CODES[code]
    return known.done if known.done and action == known.default else DONE[action]
