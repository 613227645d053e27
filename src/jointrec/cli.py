"""The command line: one verb a command, thin over the Python verbs.

Nothing heavy is imported until a command runs, so that help comes at once.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import __version__
from .arguments import (
    At,
    Keep,
    Keys,
    NoCache,
    Processes,
    Root,
    Rounds,
    kept_in,
    keys_of,
    number,
    only,
    pairs,
)
from .errors import JointRecError, printable

if TYPE_CHECKING:
    from .model import Model

# Waiting threads that spin make small operations ten times slower as soon as another program wants
# a core. OpenMP reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

app = typer.Typer(
    name="jointrec",
    help=(
        "One model for every prediction an online shop makes.\n\n"
        "Begin with [bold]jointrec demo[/bold], or with your own tables: "
        "[bold]jointrec init DIR[/bold] → [bold]check[/bold] → [bold]fit[/bold] → "
        "[bold]predict[/bold], [bold]recommend[/bold]. "
        "[bold]jointrec COMMAND --help[/bold] shows how."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

File = Annotated[Path, typer.Argument(help="The project: a shop.toml.", show_default=False)]
Folder = Annotated[Path, typer.Argument(help="What fit wrote, or a bundle.", show_default=False)]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """One model for every prediction an online shop makes."""


@app.command()
def init(
    place: Annotated[
        str,
        typer.Argument(
            help="A folder with CSV, JSON lines or Parquet files, or the URL of a database.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where to write the project.")] = Path("shop.toml"),
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the file if it is there.")
    ] = False,
) -> None:
    """Write a commented shop.toml from the tables in a folder or a database, and say why.

    Which table is an entity, which an event; what is a key, a time, a feature; what to ask.

    Read it and change what is wrong: it is a beginning.

    Example: [bold]jointrec init data --out shop.toml[/bold], or [bold]jointrec init
    postgresql://me@host/shop[/bold]
    """
    from .durable import write_file
    from .init import propose
    from .sources import is_database

    if out.exists() and not force:
        raise JointRecError(f"{out}: the file is there already. Use --force to overwrite it.")
    write_file(out, propose(place).encode())
    where = () if is_database(place) else ("--root", place)
    typer.echo(f"Wrote {out}. Read it, then: {_command('check', out, *where)}")


@app.command()
def check(
    file: File,
    root: Root = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail (exit code 1) where a leak is suspected.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots here.")] = None,
) -> None:
    """Print the plan of a project in numbers, and every problem at once.

    For each grain (rows that are asked) it says which entities the answers may see, and its tasks.

    For each task: how many known labels train, choose and test, and how many of them are yes.

    Last it looks for leaks: ways in which an answer may reach a feature, each with what to do.

    Example: [bold]jointrec check shop.toml --root data --html page.html[/bold]
    """
    _readable(file)
    from .leaks import scan_answers
    from .prepare.check import look
    from .project import read
    from .terminal import print_checked, print_leaks

    looked = look(read(file), root)
    leaks = scan_answers(looked.project, looked.checked.plan, looked.tables, looked.answers)
    print_checked(looked.checked)
    print_leaks(leaks)
    if html is not None:
        from .page import write_page

        page = write_page(looked, html, leaks=leaks, name=file.name)
        typer.echo(f"\nWrote {page}. Open it in a browser.")
    if strict and leaks.alarms:
        raise typer.Exit(1)
    where = () if root is None else ("--root", root)
    step = _command("fit", file, *where, "--out", "runs/first")
    typer.echo(f"\nNothing stands in the way. Next: {step}")


@app.command()
def fit(
    file: File,
    out: Annotated[Path, typer.Option(help="Where to write the model and the report.")] = Path(
        "runs/latest"
    ),
    root: Root = None,
    test_from: Annotated[
        str | None, typer.Option(help="Test from this day on (YYYY-MM-DD), whatever the file says.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Another seed than the file's.", min=0)] = None,
    epochs: Annotated[int | None, typer.Option(help="Other epochs than the file's.", min=1)] = None,
    compare: Annotated[
        bool, typer.Option(help="Train alone and baselines too, to compare with.")
    ] = True,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare with this way, such as EASE, in place of all quick ones; again for more.",
            metavar="NAME",
        ),
    ] = None,
    rounds: Rounds = 200,
    prepared: Annotated[
        Path | None, typer.Option(help="Train from what `prepare` wrote, not from the tables.")
    ] = None,
    processes: Processes = None,
    cache: Keep = None,
    no_cache: NoCache = False,
) -> None:
    """Train one model on all tasks, compare it, and write it with its report.

    OUT holds the model, report.json, report.html, log.jsonl and findings.csv in the end.

    Ctrl-C stops after a whole pass; the same command with --resume goes on to the same result.

    Example: [bold]jointrec fit shop.toml --root data --out runs/first[/bold]
    """
    _readable(file)
    from dataclasses import replace

    from .model import Compare
    from .model import fit as fit_project
    from .model.fitting import with_test_from
    from .model.next_steps import next_steps
    from .page import write_report
    from .project import read
    from .terminal import print_report, terminal_watch

    project = read(file)
    if test_from is not None:
        project = with_test_from(project, test_from)
    own = project.budget
    passes, chance = own.epochs if epochs is None else epochs, own.seed if seed is None else seed
    project = replace(project, budget=replace(own, epochs=passes, seed=chance))
    what = Compare(compare, baseline or (None if compare else ()), rounds=rounds)
    with terminal_watch(out) as watch:
        model = fit_project(
            project, root=root, out=out, resume=resume, compare=what, watch=watch,
            cache=kept_in(cache, no_cache), prepared=prepared, processes=processes,
        )  # fmt: skip
    print_report(model.report, out)
    page = write_report(model.report, out / "report.html")
    typer.echo(f"\nWrote {out}/model, {out}/report.json and {page}. Next, ask it:")
    for words in next_steps(model, out):
        typer.echo(f"  {_command(*words)}")


@app.command()
def prepare(
    file: File,
    out: Annotated[Path, typer.Option(help="The folder to write.", show_default=False)],
    root: Root = None,
    cache: Keep = None,
    no_cache: NoCache = False,
) -> None:
    """Write what training reads: clean tables, history, counters and labels as Parquet.

    The folder is all that fit needs, on this machine or another.

    Example: [bold]jointrec prepare shop.toml --root data --out prepared[/bold]

    Then: [bold]jointrec fit prepared/project.toml --prepared prepared[/bold]
    """
    _readable(file)
    from .plan import plan
    from .prepare import Cache, hand_over
    from .project import read

    project = read(file)
    folder = kept_in(cache, no_cache)
    kept = None if folder is None else Cache(folder, say=typer.echo)
    ready = hand_over(project, plan(project), out, root=root, cache=kept)
    for name, asked in ready.prepared.asked.items():
        typer.echo(f"{name}: {len(asked):,} rows")
    step = _command("fit", out / "project.toml", "--prepared", out, "--out", "runs/first")
    typer.echo(f"Wrote {out}. Next: {step}")


@app.command()
def evaluate(
    folder: Folder,
    root: Annotated[
        Path | None,
        typer.Option(help="A folder with the same tables, of later months. Default: its own."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report here: JSON or .html.")] = None,
    rounds: Rounds = 200,
) -> None:
    """Measure a saved model: on its own test rows, or on the tables of another folder.

    Of another folder, rows at or after the test cut that the model was trained with are measured.

    Example: [bold]jointrec evaluate runs/first --root data/next-month[/bold]
    """
    from .page import write_report
    from .terminal import print_report

    report = _load(folder).evaluate(root, rounds=rounds)
    print_report(report)
    if out is not None:
        typer.echo(f"Wrote {write_report(report, out)}.")


@app.command()
def predict(
    folder: Folder,
    task: Annotated[str, typer.Argument(help="What to answer: click, or click,buy.")],
    key: Keys = None,
    rows: Annotated[
        Path | None, typer.Option(help="A file of rows to answer instead of keys.")
    ] = None,
    at: At = None,
    k: Annotated[int, typer.Option(help="How many of a catalogue to list.", min=1)] = 10,
    given: Annotated[str | None, typer.Option(help="A step before it that has happened.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the answers here: .csv or .parquet.")
    ] = None,
) -> None:
    """Answer a task: for keys, for a file of rows, or for every entity.

    Keys that were never seen are answered too. A file of rows has a column for each entity.

    Everybody: [bold]jointrec predict runs/first churn --out churn.csv[/bold]

    Somebody: [bold]jointrec predict runs/first buy --key user=u7 --key item=i42[/bold]
    """
    from .terminal import check_ending, notes_told, print_frame, write_frames

    check_ending(out)
    model = _load(folder)
    keys: dict[str, Any] = {
        name: given[0] if len(given) == 1 else given
        for name, given in keys_of(model.project.entity, key).items()
    }
    asked = task.split(",") if "," in task else task
    with notes_told():
        if out is None:
            print_frame(model.predict(asked, rows, at=at, k=k, given=given, **keys), title=task)
        elif rows is not None and not keys:
            parts = model.predict_parts(asked, rows, at=at, k=k, given=given)
            typer.echo(f"Wrote {write_frames(parts, out):,} answers to {out}.")
        else:
            answers = model.predict(asked, rows, at=at, k=k, given=given, **keys)
            typer.echo(f"Wrote {write_frames(iter([answers]), out):,} answers to {out}.")


@app.command()
def recommend(
    folder: Folder,
    key: Keys = None,
    k: Annotated[int, typer.Option(help="How many to recommend.", min=1)] = 10,
    rank_by: Annotated[
        list[str] | None, typer.Option(help="task=weight, as often as needed: --rank-by buy=1.")
    ] = None,
    at: At = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A key to leave out, as often as needed.")
    ] = None,
) -> None:
    """List the best of a catalogue for somebody, by what counts to you.

    Every candidate is scored. Several tasks are added up, each answer times its weight.

    Example: [bold]jointrec recommend runs/first --key user=u7 --rank-by buy=1[/bold]
    """
    from .terminal import print_frame

    weights = {
        name: number(name, only(name, given)) for name, given in pairs("--rank-by", rank_by).items()
    }
    model = _load(folder)
    keys: dict[str, Any] = {
        name: only(name, given) for name, given in keys_of(model.project.entity, key).items()
    }
    best = model.recommend(k=k, rank_by=weights or None, at=at, exclude=exclude or (), **keys)
    print_frame(best, title="The best")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where to write the shop, model and report.")] = Path(
        "runs/demo"
    ),
    seed: Annotated[int, typer.Option(help="Another shop for another seed.", min=0)] = 7,
) -> None:
    """Simulate a shop whose truth is known, and walk through the whole job with it.

    It takes a few minutes and needs nothing: no data, no network, no GPU.
    """
    from .demo import run

    run(out, seed=seed)


def main() -> None:
    """Runs the command line. Errors made on purpose are told without a traceback; exit code 2."""
    try:
        app(prog_name="jointrec")
    except JointRecError as error:
        stopped = error.exit_code != JointRecError.exit_code
        text = str(error) if stopped else f"Error: {error}"
        typer.secho(printable(text), fg="yellow" if stopped else "red", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        typer.secho(f"Error: {error.filename or 'disk'}: {error.strerror}.", fg="red", err=True)
        sys.exit(2)


def _readable(file: Path) -> None:
    """Tells what is wrong with the file of a project before anything heavy is imported."""
    from .declaration import text_of

    text_of(file)


def _load(folder: Path) -> Model:
    from .model import load

    return load(folder / "model" if (folder / "model").is_dir() else folder)


def _command(*words: object) -> str:
    """A command that can be pasted into a shell."""
    return shlex.join(["jointrec", *map(str, words)])
