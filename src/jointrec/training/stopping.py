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
    """Follows the validation loss of each component.

    The score of a component is the mean of ``loss / scale`` over its tasks that have validation
    rows. A component without any follows the mean over all tasks that have, and stops with the
    last of them; where no task has one, every pass is better than the one before.

    :param components: The tasks that stop together.
    :param scales: For each task the training loss of its best constant answer.
    :param patience: Passes without a better score after which a component stops.
    """

    def __init__(
        self, components: Sequence[Sequence[str]], scales: Mapping[str, float], patience: int
    ) -> None:
        self._scales, self._patience = scales, patience
        self.courses = [Course(tuple(tasks)) for tasks in components]

    def update(self, epoch: int, valid: Mapping[str, float]) -> None:
        """Takes in the validation losses of a pass, of the tasks that have validation rows."""
        shares = {task: loss / max(self._scales[task], 1e-12) for task, loss in valid.items()}
        for course in [course for course in self.courses if not self._stopped(course)]:
            own = [shares[task] for task in course.tasks if task in shares]
            measured = own or list(shares.values())
            score = sum(measured) / len(measured) if measured else -float(epoch)
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
