"""42 kinds of hostile input, ten of each: the rows that are meant, or a refusal that helps.

None ends in a traceback, in waiting, in a wrong value or in a lost row. `make test` runs two of
each kind, `make slow` all of them, and all of them through the command line as well.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hostile_encodings
import hostile_json
import hostile_keys
import hostile_layout
import hostile_parquet
import hostile_places
import hostile_times
import hostile_values
import pytest
from hostile_case import Case, project, same

from jointrec import cli, sources
from jointrec.errors import JointRecError, SourceError
from jointrec.prepare import load
from jointrec.sources import csv_file, json_lines, parquet_size
from jointrec.sources import parquet as parquet_file

SECONDS = 30
GROUPS = (
    hostile_encodings, hostile_layout, hostile_values, hostile_times, hostile_keys, hostile_json,
    hostile_parquet, hostile_places,
)  # fmt: skip
KINDS: dict[str, list[Case]] = {
    kind: cases for group in GROUPS for kind, cases in group.KINDS.items()
}
HEAVY = ("cells of 10 MB", "10,000 columns")
EVERY = [(kind, case) for kind, cases in KINDS.items() for case in cases]


def chosen(each: int) -> list[Any]:
    """Some cases of each kind, spread over it; heavy kinds give their cheapest."""
    found = []
    for kind, cases in KINDS.items():
        places = [1, 7] if kind in HEAVY else [round(n * 9 / (each - 1)) for n in range(each)]
        found += [(kind, cases[place]) for place in dict.fromkeys(places[:each])]
    return [pytest.param(case, id=f"{kind}: {case.name}") for kind, case in found]


def every() -> list[Any]:
    return [pytest.param(case, id=f"{kind}: {case.name}") for kind, case in EVERY]


def test_there_are_ten_of_each_of_42_kinds() -> None:
    assert len(KINDS) == 42
    assert {kind: len(cases) for kind, cases in KINDS.items() if len(cases) != 10} == {}
    for kind, cases in KINDS.items():
        assert len({case.name for case in cases}) == 10, kind
        for case in cases:
            assert (case.rows is None) != (case.error is None), (kind, case.name)


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bombs of 64 MiB, so that many can be tried; one of full size is in test_memory.py."""
    monkeypatch.setattr(parquet_size, "LEAST_CAP", 1 << 26)
    monkeypatch.setattr(parquet_size, "_PIECE", 1 << 24)


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Ends whatever hangs: by an exception, and where no Python runs any more, by the process."""

    def late(*_: Any) -> None:
        raise TimeoutError(f"not done within {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(2 * SECONDS, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def interfere(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Does to the files of a case what it says, between the first look at them and the last."""

    def start(case: Case, folder: Path) -> None:
        if case.meanwhile is None:
            return
        for module, name in (
            (csv_file, "check_text"), (json_lines, "check_text"), (parquet_file, "declared_size"),
        ):  # fmt: skip
            real = getattr(module, name)

            def after(*given: Any, real: Any = real, **named: Any) -> Any:
                got = real(*given, **named)
                with contextlib.suppress(OSError):
                    case.meanwhile(folder)  # type: ignore[misc]
                return got

            monkeypatch.setattr(module, name, after)

    return start


def check_read(case: Case, folder: Path) -> None:
    """What must be read is read, or refused in the words that are meant."""
    with in_time():
        if case.error is not None:
            with pytest.raises(SourceError) as caught:
                sources.read(case.source, root=folder, columns=case.cells, at="x", zone=case.zone)
            assert case.error in str(caught.value)
            assert str(caught.value).startswith("x: ")
            return
        got = sources.read(case.source, root=folder, columns=case.cells, at="x", zone=case.zone)
    assert got.table.num_rows == len(case.rows_read())
    assert got.aside.num_rows == case.aside
    read = list(zip(*got.table.to_pydict().values(), strict=True))
    for row, wanted in zip(read, case.rows_read(), strict=True):
        assert len(row) == len(wanted)
        assert all(map(same, row, wanted)), (row[1:], wanted[1:])
    assert tuple(sorted(found.code for found in got.findings)) == case.found


VISITS = "user,at,paid\n" + "".join(f"u{n % 3},2024-01-{n + 1:02},{n}\n" for n in range(30))
USERS = "id,x\nu0,1\nu1,2\nu2,3\n"


def surroundings(case: Case, folder: Path) -> str:
    """The rest of the shop, beside the files of the case."""
    (folder / "rest").mkdir()
    (folder / "rest" / "visits.tsv").write_text(VISITS)
    (folder / "users.csv").write_text(USERS) if case.table == "visit" else None
    return "rest/visits.tsv"


def check_load(case: Case, folder: Path) -> None:
    """Rows in = rows used + rows set aside, or the same refusal."""
    shop = project(case, folder, surroundings(case, folder))
    told = case.error or case.unusable
    with in_time():
        if told is not None:
            with pytest.raises(JointRecError) as caught:
                load(shop, folder)
            assert told in str(caught.value)
            return
        tables = load(shop, folder)
    frames = tables.entities if case.table == "user" else tables.events
    aside = len(tables.quarantine.get(case.table, ()))
    assert len(frames[case.table]) == case.rows_used()
    assert tables.rows_in[case.table] == case.rows_used() + aside
    assert tables.rows_in[case.table] == len(case.rows_read()) + case.aside
    assert set(case.found) <= {found.code for found in tables.findings}


def check_command(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``jointrec check`` says the same, and never how Python came to it."""
    shop = project(case, folder, surroundings(case, folder))
    (folder / "shop.toml").write_text(shop.to_toml(), encoding="utf-8")
    words = ["jointrec", "check", str(folder / "shop.toml"), "--root", str(folder)]
    monkeypatch.setattr(sys, "argv", words)
    out, err, code = io.StringIO(), io.StringIO(), None
    with in_time(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as stopped:
            code = stopped.code
    told = err.getvalue()
    assert "Traceback" not in told + out.getvalue()
    assert "\x1b" not in told + out.getvalue()
    if case.error or case.unusable:
        assert code == 2
        assert told.startswith("Error: ")
    else:
        # A shop as small as this may still have nothing to learn, and then it is told.
        assert code in (0, None) or (code == 2 and told.startswith("Error: "))
        assert code in (0, None) or "was read" not in told


@pytest.mark.parametrize("case", chosen(2))
def test_some_are_read_or_refused(case: Case, tmp_path: Path, interfere: Any) -> None:
    case.write(tmp_path)
    interfere(case, tmp_path)
    check_read(case, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", every())
def test_all_are_read_or_refused(case: Case, tmp_path: Path, interfere: Any) -> None:
    case.write(tmp_path)
    interfere(case, tmp_path)
    check_read(case, tmp_path)


@pytest.mark.parametrize("case", [case for case in chosen(2) if "10" not in str(case.id)][::4])
def test_some_lose_no_row_on_the_way_to_training(
    case: Case, tmp_path: Path, interfere: Any
) -> None:
    case.write(tmp_path)
    interfere(case, tmp_path)
    check_load(case, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", every())
def test_all_lose_no_row_on_the_way_to_training(
    case: Case, tmp_path: Path, interfere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.write(tmp_path)
    interfere(case, tmp_path)
    check_load(case, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", every())
def test_all_are_told_by_the_command_line(
    case: Case, tmp_path: Path, interfere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.write(tmp_path)
    interfere(case, tmp_path)
    check_command(case, tmp_path, monkeypatch)
