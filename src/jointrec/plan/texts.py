"""Which texts stand beside each other in a row: those of a query and of a title, for one."""

from __future__ import annotations

from itertools import combinations, product

from jointrec.features import Text
from jointrec.project import Project

from .columns import features_of
from .grains import Grain


def texts_beside(project: Project, grain: Grain) -> list[tuple[str, str]]:
    """The pairs of text columns that a row sees beside each other, as ``table.column``.

    Texts of different tables: the event itself comes first, as what somebody typed, then the
    entities in their order. And texts of the very table that is asked, as of a flat one of queries
    and titles; those of another thing, a title and a description, tell of one thing.
    """
    if not project.matching:
        return []
    tables = [grain.table] if grain.asking == "row" else []
    named = [
        [
            f"{table}.{name}"
            for name, f in features_of(project, table).items()
            if isinstance(f, Text)
        ]
        for table in [*tables, *grain.sees]
    ]
    own = named[:1] if grain.asking in ("row", "once") else []
    return [pair for texts in own for pair in combinations(texts, 2)] + [
        pair for one, other in combinations(named, 2) for pair in product(one, other)
    ]
