"""Makes the plan of a project, or says all that is wrong with its declarations."""

from __future__ import annotations

from jointrec.errors import ProjectError, together
from jointrec.project import Project

from .grains import Plan, plan_of
from .problems import problems_of


def plan(project: Project) -> Plan:
    """The plan of a project: its grains, and what follows from its labels.

    :raises ProjectError: with all problems at once.

    >>> from jointrec.project import parse
    >>> shop = parse('''
    ... entity.user = { source = "users.csv", key = "user_id" }
    ... event.visit = { source = "visits.csv", entities = ["user"], time = "at" }
    ... tasks.back = { kind = "Binary", label = { any = "visit", of = "user", within = "7d" } }
    ... ''')
    >>> plan(shop).grain_of("back").name
    'user every 7d'
    """
    problems = problems_of(project)
    if problems:
        raise ProjectError(together(problems, of="The project"))
    return plan_of(project)
