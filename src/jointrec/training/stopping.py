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

DOUBT = 1
"""So many passes longer may a task go on that is chosen by its order: the places of the right ones
jump about where losses creep."""


@dataclass
class Course:
    """How one component has done so far.

    :param tasks: The tasks of a funnel, or one task.
    :param best: Its lowest validation score.
    :param epoch: The pass of that score; -1 before the first.
    :param stale: Passes since, without those in which it still learned.
    :param least: Its lowest validation loss, where that is not its score.
    """

    tasks: tuple[str, ...]
    best: float = math.inf
    epoch: int = -1
    stale: int = 0
    least: float = math.inf


class Stopping:
    """Follows the validation loss of each component; of a task that ranks a catalogue, how far it
    is from putting the right one first (1 − NDCG).

    The score of a component is ``Σ loss / Σ scale`` over its tasks that have validation rows: the
    losses of a funnel are the steps of one likelihood, so they add up. A component without any
    follows the mean of ``loss / scale`` over all tasks that have, and stops with the last of them;
    where no task has one, every pass is better than the one before.

    What is chosen by its order still learns while its loss falls: such a pass does not bring it
    nearer to its stop. Nor does one that is worse by chance, unless :data:`DOUBT` more are.

    :param components: The tasks that stop together.
    :param scales: For each task the training loss of its best constant answer.
    :param patience: Passes without a better score after which a component stops.
    :param ordered: The tasks that are chosen by their order. None of them is part of a funnel.
    """

    def __init__(
        self,
        components: Sequence[Sequence[str]],
        scales: Mapping[str, float],
        patience: int,
        ordered: Collection[str] = (),
    ) -> None:
        self._scales = {task: 1.0 if task in ordered else scales[task] for task in scales}
        self._patience, self._ordered = patience, frozenset(ordered)
        self.courses = [Course(tuple(tasks)) for tasks in components]

    def update(
        self, epoch: int, losses: Mapping[str, float], ndcg: Mapping[str, float] | None = None
    ) -> None:
        """Takes in a pass.

        :param losses: Those of the tasks that have validation rows.
        :param ndcg: How high those that rank a catalogue put the right one.
        """
        places = {task: 1 - value for task, value in (ndcg or {}).items() if task in self._ordered}
        valid = {**losses, **places}
        shares = {task: loss / max(self._scales[task], 1e-12) for task, loss in valid.items()}
        anyone = sum(shares.values()) / len(shares) if shares else -float(epoch)
        for course in [course for course in self.courses if not self._stopped(course)]:
            own = [task for task in course.tasks if task in shares]
            scale = max(sum(self._scales[task] for task in own), 1e-12)
            score = sum(valid[task] for task in own) / scale if own else anyone
            loss = sum(losses[t] if t in places else math.inf for t in course.tasks)
            if score < course.best or course.epoch < 0:
                course.best, course.epoch, course.stale = score, epoch, 0
            elif not loss < course.least:
                course.stale += 1
            course.least = min(course.least, loss)
        judged = [course for course in self.courses if set(course.tasks) & set(valid)]
        if judged and all(self._stopped(course) for course in judged):
            for course in self.courses:
                course.stale = max(course.stale, self._most(course))

    def _most(self, course: Course) -> int:
        """With so many stale passes it stops."""
        return self._patience + DOUBT * bool(self._ordered & set(course.tasks))

    def _stopped(self, course: Course) -> bool:
        return course.stale >= self._most(course)

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
        return [{**vars(course), "tasks": list(course.tasks)} for course in self.courses]

    def load(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Goes back to what `state` gave."""
        self.courses = [Course(**{**course, "tasks": tuple(course["tasks"])}) for course in state]


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
