"""What a path may lead to that is no file, files that change, and names that nobody expects."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hostile_case import Case, Write

TABLE = b"id,x\na,1\n"
ONE = [("a", 1.0)]
NO_FILE = "is a pipe, a socket or a device"
CHANGED = "was changed while it was read"


def place(name: str, make: Callable[[Path], object], error: str, source: str = "t.csv") -> Case:
    """Something at the place of a source."""

    def write(folder: Path) -> None:
        make(folder / "t.csv" if source == "t.csv" else folder / source)

    return Case(name, write, source=source, error=error)


def linked(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def circle(path: Path) -> None:
    path.symlink_to(path.with_name("u.csv"))
    path.with_name("u.csv").symlink_to(path)


def plugged(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(here)


def named(name: str, *files: str, source: str, **expected: object) -> Case:
    """Files of one row each, all the same."""

    def write(folder: Path) -> None:
        for file in files:
            (folder / file).parent.mkdir(exist_ok=True, parents=True)
            (folder / file).write_bytes(TABLE)

    many = len(files) if "*" in source else 1
    told = expected if "error" in expected else {"rows": ONE * many, **expected}
    return Case(name, write, source=source, **told)


LONG = b"id,x\n" + b"a,1\n" * 1_000


def changing(name: str, meanwhile: Write, source: str = "t.csv") -> Case:
    """A file that is not the same at the end as at the beginning."""

    def write(folder: Path) -> None:
        if source.endswith("parquet"):
            pq.write_table(pa.table({"id": ["a"], "x": [1.0]}), folder / source)
        elif source.endswith("jsonl"):
            (folder / source).write_bytes(b'{"id": "a", "x": 1}\n')
        else:
            (folder / "t.csv").write_bytes(LONG)

    return Case(name, write, source=source, meanwhile=meanwhile, error=CHANGED)


def append(data: bytes, file: str = "t.csv") -> Write:
    def write(folder: Path) -> None:
        with (folder / file).open("ab") as opened:
            opened.write(data)

    return write


def replace(data: bytes, file: str = "t.csv") -> Write:
    def write(folder: Path) -> None:
        (folder / "new").write_bytes(data)
        os.replace(folder / "new", folder / file)

    return write


def by_a_pipe(folder: Path) -> None:
    (folder / "t.csv").unlink()
    os.mkfifo(folder / "t.csv")


def by_a_folder(folder: Path) -> None:
    (folder / "t.csv").unlink()
    (folder / "t.csv").mkdir()


def by_a_link(folder: Path) -> None:
    (folder / "real").write_bytes(TABLE)
    (folder / "t.csv").symlink_to("real")


def by_no_character(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff.csv")).write_bytes(TABLE)


KINDS: dict[str, list[Case]] = {
    "no plain file": [
        place("a folder", Path.mkdir, "is a folder. Name the files in it"),
        place("a pipe", os.mkfifo, NO_FILE),
        place("a socket", plugged, NO_FILE),
        place("a device without end", linked("/dev/zero"), NO_FILE),
        place("a device that is random", linked("/dev/urandom"), NO_FILE),
        place("a link that leads nowhere", linked("nowhere.csv"), "where there is no file"),
        place("links in a circle", circle, "Too many levels of symbolic links"),
        place("a file that the system makes up", linked("/proc/self/status"), "is empty"),
        place("a pipe named parquet", os.mkfifo, NO_FILE, "t.parquet"),
        place("a pipe named jsonl", os.mkfifo, NO_FILE, "t.jsonl"),
    ],
    "names and globs": [
        named("blanks", "my users 1.csv", source="my users 1.csv"),
        named("Unicode", "商品 é.csv", source="商品 é.csv"),
        named("a line end", "a\nb.csv", source="a\nb.csv"),
        named("letters of a glob", "[x]*.csv", source="[x]*.csv", rows=ONE),
        named("capital ending", "T.CSV", source="T.CSV"),
        named("no match", "t.csv", source="none-*.csv", error="no file matches `none-*.csv`"),
        named("a near name", "users.csv", source="user.csv", error="Did you mean `users.csv`?"),
        named("several files", "a/1.csv", "b/2.csv", source="*/*.csv"),
        Case("a link to a plain file", by_a_link, rows=ONE),
        Case("bytes that are no character", by_no_character, source="*.csv", rows=ONE),
    ],
    "files that change": [
        changing("grows", append(b"b,2\n")),
        changing("grows by half a row", append(b"b")),
        changing("is replaced", replace(b"id,x\n" + b"b,2\n" * 1_000)),
        changing("is replaced by another kind", replace(b"\x1f\x8b\x08")),
        changing("shrinks", lambda folder: os.truncate(folder / "t.csv", 100)),
        changing("vanishes", lambda folder: (folder / "t.csv").unlink()),
        changing("becomes a pipe", by_a_pipe),
        changing("becomes a folder", by_a_folder),
        changing("json grows", append(b'{"id": "b", "x": 2}\n', "t.jsonl"), "t.jsonl"),
        changing("parquet is replaced", replace(b"PAR1", "t.parquet"), "t.parquet"),
    ],
}  # fmt: skip
