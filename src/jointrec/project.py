"""All that defines a run, as frozen data: the same thing as ``shop.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from . import config, durable
from .balancing import Balancing, Normalized
from .budget import Budget
from .calibration import Calibration, Following
from .clocks import check_zone
from .declaration import text_of
from .errors import ProjectError
from .funnels import Funnel, Product
from .fusion import Cross, Fusion
from .history import History, Mean
from .numeric import Numeric, PiecewiseLinear
from .optimizers import AdamW, Optimizer, RowwiseAdagrad, TableUpdate
from .schema import Entity, Event
from .sharing import PLE, Sharing
from .splits import ByTime, Split
from .tasks import Task
from .tasks.horizons import unfolded


@dataclass(frozen=True)
class Table:
    """The one embedding table that holds every id, word and past event.

    :param width: How many numbers a row of the table holds.
    :param update: How rows move. Only the rows of a batch are touched.
    :param rare: k: the vector of an id that n training rows have met counts n / (n + k), while
        training and when served. 0 trusts all alike.
    :raises ProjectError: where k is below 0.
    """

    width: int = 16
    update: TableUpdate = field(default_factory=RowwiseAdagrad)
    rare: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.rare < inf:
            raise ProjectError(f"`rare` should be 0 or more. Found `{self.rare}`.")


@dataclass(frozen=True)
class Project:
    """What a run is made of. Nothing else decides what is learned.

    :param entity: The things, by the names that the project gives them.
    :param tasks: The questions, by name. One that is asked over several horizons becomes one for
        each (see `jointrec.tasks.horizons`).
    :param event: What joins the things.
    :param counters: The windows over which past events are counted, for each entity and each pair.
        Empty turns counters off.
    :param matching: Whether the texts of a row are compared with each other, such as a query with a
        title (see `jointrec.prepare.matching`).
    :param history: How past events become a vector.
    :param numeric: How the numbers counted of the past become inputs.
    :param fusion: How the vectors of a row become one.
    :param funnel: How a step of a funnel builds on the one before it.
    :param sharing: What tasks have in common.
    :param balancing: How tasks pull on what they have in common.
    :param calibration: How chances are set right on the newest rows.
    :param split: Which rows train, choose and judge.
    :param optimizer: How the weights of the network move.
    :param table: The embedding table.
    :param budget: How long training takes.
    :param time_zone: Where the clocks hang that show times without a zone, in every table and in
        ``test_from`` and ``at``: a name of the IANA database, such as ``Europe/London``.
    :param cleaning: What is done about what is odd in the data, where it is not what is done unless
        told: ``code`` or ``table.code`` → ``keep``, ``cap``, ``null`` or ``quarantine``, such as
        ``{"bot": "quarantine", "event.purchase.repeated_row": "quarantine"}``.
    """

    entity: Mapping[str, Entity]
    tasks: Mapping[str, Task]
    event: Mapping[str, Event] = field(default_factory=dict)
    counters: tuple[str, ...] = ("1h", "1d", "7d", "30d")
    matching: bool = True
    history: History = field(default_factory=Mean)
    numeric: Numeric = field(default_factory=PiecewiseLinear)
    fusion: Fusion = field(default_factory=Cross)
    funnel: Funnel = field(default_factory=Product)
    sharing: Sharing = field(default_factory=PLE)
    balancing: Balancing = field(default_factory=Normalized)
    calibration: Calibration = field(default_factory=Following)
    split: Split = field(default_factory=ByTime)
    optimizer: Optimizer = field(default_factory=AdamW)
    table: Table = field(default_factory=Table)
    budget: Budget = field(default_factory=Budget)
    time_zone: str = "UTC"
    cleaning: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_zone(self.time_zone)
        object.__setattr__(self, "tasks", unfolded(self.tasks))
        # A list is taken as well, so that a project equals the one that its file gives back.
        object.__setattr__(self, "counters", tuple(self.counters))

    def to_toml(self) -> str:
        """The text of a file that :func:`parse` turns into an equal project.

        :raises ProjectError: where a source is a table in memory, which no file can name.
        """
        return config.dumps(self)

    def write(self, path: str | Path) -> Path:
        """Writes the project to a file that :func:`read` turns into an equal project."""
        path = Path(path)
        durable.write_file(path, self.to_toml().encode())
        return path


def read(path: str | Path) -> Project:
    """Reads a project from a file.

    :raises ProjectError: with every problem of the file at once.
    :raises SourceError: where there is no such file or it is not TOML.
    """
    return parse(text_of(Path(path)), at=str(path))


def parse(text: str, *, at: str = "shop.toml") -> Project:
    """Reads a project from the text of a file.

    :param at: What to call the text in messages.

    >>> shop = parse('''
    ... entity.user = { source = "users.csv", key = "user_id", features = { country = "Category" } }
    ... tasks.loyal = { kind = "Binary", label = "user.loyal" }
    ... ''')
    >>> shop.tasks["loyal"].label
    'user.loyal'
    >>> parse(shop.to_toml()) == shop
    True
    """
    return config.parse(text, Project, at=at)
