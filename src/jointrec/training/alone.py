"""One task of a project by itself: what training together is compared with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from jointrec.errors import DataError, ProjectError, unknown_name
from jointrec.plan import Grain, Plan
from jointrec.prepare.prepared import Prepared
from jointrec.project import Project


def alone(project: Project, task: str) -> Project:
    """The same question trained by itself: same rows, same features, same budget, no other task.

    A task of a funnel loses what it comes ``after``: it becomes the plain question whether it
    happens, asked of the same rows, so that no other label teaches it.

    :raises ProjectError: where the project has no such task.
    """
    if task not in project.tasks:
        raise ProjectError(unknown_name("task", task, project.tasks, at="alone"))
    return replace(project, tasks={task: replace(project.tasks[task], after=None)})


def only(plan: Plan, tasks: Collection[str]) -> Plan:
    """A plan of only some of its tasks, asked of the same rows; grains without one are left out."""
    grains = tuple(
        replace(grain, tasks=asked)
        for grain in plan.grains
        if (asked := tuple(task for task in grain.tasks if task in tasks))
    )
    ranked = {task: entity for task, entity in plan.catalogue.items() if task in tasks}
    return replace(plan, grains=grains, catalogue=ranked)


def as_prepared(plan: Plan, prepared: Prepared) -> Plan:
    """A plan whose grains are called as they were when the rows were prepared.

    The name of a grain says how it differs from the others of its project, so a project of one task
    may call it otherwise.

    :raises DataError: where rows of a grain were not prepared.
    """
    names = {_where(asked.grain): name for name, asked in prepared.asked.items()}
    for grain in plan.grains:
        if _where(grain) not in names:
            raise DataError(
                f"grain `{grain.name}`: its rows were not prepared. Prepared are: "
                f"{', '.join(sorted(names.values()))}. Prepare the project that is trained."
            )
    return replace(
        plan, grains=tuple(replace(grain, name=names[_where(grain)]) for grain in plan.grains)
    )


def _where(grain: Grain) -> tuple[object, ...]:
    return (grain.table, grain.asking, grain.sees, grain.every, grain.active)
