"""What the rows of a batch have in the column that the calibration goes by."""

from __future__ import annotations

from jaxtyping import Int
from torch import Tensor

from jointrec.batches import Batch, Examples
from jointrec.prepare.prepared import FieldsLayout, Layout
from jointrec.project import Project


def segments_of(
    project: Project, layout: Layout, batch: Batch, examples: Examples
) -> Int[Tensor, "rows"] | None:
    """The row of the table that stands for each value; None where the rows do not have the column.

    A task may not see every entity, and what it may not see does not set it right either.
    """
    if project.calibration.by is None:
        return None
    table, _, column = project.calibration.by.partition(".")
    if table == examples.grain.table and table in layout.context:
        names, ids = layout.context[table].ids, examples.context.ids
        return batch.touched[ids[:, names.index(column)]] if column in names else None
    names = layout.things.get(table, FieldsLayout()).ids
    if table not in examples.grain.sees or column not in names:
        return None
    things = examples.moments[table].things[examples.at[table]]
    return batch.touched[batch.things[table].ids[things, names.index(column)]]
