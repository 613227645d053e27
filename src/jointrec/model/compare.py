"""What joint training is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from jointrec.errors import ProjectError, unknown_name
from jointrec.evaluation import Baseline, Oracle
from jointrec.evaluation.baselines import EVERY
from jointrec.training import Watch


@dataclass(frozen=True)
class Compare:
    """What joint training is compared with. The more, the longer it takes.

    :param alone: Train every task alone as well, with the same features and budget.
    :param baselines: Other ways to answer, of which each answers the tasks that it applies to;
        those whose package is missing are left out, aloud. By name (``"EASE"``, or ``"ease"`` as in
        reports) or as they are (``EASE()`` of `jointrec.evaluation.baselines`). Default: for each
        task all that take seconds there.
    :param oracles: For each task with a known truth, that truth (simulated data only).
    :param rounds: How often clusters are resampled for the intervals.
    :raises ProjectError: where a baseline is not known.

    >>> [baseline.name for baseline in Compare(baselines=["EASE", "LightGBM"]).ways()]
    ['ease', 'lightgbm']
    """

    alone: bool = True
    baselines: Sequence[Baseline | str] | None = None
    oracles: Mapping[str, Oracle] | None = None
    rounds: int = 200

    def __post_init__(self) -> None:
        self.ways()

    def ways(self) -> list[Baseline]:
        """The baselines, whatever they were given as."""
        if self.baselines is None:
            return list(EVERY)
        given = [self.baselines] if isinstance(self.baselines, str) else self.baselines
        return [_baseline(one) for one in given]

    def usable(self, watch: Watch) -> list[Baseline]:
        """Those whose packages are there; the watch is told which are not."""
        usable = []
        for baseline in self.ways():
            missing = [package for package in baseline.packages if find_spec(package) is None]
            if missing:
                watch.say(
                    f"left out: the {baseline.name} baseline needs {', '.join(missing)}. "
                    "Install it with: pip install 'jointrec[baselines]'"
                )
            else:
                usable.append(baseline)
        return usable


def _baseline(given: Baseline | str) -> Baseline:
    if isinstance(given, Baseline):
        return given
    known = {type(baseline).__name__: baseline for baseline in EVERY}
    reported = {baseline.name: baseline for baseline in EVERY}
    name = given if isinstance(given, str) else repr(given)
    if name not in known | reported:
        raise ProjectError(unknown_name("baseline", name, known, at="compare"))
    return (known | reported)[name]
