"""What is wrong with what a project wants done about its dirt."""

from __future__ import annotations

from collections.abc import Iterator

from jointrec.errors import nearest, unknown_name
from jointrec.findings import CODES
from jointrec.project import Project


def cleaning_problems(project: Project) -> Iterator[str]:
    """Codes, tables and actions that there are not, each with what there is and what is nearest."""
    tables = [*(f"entity.{name}" for name in project.entity)]
    tables += [f"event.{name}" for name in project.event]
    settable = {name: code.actions for name, code in CODES.items() if len(code.actions) > 1}
    for place, action in project.cleaning.items():
        here = f"cleaning.{place}" if "." not in place else f'cleaning."{place}"'
        table, dot, name = place.rpartition(".")
        if dot and table not in tables:
            yield unknown_name("table", table, tables, at=here)
        elif name in CODES and name not in settable:
            done = CODES[name].actions or (CODES[name].done,)
            yield f"{here}: what is done about `{name}` is always `{done[0]}`. Leave it out."
        elif name not in settable:
            yield unknown_name("code that can be set", name, settable, at=here)
        elif action not in settable[name]:
            yield (
                f"{here}: should be {' or '.join(settable[name])}. Found `{action}`."
                f"{nearest(action, settable[name])}"
            )
