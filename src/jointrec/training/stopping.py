"""When to stop, and which pass each task is served from.

Tasks linked by ``after`` stop and are served together, as their chances must stay nested; every
other task stops by itself.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jointrec.project import Project


@dataclass
class Course:
    """How one component has done so far.

    :param tasks: The tasks of a funnel, or one task.
    :param best: Its lowest validation score.
    :param epoch: The pass of that score; -1 before the first.
    :param stale: Passes since.
    """

    tasks: tuple[str, ...]
    best: float = math.inf
    epoch: int = -1
    stale: int = 0


class Stopping:
    """Follows the validation loss of each component; of a task that ranks a catalogue, how far it
    is from putting the right one first (1 − NDCG).

    The score of a component is ``Σ loss / Σ scale`` over its tasks that have validation rows: the
    losses of a funnel are the steps of one likelihood, so they add up. A component without any
    follows the mean of ``loss / scale`` over all tasks that have, and stops with the last of them;
    where no task has one, every pass is better than the one before.

    :param components: The tasks that stop together.
    :param scales: For each task the training loss of its best constant answer; 1 for 1 − NDCG.
    :param patience: Passes without a better score after which a component stops.
    """

    def __init__(
        self, components: Sequence[Sequence[str]], scales: Mapping[str, float], patience: int
    ) -> None:
        self._scales, self._patience = scales, patience
        self.courses = [Course(tuple(tasks)) for tasks in components]

    def update(self, epoch: int, valid: Mapping[str, float]) -> None:
        """Takes in the losses of a pass, or 1 − NDCG, of the tasks that have validation rows."""
        shares = {task: loss / max(self._scales[task], 1e-12) for task, loss in valid.items()}
        anyone = sum(shares.values()) / len(shares) if shares else -float(epoch)
        for course in [course for course in self.courses if not self._stopped(course)]:
            own = [task for task in course.tasks if task in shares]
            scale = max(sum(self._scales[task] for task in own), 1e-12)
            score = sum(valid[task] for task in own) / scale if own else anyone
            if score < course.best or course.epoch < 0:
                course.best, course.epoch, course.stale = score, epoch, 0
            else:
                course.stale += 1
        judged = [course for course in self.courses if set(course.tasks) & set(valid)]
        if judged and all(self._stopped(course) for course in judged):
            for course in self.courses:
                course.stale = max(course.stale, self._patience)

    def _stopped(self, course: Course) -> bool:
        return course.stale >= self._patience

    @property
    def active(self) -> tuple[str, ...]:
        """The tasks that still learn."""
        return tuple(
            t for course in self.courses if not self._stopped(course) for t in course.tasks
        )

    @property
    def kept(self) -> dict[str, int]:
        """For each task the pass that it is served from."""
        return {task: course.epoch for course in self.courses for task in course.tasks}

    def state(self) -> list[dict[str, Any]]:
        """What `load` needs, as JSON can hold it."""
        return [
            {"tasks": list(c.tasks), "best": c.best, "epoch": c.epoch, "stale": c.stale}
            for c in self.courses
        ]

    def load(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Goes back to what `state` gave."""
        self.courses = [
            Course(tuple(one["tasks"]), float(one["best"]), int(one["epoch"]), int(one["stale"]))
            for one in state
        ]


def components(project: Project, tasks: Collection[str]) -> list[tuple[str, ...]]:
    """The tasks that are linked by ``after``, in the order of the project."""
    root: dict[str, str] = {}
    for task in tasks:
        top, after = task, project.tasks[task].after
        while after is not None and after in tasks:
            top, after = after, project.tasks[after].after
        root[task] = top
    tops = dict.fromkeys(root[task] for task in tasks)
    return [tuple(task for task in tasks if root[task] == top) for top in tops]


def shared_scales(
    components: Sequence[Sequence[str]], scales: Mapping[str, float]
) -> dict[str, float]:
    """For each task the mean scale of its component: what one task of it costs by guessing.

    The tasks of a funnel are steps of one answer (clicked, and then put in the cart, and then …),
    and their losses add up to its likelihood. Were each divided by its own scale, the rarest step
    would pull twenty times as hard on what they share as its evidence is worth, and be learned by
    heart first.

    >>> shared_scales([("click", "buy"), ("churn",)], {"click": 0.2, "buy": 0.1, "churn": 0.6})
    {'click': 0.15000000000000002, 'buy': 0.15000000000000002, 'churn': 0.6}
    """
    return {
        task: sum(scales[other] for other in component) / len(component)
        for component in components
        for task in component
    }
