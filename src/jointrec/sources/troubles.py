"""What can go wrong with a database, and how it is told: in our words, without secrets."""

from __future__ import annotations

from enum import Enum
from urllib.parse import quote

from jointrec.errors import SourceError

from .address import Address, variables
from .snapshot import ConnectionLost


class Trouble(Enum):
    """What went wrong: the sentence that says so, and the one that says what to do."""

    LOST = ("lost its connection while it was read", "")
    SILENT = (
        "said nothing for {timeout:g} seconds",
        "Look for what blocks or slows it, or allow more: write timeout=seconds among the "
        "parameters of the URL.",
    )
    LOGIN = ("refuses the user or the password", "Look at the user in the URL{password}.")
    NO_DATABASE = (
        "is a database that is not there",
        "Look at the name after the host, and whether this user may use it.",
    )
    UNREACHABLE = (
        "cannot be reached",
        "Look at the host and the port in the URL, and whether the server is up.",
    )
    WRITES = (
        "is only ever read, and what was asked would write",
        "Nothing was changed. Give one statement that only reads.",
    )
    LOCKED = (
        "is locked by somebody else",
        "Wait until their transaction is done, and run it again.",
    )
    FORBIDDEN = ("may not be read by this user", "Grant it SELECT on what the project names.")
    QUERY = (
        "cannot be read as it is asked",
        "Try the query in the database's own shell; it should be one SELECT.",
    )
    OTHER = ("cannot be read", "Look at the database.")

    def __init__(self, sentence: str, way_out: str) -> None:
        self.sentence, self.way_out = sentence, way_out


def told(
    trouble: Trouble, reason: str, address: Address, declared: Address, at: str
) -> SourceError:
    """The error for a trouble, with the driver's own first line where that is safe to show.

    :param address: The address with the values of the environment, none of which is shown.
    :param declared: The same as it was written, which may be shown.
    """
    named = variables(declared.password)
    password = (
        f", and at the value of {' and '.join(f'`{name}`' for name in named)}"
        if named
        else "; it names no password: write user:${SHOP_DB_PASSWORD}@host"
    )
    sentence = trouble.sentence.format(timeout=declared.timeout)
    way_out = trouble.way_out.format(password=password)
    shown = scrubbed(reason, address.password)
    text = f"{at}: `{declared}` {sentence}{f': {shown}' if shown else ''}. {way_out}".rstrip()
    return (ConnectionLost if trouble is Trouble.LOST else SourceError)(text)


def scrubbed(reason: str, password: str | None) -> str:
    """The first line of a message without the password in any spelling, and without a full stop.

    >>> scrubbed("no login as me:s3cr%t@host.", "s3cr%t")
    'no login as me:***@host'
    """
    lines = reason.strip().splitlines() or [""]
    line = lines[0].strip()
    if password:
        for spelled in (password, quote(password, safe=""), repr(password)[1:-1]):
            line = line.replace(spelled, "***")
    return line.rstrip(".")[:300]
