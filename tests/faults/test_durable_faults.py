"""A fault at every call that touches the disk: a reader sees the old or the new, never half."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jointrec import durable
from jointrec.durable import recovery, writing
from jointrec.errors import BundleError

Content = dict[str, bytes]
CALLS = ("open", "write", "fsync", "rename", "replace", "unlink", "rmdir", "mkdir")
OLD: Content = {"a": b"old a", "deep/b": b"old b", "only_old": b"x"}
NEW: Content = {"a": b"new a, which is longer", "deep/b": b"new b", "only_new": b"y"}


class Crash(BaseException):
    """The process dies: after it, no call reaches the disk."""


class Faults:
    """Counts the calls that touch the disk and lets one of them fail.

    :param at: Which call fails, from 0. None: none does, and all are counted.
    :param dies: Whether the process dies there, or the call only fails once.
    """

    def __init__(self, at: int | None, *, dies: bool) -> None:
        self.at, self.dies = at, dies
        self.count = 0
        self.trace: list[tuple[str, str]] = []
        self._names: dict[int, str] = {}
        self._real = {name: getattr(os, name) for name in CALLS}

    @contextmanager
    def injected(self) -> Iterator[None]:
        for name in CALLS:
            setattr(os, name, self._wrapped(name))
        try:
            yield
        finally:
            for name, real in self._real.items():
                setattr(os, name, real)

    def _wrapped(self, name: str) -> Callable[..., object]:
        def call(*args: object, **named: object) -> object:
            turn, self.count = self.count, self.count + 1
            if self.at is not None and (turn == self.at or (self.dies and turn > self.at)):
                if name == "write" and turn == self.at:  # half of it reaches the disk
                    self._real["write"](args[0], args[1][: len(args[1]) // 2])  # type: ignore
                if self.dies:
                    raise Crash
                raise OSError(errno.EIO, "the disk refuses")
            result = self._real[name](*args, **named)
            self._note(name, args, result)
            return result

        return call

    def _note(self, name: str, args: tuple[object, ...], result: object) -> None:
        if name == "open":
            self._names[result] = str(args[0])  # type: ignore[index]
        what = self._names.get(args[0], "?") if name in ("write", "fsync") else str(args[-1])  # type: ignore
        self.trace.append((name, what))


def filler(content: Content) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        for name, data in content.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)

    return fill


def safe_write(path: Path, content: Content) -> None:
    durable.write_folder(path, filler(content))


def safe_read(path: Path) -> Content | None:
    durable.recover(path)
    if not path.exists():
        return None
    manifest = durable.verify_folder(path)
    return {file["path"]: (path / file["path"]).read_bytes() for file in manifest["files"]}


def naive_write(path: Path, content: Content) -> None:
    """Writes over what is there, file by file."""
    os.makedirs(path / "deep", exist_ok=True)
    for name, data in content.items():
        handle = os.open(path / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(handle, data)
        os.close(handle)
    for name in OLD.keys() - content.keys():
        with suppress(FileNotFoundError):
            os.unlink(path / name)


def naive_read(path: Path) -> Content | None:
    if not path.exists():
        return None
    files = [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def violations(
    root: Path,
    write: Callable[[Path, Content], None],
    read: Callable[[Path], Content | None],
    *,
    before: Content | None,
    dies: bool,
) -> tuple[int, list[int]]:
    """How many faults were tried, and after which of them a reader saw neither old nor new."""
    clean = Faults(None, dies=dies)
    _start(root / "count", write, before)
    with clean.injected():
        write(root / "count" / "m", NEW)
    broken = []
    for at in range(clean.count):
        folder = root / str(at)
        _start(folder, write, before)
        raised = False
        with Faults(at, dies=dies).injected():
            try:
                write(folder / "m", NEW)
            except (Crash, OSError, BundleError):
                raised = True
        seen = read(folder / "m")
        if seen not in (before, NEW) or (not raised and seen != NEW):
            broken.append(at)
        elif write is safe_write:
            assert os.listdir(folder) == ([] if seen is None else ["m"]), f"left behind after {at}"
    return clean.count, broken


def _start(folder: Path, write: Callable[[Path, Content], None], before: Content | None) -> None:
    folder.mkdir()
    if before is not None:
        write(folder / "m", before)


@pytest.mark.parametrize("dies", [True, False], ids=["crash", "error"])
@pytest.mark.parametrize("before", [None, OLD], ids=["first", "replace"])
def test_a_fault_at_any_call_leaves_the_old_or_the_new_folder(
    tmp_path: Path, before: Content | None, dies: bool
) -> None:
    tried, broken = violations(tmp_path, safe_write, safe_read, before=before, dies=dies)
    assert tried > 20
    assert broken == []


@pytest.mark.parametrize("dies", [True, False], ids=["crash", "error"])
def test_the_same_harness_catches_a_writer_that_writes_in_place(tmp_path: Path, dies: bool) -> None:
    _, broken = violations(tmp_path, naive_write, naive_read, before=OLD, dies=dies)
    assert len(broken) >= 4


def test_the_same_harness_catches_a_reader_that_does_not_recover(tmp_path: Path) -> None:
    """The instant between the two renames exists, and recovery is what closes it."""
    _, broken = violations(
        tmp_path, lambda p, c: durable.write_folder(p, filler(c)) and None, _read_without_recovery,
        before=OLD, dies=True,
    )  # fmt: skip
    assert len(broken) == 1


def _read_without_recovery(path: Path) -> Content | None:
    content = naive_read(path)
    return content and {name: data for name, data in content.items() if name != "manifest.json"}


@pytest.mark.parametrize("dies", [True, False], ids=["crash", "error"])
def test_recovery_may_itself_be_interrupted_anywhere(tmp_path: Path, dies: bool) -> None:
    def crashed(folder: Path) -> None:
        """The old folder aside and nothing in its place, as between the two renames."""
        folder.mkdir()
        safe_write(folder / "m", OLD)
        os.rename(folder / "m", recovery.aside(folder / "m"))
        os.makedirs(folder / ".m.jointrec-new-0" / "new")

    crashed(tmp_path / "count")
    clean = Faults(None, dies=dies)
    with clean.injected():
        durable.recover(tmp_path / "count" / "m")
    assert clean.count > 5
    for at in range(clean.count):
        folder = tmp_path / str(at)
        crashed(folder)
        with Faults(at, dies=dies).injected(), suppress(Crash, OSError):
            durable.recover(folder / "m")
        assert safe_read(folder / "m") == OLD
        assert os.listdir(folder) == ["m"]


def write_in_pieces(path: Path, data: bytes) -> None:
    with durable.new_file(path) as part, part.open("wb") as file:
        file.write(data[:3])
        file.flush()
        file.write(data[3:])


@pytest.mark.parametrize("write", [durable.write_file, write_in_pieces])
@pytest.mark.parametrize("dies", [True, False], ids=["crash", "error"])
@pytest.mark.parametrize("before", [None, b"old"], ids=["first", "replace"])
def test_a_fault_at_any_call_leaves_the_old_or_the_new_file(
    tmp_path: Path, before: bytes | None, dies: bool, write: Callable[[Path, bytes], None]
) -> None:
    clean = Faults(None, dies=dies)
    with clean.injected():
        write(tmp_path / "count", b"new content")
    assert clean.count >= 7
    for at in range(clean.count):
        path = tmp_path / str(at) / "f"
        path.parent.mkdir()
        if before is not None:
            durable.write_file(path, before)
        with Faults(at, dies=dies).injected(), suppress(Crash, OSError):
            write(path, b"new content")
        assert (path.read_bytes() if path.exists() else None) in (before, b"new content")
        write(path, b"after")  # what a dead writer left is no obstacle
        assert path.read_bytes() == b"after"
        assert os.listdir(path.parent) == ["f"]


def test_what_is_raised_while_pieces_are_written_leaves_the_old_file(tmp_path: Path) -> None:
    durable.write_file(tmp_path / "f", b"old")
    with pytest.raises(ValueError, match="half"), durable.new_file(tmp_path / "f") as part:
        part.write_bytes(b"new, but")
        raise ValueError("half")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


# --- power loss: what is not synced in the right order may be gone -------------------------------


def _order_problems(trace: list[tuple[str, str]], target: Path) -> list[str]:
    """What a power cut could undo, read off the calls of one write."""
    moves = [i for i, call in enumerate(trace) if call == ("rename", str(target))]
    if len(moves) != 1:
        return ["the new folder is not renamed into place exactly once"]
    synced = [what for name, what in trace[: moves[0]] if name == "fsync"]
    inside = [what.partition("/new/")[2] for what in synced if "/new/" in what]
    problems = [f"{name} is not synced before" for name in [*NEW, "deep"] if name not in inside]
    if inside[-1:] != ["manifest.json"]:
        problems.append("the manifest is not the last to be synced")
    if not synced or not synced[-1].endswith("/new"):
        problems.append("the new folder's names are not synced")
    after = trace[moves[0] + 1 :]
    parent = [i for i, call in enumerate(after) if call == ("fsync", str(target.parent))]
    gone = [i for i, (name, _) in enumerate(after) if name in ("unlink", "rmdir")]
    if not parent or (gone and gone[0] < parent[0]):
        problems.append("the old folder is deleted before the parent is synced")
    return problems


def _trace(path: Path) -> list[tuple[str, str]]:
    safe_write(path, OLD)
    faults = Faults(None, dies=False)
    with faults.injected():
        safe_write(path, NEW)
    return faults.trace


def test_everything_is_synced_in_the_right_order(tmp_path: Path) -> None:
    target = tmp_path.resolve() / "m"
    assert _order_problems(_trace(target), target) == []


@pytest.mark.parametrize("skipped", ["a", "deep", "deep/b", "new", "parent"])
def test_each_sync_that_is_left_out_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skipped: str
) -> None:
    target = tmp_path.resolve() / "m"
    ending = str(target.parent) if skipped == "parent" else f"/{skipped}"
    real = recovery.sync

    def forgetful(path: Path) -> None:
        if not str(path).endswith(ending):
            real(path)

    monkeypatch.setattr(writing, "sync", forgetful)
    assert _order_problems(_trace(target), target) != []


# --- real death, and readers beside a writer -----------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from jointrec import durable
root = Path(sys.argv[1])
def put(text):
    def fill(folder):
        durable.write_file(folder / "a", text * 10)
        (folder / "b").write_bytes(text * 20)
    return fill
def dying(at):
    turn = [0]
    def wrap(real):
        def call(*args, **named):
            if turn[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
            turn[0] += 1
            return real(*args, **named)
        return call
    for name in ("open", "write", "fsync", "rename", "replace", "unlink", "rmdir", "mkdir"):
        setattr(os, name, wrap(getattr(os, name)))
allowed = {durable.write_folder(root / name, put(name.encode())): name for name in ("old", "new")}
durable.write_folder(root / "m", put(b"old"))
seen, at = set(), 0
while True:
    child = os.fork()
    if child == 0:
        dying(at)
        durable.write_folder(root / "m", put(b"new"))
        os._exit(0)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    durable.verify_folder(root / "m")
    seen.add(allowed[durable.content_hash(root / "m")])
    assert sorted(os.listdir(root)) == ["m", "new", "old"], os.listdir(root)
    if not killed:
        break
    durable.write_folder(root / "m", put(b"old"))
    at += 1
assert seen == {"old", "new"}, seen
print(at)
"""


def test_a_process_killed_at_any_call_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    source = Path(durable.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30


def test_a_reader_beside_a_writer_sees_complete_folders_only(tmp_path: Path) -> None:
    path = tmp_path / "m"
    contents = [{"a": b"1" * 1000, "b": b"1"}, {"a": b"2" * 1000, "c": b"2"}]
    names = {durable.write_folder(path, filler(content)) for content in contents}
    stop, errors = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            try:
                durable.verify_folder(path)
                assert durable.content_hash(path) in names
            except BaseException as error:
                errors.append(repr(error))
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(100):
        durable.write_folder(path, filler(contents[turn % 2]))
    stop.set()
    for reader in readers:
        reader.join()
    assert errors == []


def test_a_reader_leaves_the_work_of_a_living_writer_alone(tmp_path: Path) -> None:
    path = tmp_path / "m"
    safe_write(path, OLD)

    def fill(folder: Path) -> None:
        (folder / "a").write_bytes(b"slow")
        durable.recover(path)  # as a reader in another process would do
        assert safe_read(path) == OLD

    durable.write_folder(path, fill)
    assert safe_read(path) == {"a": b"slow"}
