"""The command line: one verb a command, thin over the Python verbs.

Nothing heavy is imported until a command runs, so that help comes at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import JointRecError

app = typer.Typer(
    name="jointrec",
    help=(
        "One model for every prediction an online shop makes.\n\n"
        "Begin with: [bold]jointrec demo[/bold], or with your own tables: "
        "[bold]jointrec init DIR[/bold] → [bold]check[/bold] → [bold]fit[/bold] → "
        "[bold]predict[/bold], [bold]recommend[/bold]."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)

File = Annotated[Path, typer.Argument(help="The project: a shop.toml.", show_default=False)]
Folder = Annotated[Path, typer.Argument(help="What fit wrote, or a bundle.", show_default=False)]
Root = Annotated[
    Path | None, typer.Option(help="The folder that relative sources are found in.")
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="entity=key, as often as needed: --key user=u7 --key item=i42."),
]
At = Annotated[
    str | None, typer.Option(help="The moment of the question. Default: just after the data end.")
]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder with CSV, JSON lines or Parquet files.")],
    out: Annotated[Path, typer.Option(help="Where to write the project.")] = Path("shop.toml"),
    force: Annotated[bool, typer.Option(help="Overwrite the file if it is there.")] = False,
) -> None:
    """Write a commented shop.toml from the tables in a folder, saying why for each choice."""
    from .durable import write_file
    from .init import propose

    if out.exists() and not force:
        raise JointRecError(f"{out}: the file is there already. Use --force to overwrite it.")
    write_file(out, propose(folder).encode())
    typer.echo(f"Wrote {out}. Read it, then: jointrec check {out} --root {folder}")


@app.command()
def check(file: File, root: Root = None) -> None:
    """Print the plan of a project in numbers, and every problem at once."""
    from .project import read
    from .prepare.check import check as check_project
    from .terminal import print_checked

    print_checked(check_project(read(file), root))
    typer.echo(f"\nNothing stands in the way. Next: jointrec fit {file} --out runs/first")


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
    resume: Annotated[bool, typer.Option(help="Go on where an interrupted run stopped.")] = False,
    seed: Annotated[int | None, typer.Option(help="Another seed than the file's.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Other epochs than the file's.")] = None,
    compare: Annotated[
        bool, typer.Option(help="Train alone and baselines too, to compare with.")
    ] = True,
) -> None:
    """Train one model on all tasks, compare it, and write it with its report."""
    from dataclasses import replace

    from .project import read
    from .model.fitting import Compare, with_test_from
    from .model.fitting import fit as fit_project
    from .terminal import print_report, terminal_watch

    project = read(file)
    if test_from is not None:
        project = with_test_from(project, test_from)
    changed = {"seed": seed, "epochs": epochs}
    budget = replace(project.budget, **{k: v for k, v in changed.items() if v is not None})
    project = replace(project, budget=budget)
    what = Compare() if compare else Compare(alone=False, baselines=())
    with terminal_watch(out) as watch:
        model = fit_project(
            project, root=root, out=out, resume=resume, compare=what, watch=watch
        )
    print_report(model.report)
    typer.echo(f"\nWrote {out}/model and {out}/report.json. Next, ask it:")
    for line in _next_steps(model, out):
        typer.echo(f"  {line}")


@app.command()
def evaluate(
    folder: Folder,
    root: Annotated[
        Path | None,
        typer.Option(help="A folder with the same tables of later months. Default: its own."),
    ] = None,
) -> None:
    """Measure a saved model: on its own test rows, or on the tables of another folder."""
    from .terminal import print_report

    print_report(_load(folder).evaluate(root))


@app.command()
def predict(
    folder: Folder,
    task: Annotated[str, typer.Argument(help="The task to answer.", show_default=False)],
    key: Keys = None,
    rows: Annotated[
        Path | None, typer.Option(help="A file of rows to answer instead of keys.")
    ] = None,
    at: At = None,
    k: Annotated[int, typer.Option(help="How many of a catalogue to list.")] = 10,
    out: Annotated[
        Path | None, typer.Option(help="Write the answers here: .csv or .parquet.")
    ] = None,
) -> None:
    """Answer a task: for keys, for a file of rows, or for every entity."""
    from .terminal import print_frame, write_frame

    answers = _load(folder).predict(task, rows, at=at, k=k, **_lists(key))
    if out is not None:
        write_frame(answers, out)
        typer.echo(f"Wrote {len(answers):,} answers to {out}.")
    else:
        print_frame(answers, title=task)


@app.command()
def recommend(
    folder: Folder,
    key: Keys = None,
    k: Annotated[int, typer.Option(help="How many to recommend.")] = 10,
    rank_by: Annotated[
        list[str] | None, typer.Option(help="task=weight, as often as needed: --rank-by buy=1.")
    ] = None,
    at: At = None,
) -> None:
    """List the best of a catalogue for somebody, by what counts to you."""
    from .terminal import print_frame

    keys = {name: found[-1] for name, found in _lists(key).items()}
    weights = {name: _number(name, found[-1]) for name, found in _lists(rank_by).items()}
    print_frame(_load(folder).recommend(k=k, rank_by=weights or None, at=at, **keys), title="best")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where to write the shop, model and report.")] = Path(
        "runs/demo"
    ),
    seed: Annotated[int, typer.Option(help="Another shop for another seed.")] = 7,
) -> None:
    """Simulate a shop whose truth is known, and walk through the whole job with it."""
    from .demo import run

    run(out, seed=seed)


def main() -> None:
    """Runs the command line. Errors made on purpose are printed without a traceback; exit code 2."""
    try:
        app()
    except JointRecError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.secho("Interrupted.", fg="yellow", err=True)
        sys.exit(130)


def _load(folder: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202  # its type is heavy to import
    from .model import load

    return load(folder / "model" if (folder / "model").is_dir() else folder)


def _lists(pairs: list[str] | None) -> dict[str, list[str]]:
    """``["user=u1", "user=u2"]`` as ``{"user": ["u1", "u2"]}``."""
    found: dict[str, list[str]] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise JointRecError(f"`{pair}`: write name=value, such as user=u7.")
        found.setdefault(name, []).append(value)
    return found


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise JointRecError(f"--rank-by {name}={text}: `{text}` is not a number.") from None


def _next_steps(model, out: Path) -> list[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Commands that work for this very model."""
    steps = []
    for grain in model.plan.grains:
        if len(grain.entities) == 1:
            steps.append(f"jointrec predict {out} {grain.tasks[0]} --out answers.csv")
            break
    for grain in model.plan.grains:
        if grain.asking == "row" and len(grain.entities) > 1:
            first = grain.entities[0]
            key = model.reader.tables.entities[first]["@key"][0]
            last = grain.tasks[-1]
            steps.append(f"jointrec recommend {out} --key {first}={key} --rank-by {last}=1")
            break
    return steps
