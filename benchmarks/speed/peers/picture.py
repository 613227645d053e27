"""The picture of speed: how fast each system trains, at each size of the ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures import Runs, paces
from results import spread
from systems import LEVELS, SYSTEMS


def draw(runs: Runs, path: Path) -> None:
    """Writes the picture; the same figures give the same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    settings: Any = {
        "svg.fonttype": "path", "svg.hashsalt": "jointrec", "font.family": "DejaVu Sans",
        "font.size": 9, "axes.linewidth": 0.6,
    }  # fmt: skip
    levels = [level for level in ("1k", "100k", "1M") if paces(runs, "torch-rechub", level)]
    names = [system.name for system in SYSTEMS if system.model == "mmoe"]
    with matplotlib.rc_context(settings):
        figure, boxes = plt.subplots(
            1, max(len(levels), 1), figsize=(9.6, 2.6), sharey=True, squeeze=False
        )
        for axes, level in zip(boxes[0], levels, strict=False):
            _draw_level(axes, runs, names, level)
        boxes[0][0].invert_yaxis()
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _draw_level(axes: Any, runs: Runs, names: Sequence[str], level: str) -> None:
    axes.set(title=f"{LEVELS[level]:,} ids a column", xlabel="rows per processor second")
    axes.set_xscale("log")
    axes.set_xlim(300, 120_000)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(left=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    for place, name in enumerate(names):
        measured = list(paces(runs, name, level).values())
        if not measured:
            continue
        middle, least, most = spread(measured)
        colour = "#00796b" if name.startswith("jointrec") else "#9aa5a5"
        axes.barh(place, middle, height=0.62, color=colour)
        axes.plot([least, most], [place] * 2, color="#333333", lw=1)
        axes.text(most * 1.06, place, f"{middle:,.0f}", va="center", size=7.5, color="#333333")
