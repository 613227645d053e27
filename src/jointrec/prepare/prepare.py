"""From clean tables to prepared arrays: learn from training rows, then encode every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from jointrec.plan import Grain, Plan
from jointrec.project import Project
from jointrec.sources import Finding
from jointrec.splits import Cuts

from .answers import answer_all, encode_labels, labels_of_grain, parts_of_grain, rows_of_grain
from .counters import Counters, base_rates
from .edges import learn_edges, learn_told_edges
from .encoding import encode_things
from .history import past_of
from .layout import layout_of
from .learning import learn_columns, learn_scales
from .lists import lists_of
from .popularity import popularity
from .preparation import Preparation
from .prepared import Asked, Prepared
from .reader import Reader, has_history, raw_rows
from .starts import learn_starts
from .tables import Tables
from .training_rows import hashes_of, trained_rows
from .weights import weights_of
from .workspace import IN_MEMORY, Workspace


def prepare(
    project: Project, plan: Plan, tables: Tables, workspace: Workspace = IN_MEMORY
) -> tuple[Reader, Prepared, tuple[Finding, ...]]:
    """Learns a preparation from the training rows of the tables and encodes all rows.

    :param workspace: Where large arrays live.
    :returns: The reader (which holds the preparation), what training reads, and what was found odd
        about the labels.
    :raises DataError: where tasks have nothing to learn from: all problems at once.
    """
    hashes = hashes_of(tables, workspace)
    answers = answer_all(project, plan, tables, hashes, workspace)
    trained = trained_rows(project, tables, hashes)
    training = {
        name: tables.events[name].select("@time", *columns).filter(trained[name])
        for name, columns in plan.outcomes.items()
    }
    rates = base_rates(project, plan, replace(tables, events=training), tables.cuts.valid)
    del training
    preparation = replace(
        learn_columns(project, plan, tables, trained, workspace),
        tasks=answers.states,
        rates={f"{event}.{column}": rate for (event, column), rate in rates.items()},
    )
    reader = build_reader(project, plan, tables, preparation, workspace)
    raws = {
        grain.name: raw_rows(
            reader, grain, answers.rows[grain.name], context_of(grain, tables), workspace
        )
        for grain in plan.grains
    }
    preparation = replace(preparation, scales=learn_scales(raws, answers.answered))
    edges = learn_edges(raws, answers.answered, preparation.scales)
    starts, more = learn_starts(project, raws, answers.answered, preparation.scales)
    layout = layout_of(project, plan, reader, preparation, answers.answered, edges, workspace)
    layout = replace(layout, starts=starts, more=more)
    reader = replace(reader, preparation=replace(preparation, layout=layout))
    asked: dict[str, Asked] = {}
    for grain in plan.grains:
        read = reader.scaled(raws.pop(grain.name), context_of(grain, tables), workspace)
        labelled = answers.answered[grain.name]
        asked[grain.name] = replace(
            read,
            labels=labelled.labels,
            parts=labelled.parts,
            weights=labelled.weights,
            lists=lists_of(project, grain, answers.rows[grain.name], tables),
        )
    layout = replace(layout, edges={**edges, **learn_told_edges(asked, reader.things)})
    reader = replace(reader, preparation=replace(preparation, layout=layout))
    return reader, prepared_of(reader, asked), answers.findings


def build_reader(
    project: Project,
    plan: Plan,
    tables: Tables,
    preparation: Preparation,
    workspace: Workspace = IN_MEMORY,
) -> Reader:
    """The reader of some tables, with what was learned before."""
    return Reader(
        project,
        plan,
        tables,
        preparation,
        {name: encode_things(project, preparation, tables, name) for name in project.entity},
        Counters.build(project, plan, tables, rates_of(preparation)),
        {
            name: past_of(project, plan, tables, name, workspace)
            for name in project.entity
            if has_history(project, name)
        },
    )


def rates_of(preparation: Preparation) -> dict[tuple[str, str], float]:
    """How often each outcome is yes, by event and column."""
    return {
        (name.partition(".")[0], name.partition(".")[2]): rate
        for name, rate in preparation.rates.items()
    }


def prepared_of(reader: Reader, asked: Mapping[str, Asked]) -> Prepared:
    """What training, evaluation and serving read of a reader, with the rows asked."""
    return Prepared(
        layout=reader.preparation.layout,
        things=reader.things,
        past={name: past.past for name, past in reader.pasts.items()},
        popularity={
            task: popularity(
                reader.project, reader.plan, reader.tables, task, reader.tables.until or 0
            )
            for task in reader.plan.catalogue
        },
        asked=asked,
    )


def context_of(grain: Grain, tables: Tables) -> pl.DataFrame:
    """The columns of the rows themselves, for the rows of a grain asked over all the data."""
    if grain.asking == "row":
        return tables.events[grain.table]
    return pl.DataFrame()


def asked_again(reader: Reader, grain: Grain) -> Asked:
    """The rows of a grain over all the reader's tables, labelled with what was learned before."""
    project, tables = reader.project, reader.tables
    rows = rows_of_grain(project, grain, tables)
    labels = labels_of_grain(project, tables, grain, rows)
    parts = parts_of_grain(project, tables, grain, rows, labels, hashes_of(tables))
    encoded, _ = encode_labels(project, grain, labels, reader.preparation.tasks)
    read = reader.read(grain, rows, context_of(grain, tables))
    weights = {
        name: found
        for name in grain.tasks
        if (found := weights_of(project, name, grain, rows, tables, parts[name])) is not None
    }
    lists = lists_of(project, grain, rows, tables)
    return replace(read, labels=encoded, parts=parts, weights=weights, lists=lists)


def over(reader: Reader, tables: Tables) -> Reader:
    """The same learned reader over other tables: later months, other users."""
    cuts = Cuts(*reader.preparation.cuts)
    return build_reader(reader.project, reader.plan, replace(tables, cuts=cuts), reader.preparation)
