"""How fast JointRec is beside its peers: measures all of it, and writes the page about it.

    python benchmarks/speed/peers/measure.py                # what `make bench-speed` does
    python benchmarks/speed/peers/measure.py --full         # more rounds, whole passes of the peers
    python benchmarks/speed/peers/measure.py --only training --level 1k --rounds 1

The first run makes an environment for each peer and the tables (some gigabytes, in the cache). What
was measured at this commit is kept and not measured again: a stopped run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from pathlib import Path

import pieces
import training
from environments import CACHE, PACKAGES, python_of
from results import CHECKOUT, Results, machine
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from systems import LEVELS, SYSTEMS

PARTS = ("floor", "quality", "training", "tuned", "serving", "pieces", "sequences", "page")
RESULTS = CHECKOUT / "benchmarks" / "results"


def own_file() -> Path:
    """Where figures of such a machine are kept: those with bf16 products and those without are not
    mixed."""
    without = "" if machine()["bf16_products"] else "-without-bf16"
    return RESULTS / f"speed-peers{without}.json"


def command(typed: list[str]) -> str:
    """What was typed, without the places of one machine."""
    words = [word for word in typed[1:] if "/" not in word and word not in ("--out", "--cache")]
    script = Path(typed[0]).resolve().relative_to(CHECKOUT)
    return shlex.join(["python", script.as_posix(), *words])


def tidy(cache: Path, commit: str) -> None:
    """Removes what was prepared at other commits: gigabytes that nobody reads."""
    for old in (cache / "prepared").glob("*"):
        if not old.name.endswith(commit):
            shutil.rmtree(old)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="*", choices=PARTS, help="default: all, tuning with --full")
    parser.add_argument("--level", nargs="*", choices=list(LEVELS), default=list(LEVELS))
    names = [system.name for system in SYSTEMS]
    parser.add_argument("--system", nargs="*", choices=names, default=names)
    parser.add_argument("--full", action="store_true", help="five rounds, whole passes of peers")
    parser.add_argument("--keep", action="store_true", help="figures of other commits as well")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--rows", type=float, default=1e6, help="of the table; 1e5 are held out")
    parser.add_argument("--cache", type=Path, default=CACHE, help="environments and tables")
    parser.add_argument("--out", type=Path, default=own_file())
    given = parser.parse_args()
    learned = given.level if given.full or given.only else ["1k"]
    given.only = given.only or [part for part in PARTS if given.full or part != "tuned"]
    rounds = given.rounds or (5 if given.full else 2)
    effort = training.Effort(rounds, int(given.rows), int(given.rows) // 10, whole=given.full)
    results = Results(given.out, command(sys.argv), given.keep)
    place = training.Place(given.cache, results)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    tidy(given.cache, results.told["commit"])
    with bar as progress:
        for name in progress.track(list(PACKAGES), description="environments"):
            python_of(name, given.cache)
        if "floor" in given.only:
            training.floors(place, rounds, progress)
        if "quality" in given.only:
            training.quality(place, effort, learned, progress)
        if "training" in given.only:
            training.measure(place, effort, given.level, given.system, progress)
        if "tuned" in given.only:
            training.tuned(place, effort, progress)
        if "serving" in given.only:
            pieces.serving(place, rounds, progress)
        if "pieces" in given.only:
            pieces.measure(place, effort, given.full, progress)
        if "sequences" in given.only:
            pieces.sequences(place, rounds, progress)
    if "page" in given.only:
        import page

        page.write(results.told, CHECKOUT / "docs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
