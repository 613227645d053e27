"""The page about speed: tables and a picture, from the raw figures and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures import (
    Runs,
    Spread,
    goals,
    held_out,
    latencies,
    paces,
    piece,
    ratios,
    spelled,
    target,
    written,
)
from picture import draw
from results import found, spread
from systems import EVERY, LEVELS, SEQUENCES, SYSTEMS

BEGIN = {True: "<!-- figures: speed -->", False: "<!-- figures: speed, without bf16 -->"}
"""Where figures begin, of machines with bf16 products and of others."""
END = "<!-- /figures -->"
PICTURE = (
    "![Rows for each second of processor time, by system and ids a column](../assets/speed.svg)\n\n"
)
MARKS = {True: "reached", False: "**not reached**"}


def write(told: dict[str, Any], docs: Path) -> None:
    """Writes the figures between the marks of the page, and the picture beside it."""
    path = docs / "examples" / "speed.md"
    text, bf16 = path.read_text(encoding="utf-8"), told["machine"]["bf16_products"]
    before, _, rest = text.partition(BEGIN[bf16])
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN[bf16]}\n\n{figures(told)}\n\n{END}{after}", encoding="utf-8")
    if bf16:
        draw(told["runs"], docs / "assets" / "speed.svg")


def figures(told: dict[str, Any]) -> str:
    """All that is made of figures, as Markdown."""
    runs: Runs = told["runs"]
    parts = [
        machine(told),
        "### Goals\n\n" + goal_table(runs),
        f"### Training\n\n{PICTURE if told['machine']['bf16_products'] else ''}"
        + "\n\n".join(training_tables(runs)),
        "### Quality\n\n" + quality_table(runs),
        "### Answers\n\n" + answer_table(runs),
        "### Alone\n\n" + alone_tables(runs),
        "### Failed\n\n" + failures(runs),
    ]
    return "\n\n".join(part for part in parts if not part.endswith("\n\n"))


def machine(told: dict[str, Any]) -> str:
    """Where, when, how."""
    own, runs = told["machine"], told["runs"]
    loads = [run["load"] for run in runs] or [0.0]
    times = sorted(run["at"] for run in runs) or [""]
    versions: dict[str, str] = {}
    for run in runs:
        versions |= run.get("versions", {})
    packages = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    products = "with" if own["bf16_products"] else "without"
    rounds = 1 + max((run.get("round", 0) for run in runs), default=0)
    commits = dict.fromkeys([run.get("commit", told["commit"]) for run in runs] or [told["commit"]])
    at = ", ".join(f"`{commit}`" for commit in commits)
    commands = "\n".join(told["commands"])
    return (
        f"{own['processor']}, {own['cores']} cores, {own['memory_gib']} GiB, {products} bf16 "
        f"products; {own['system']}, Python {own['python']}; {own['threads']} thread; commit "
        f"{at}; {rounds} rounds; {times[0]} to {times[-1]}; "
        f"load {min(loads)} to {max(loads)}; {packages}.\n\n```text\n{commands}\n```"
    )


def goal_table(runs: Runs) -> str:
    """Every promise, what was measured, and whether it is kept."""
    promised = goals(runs)
    told = [goal for goal in promised if goal.reached is not None]
    rows = [(goal.text, target(goal), written(goal), MARKS[goal.reached]) for goal in told]
    table = markdown(("goal", "asked", "measured: median (least–most)", ""), rows, "lrrl")
    others = len(promised) - len(told)
    left = f" {others} others were not measured." if others else ""
    reached = sum(goal.reached is True for goal in told)
    return f"{reached} of {len(told)} measured goals are reached.{left}\n\n{table}"


def training_tables(runs: Runs) -> list[str]:
    """A table for each size of the ids that was measured."""
    return [table for level in EVERY if (table := training_table(runs, level))]


def training_table(runs: Runs, level: str) -> str:
    """The systems of one size of the ids, fastest first, models apart."""
    rows = []
    for model in ("mmoe", "dense"):
        part = [(system.name, own_paces(runs, system.name, level)) for system in SYSTEMS
                if system.model == model]  # fmt: skip
        ranked = sorted(
            (p for p in part if p[1]), key=lambda one: -spread(list(one[1].values()))[0]
        )
        for name, measured in ranked:
            rows.append(_training_row(runs, level, name, measured))
    if all(row[0].startswith("jointrec") for row in rows):
        return ""
    heads = ("system", "rows/CPU-s: median (least–most)", "JointRec is", "rows/s, wall", "peak MiB")
    words = f"**{LEVELS[level]:,} ids a column**" + (
        ", peers with vectors only for the ids that training rows hold" if "met" in level else ""
    )
    return f"{words}\n\n{markdown(heads, rows, 'lrrrr')}"


def own_paces(runs: Runs, system: str, level: str) -> dict[int, float]:
    """The paces of a system; those of JointRec are the same where peers get numbered ids."""
    return paces(runs, system, level.replace(" met", "") if system == "jointrec" else level)


def _training_row(runs: Runs, level: str, name: str, measured: dict[int, float]) -> tuple[str, ...]:
    at = level.replace(" met", "") if name == "jointrec" else level
    some = [run for run in found(runs, part="training", system=name, level=at) if run.get("train")]
    times = [] if name in ("jointrec", "jointrec dense") else ratios(runs, name, level)
    walls = [run["train"]["rows"] / run["train"]["wall_s"] for run in some]
    peaks = [float(run["peak_mib"]) for run in some]
    return (
        name,
        around(spread(list(measured.values()))),
        f"{around(spread(times), '×')}" if times else "",
        f"{spread(walls)[0]:,.0f}",
        f"{spread(peaks)[0]:,.0f}",
    )


def quality_table(runs: Runs) -> str:
    """How good the answers to held-out rows are after one pass, or after tuning."""
    rows = []
    for level in LEVELS:
        for part, names in (("quality", [s.name for s in SYSTEMS] + ["lightgbm"]),
                            ("tuned", ["jointrec"])):  # fmt: skip
            for name in names:
                told = held_out(runs, level, name, part)
                if told:
                    label = f"{name}, tuned" if part == "tuned" else name
                    aucs = [f"{one['auc']:.4f}" for one in told.values() if "auc" in one]
                    losses = [f"{one['log_loss']:.4f}" for one in told.values() if "auc" in one]
                    gini = [f"{one['gini']:.4f}" for one in told.values() if "gini" in one]
                    rows.append((level, label, *aucs, *losses, *gini, _commit(runs, level, name)))
    if not rows:
        return ""
    tasks = ("click", "cart", "buy")
    heads = ("ids", "system", *(f"AUC {t}" for t in tasks), *(f"log-loss {t}" for t in tasks),
             "Gini revenue", "commit")  # fmt: skip
    return markdown(heads, rows, "ll" + "r" * 7 + "l")


def _commit(runs: Runs, level: str, name: str) -> str:
    """When it was measured; what a peer learns does not depend on it."""
    if not name.startswith("jointrec"):
        return ""
    commits = [
        run.get("commit", "") for run in found(runs, part="quality", level=level, system=name)
    ]
    return f"`{commits[-1]}`" if commits else ""


def answer_table(runs: Runs) -> str:
    """One user and 1,000 candidates; many rows at once."""
    rows = []
    for name in ("jointrec", "torch-rechub", "deepctr-torch", "plain torch"):
        p50 = list(latencies(runs, name).values())
        if p50:
            p99 = list(latencies(runs, name, "p99").values())
            cpu = list(latencies(runs, name, "cpu_p50").values())
            ms = [f"{spelled(spread(one)[0], 'ms')}" for one in (p50, p99, cpu)]
            rows.append((f"{name}, four tasks", *ms))
    single = {of: list(latencies(runs, "jointrec", of, "latency_one_task_ms").values())
              for of in ("p50", "p99", "cpu_p50")}  # fmt: skip
    if single["p50"]:
        ms = [f"{spelled(spread(one)[0], 'ms')}" for one in single.values()]
        rows.append(("jointrec, one task", *ms))
    heads = ("one user × 1,000 candidates", "p50 ms", "p99 ms", "p50 ms of processor time")
    first = markdown(heads, rows, "lrrr") if rows else ""
    scored = []
    for name in dict.fromkeys(["jointrec", "jointrec fp32", *(s.name for s in SYSTEMS)]):
        for of, words in (("score", "four tasks"), ("score_one_task", "one task")):
            measured = list(paces(runs, name, "1k", of).values())
            if measured and "dense" not in name:
                scored.append((f"{name}, {words}", around(spread(measured))))
    second = markdown(("scoring many rows, 1k ids", "rows/CPU-s"), scored, "lr") if scored else ""
    return "\n\n".join(part for part in (first, second) if part)


def alone_tables(runs: Runs) -> str:
    """JointRec piece by piece."""
    parts = []
    for name, words in (("table", "rows of the embedding table"), ("tasks", "tasks"),
                        ("rows", "rows of the file")):  # fmt: skip
        sizes = piece(runs, name)
        rows = []
        for size, by_round in sizes.items():
            own = found(runs, part="pieces", piece=name, size=size)
            peaks = [float(run["peak_mib"]) for run in own if "peak_mib" in run]
            peak = f"{spread(peaks)[0]:,.0f}" if peaks else ""
            rows.append((f"{size:,}", around(spread(list(by_round.values()))), peak))
        if rows:
            parts.append(markdown((words, "rows/CPU-s", "peak MiB"), rows, "rrr"))
    rows = []
    for system in (system.name for system in SEQUENCES):
        some = [run for run in found(runs, part="sequences", system=system) if run.get("train")]
        own = [run["train"]["rows"] / run["train"]["cpu_s"] for run in some]
        if own:
            peaks = [float(run["peak_mib"]) for run in some]
            rows.append((system, around(spread(own)), f"{spread(peaks)[0]:,.0f}"))
    if rows:
        parts.append(markdown(("sequences", "rows/CPU-s", "peak MiB"), rows, "lrr"))
    made = found(runs, part="prepare", model="mmoe")
    rows = [
        (run["level"], f"{run['rows'] / run['cpu_s']:,.0f}", f"{run['peak_mib']:,}") for run in made
    ]
    if rows:
        heads = ("preparation, ids a column", "rows/CPU-s", "peak MiB")
        parts.append(markdown(heads, rows, "lrr"))
    return "\n\n".join(parts)


def failures(runs: Runs) -> str:
    """What could not be measured, and why."""
    rows = []
    for run in runs:
        if "failed" in run:
            what = " ".join(str(run[k]) for k in ("part", "level", "system", "piece") if k in run)
            rows.append((what, run["failed"].strip().splitlines()[-1][:200].replace("|", "/")))
    return markdown(("what", "why"), rows, "ll") if rows else ""


def around(values: Spread, unit: str = "") -> str:
    """A median with its least and most.

    >>> around((48000.0, 44100.0, 48400.0))
    '48,000 (44,100–48,400)'
    """
    if unit:
        middle, least, most = (spelled(value, unit) for value in values)
    else:
        middle, least, most = (f"{value:,.0f}" for value in values)
    if least == most:
        return f"{middle}{unit}"
    return f"{middle}{unit} ({least}–{most})"


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], sides: str) -> str:
    """A table; ``l`` and ``r`` say to which side each column goes."""
    rule = ["--:" if side == "r" else "---" for side in sides]
    lines = [heads, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
