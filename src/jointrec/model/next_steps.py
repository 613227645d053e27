"""What somebody may do next with a model: commands that work for this very one."""

from __future__ import annotations

from pathlib import Path

from jointrec.errors import JointRecError

from .model import Model
from .ranking import default_ranking


def next_steps(model: Model, out: Path) -> list[tuple[object, ...]]:
    """Commands that ask a model, as words.

    :param out: Where it was written.
    """
    steps: list[tuple[object, ...]] = []
    for grain in model.plan.grains:
        if len(grain.entities) == 1:
            steps.append(("predict", out, grain.tasks[0], "--out", "answers.csv"))
            break
    for grain in model.plan.grains:
        first = grain.entities[0]
        key = model.reader.tables.entities[first]["@key"][0]
        try:
            (task,) = default_ranking(model, {first: key})
        except JointRecError:
            continue
        steps.append(("recommend", out, "--key", f"{first}={key}", "--rank-by", f"{task}=1"))
        break
    return steps
