"""Every damage to a folder is noticed and told by name, and nothing foreign is ever lost."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec import durable
from jointrec.errors import BundleError

DATA = bytes(range(256)) * 2


def fill(folder: Path) -> None:
    durable.write_file(folder / "weights.bin", DATA)
    (folder / "deep").mkdir()
    durable.write_file(folder / "deep" / "part.json", b"{}")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    durable.write_folder(tmp_path / "shop.joint", fill)
    return tmp_path / "shop.joint"


def test_the_manifest_lists_every_file_with_size_and_sum(bundle: Path) -> None:
    assert durable.verify_folder(bundle) == {
        "format": 1,
        "files": [
            {"path": "deep/part.json", "size": 2, "sha256": hashlib.sha256(b"{}").hexdigest()},
            {"path": "weights.bin", "size": 512, "sha256": hashlib.sha256(DATA).hexdigest()},
        ],
    }


def test_equal_content_has_an_equal_name_wherever_it_lies(bundle: Path, tmp_path: Path) -> None:
    name = durable.write_folder(tmp_path / "elsewhere", fill)
    text = (bundle / "manifest.json").read_bytes()
    assert name == durable.content_hash(bundle) == hashlib.sha256(text).hexdigest()[:16]
    other = durable.write_folder(tmp_path / "other", lambda f: durable.write_file(f / "w", b"1"))
    assert other != name


def test_only_the_owner_can_read_what_was_written(bundle: Path) -> None:
    assert bundle.stat().st_mode & 0o777 == 0o700
    assert (bundle / "weights.bin").stat().st_mode & 0o777 == 0o600


def test_every_flipped_bit_is_noticed(bundle: Path) -> None:
    path = bundle / "weights.bin"
    for bit in range(0, len(DATA) * 8, 7):
        damaged = bytearray(DATA)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(BundleError, match=r"weights\.bin: is damaged: its SHA-256"):
            durable.verify_folder(bundle)
    path.write_bytes(DATA)
    durable.verify_folder(bundle)


def test_every_length_but_the_right_one_is_noticed(bundle: Path) -> None:
    for length in range(len(DATA)):
        (bundle / "weights.bin").write_bytes(DATA[:length])
        with pytest.raises(BundleError, match=rf"has {length} bytes instead of 512"):
            durable.verify_folder(bundle)


def test_every_flipped_bit_of_the_manifest_is_noticed_or_renames_the_content(bundle: Path) -> None:
    path, name = bundle / "manifest.json", durable.content_hash(bundle)
    whole = path.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 + at % 255
        path.write_bytes(damaged)
        assert durable.content_hash(bundle) != name
        try:  # only white space may change without the files being missed
            durable.verify_folder(bundle)
        except BundleError:
            continue
        assert whole[at : at + 1].isspace()


def _link(bundle: Path) -> None:
    (bundle / "weights.bin").rename(bundle.parent / "kept")
    (bundle / "weights.bin").symlink_to(bundle.parent / "kept")


def _pipe(bundle: Path) -> None:
    (bundle / "deep" / "part.json").unlink()
    os.mkfifo(bundle / "deep" / "part.json")


def _swap(bundle: Path) -> None:
    (bundle / "weights.bin").rename(bundle / "kept")
    (bundle / "deep" / "part.json").rename(bundle / "weights.bin")
    (bundle / "kept").rename(bundle / "deep" / "part.json")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda b: (b / "weights.bin").unlink(), "weights.bin: is missing"),
        (lambda b: (b / "new.txt").write_text("x"), "new.txt: is not part of the bundle"),
        (lambda b: (b / "deep" / "x").write_text("x"), "deep/x: is not part of the bundle"),
        (lambda b: (b / "empty").mkdir(), "empty: is not part of the bundle"),
        (lambda b: (b / ".hidden").write_text(""), ".hidden: is not part of the bundle"),
        (_link, "weights.bin: is a link or no plain file"),
        (_pipe, "deep/part.json: is a link or no plain file"),
        (_swap, "weights.bin: has 2 bytes instead of 512"),
        (lambda b: (b / "manifest.json").unlink(), "its `manifest.json` cannot be read"),
        (lambda b: (b / "manifest.json").write_bytes(b"\xff"), "is damaged: it is not JSON"),
        (lambda b: (b / "manifest.json").write_text("[" * 200_000), "it is not JSON"),
        (lambda b: (b / "manifest.json").write_bytes(b" " * (1 << 20) + b"{}"), "is larger than"),
    ],
)
def test_each_damage_is_told_by_name(
    bundle: Path, damage: Callable[[Path], object], told: str
) -> None:
    durable.verify_folder(bundle)
    damage(bundle)
    with pytest.raises(BundleError) as caught:
        durable.verify_folder(bundle)
    assert told in str(caught.value)


def test_all_damages_are_told_at_once(bundle: Path) -> None:
    (bundle / "weights.bin").unlink()
    (bundle / "added").write_text("x")
    with pytest.raises(BundleError, match=r"2 problems\.(?s:.*)added(?s:.*)weights\.bin"):
        durable.verify_folder(bundle)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is not a saved model: .* cannot be read"):
        durable.verify_folder(tmp_path / "nothing")


ENTRY = {"path": "a", "size": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    "name",
    ["../a", "/a", "a/../b", "./a", "a//b", "a/", "", ".", "..", "a\\b", "c:a", "a\0b", "a\nb",
     "\ud800", "manifest.json", 7, None],
)  # fmt: skip
def test_a_name_that_could_leave_the_folder_is_refused(bundle: Path, name: object) -> None:
    manifest = {"format": 1, "files": [ENTRY | {"path": name}]}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="each file needs a relative `path`"):
        durable.verify_folder(bundle)


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ([], "must hold `format` and `files`"),
        ({"format": 1, "files": [], "more": 1}, "must hold `format` and `files`"),
        ({"format": 2, "files": []}, "is of format 2; this version reads format 1"),
        ({"format": True, "files": []}, "is of format True"),
        ({"format": 1, "files": {}}, "each file needs"),
        ({"format": 1, "files": [ENTRY | {"size": -1}]}, "each file needs"),
        ({"format": 1, "files": [ENTRY | {"size": 1.0}]}, "each file needs"),
        ({"format": 1, "files": [ENTRY | {"sha256": "Z" * 64}]}, "each file needs"),
        ({"format": 1, "files": [ENTRY, ENTRY]}, "repeated or out of order"),
        ({"format": 1, "files": [ENTRY | {"path": "b"}, ENTRY]}, "repeated or out of order"),
    ],
)
def test_a_malformed_manifest_is_refused(bundle: Path, manifest: Any, told: str) -> None:
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=told):
        durable.verify_folder(bundle)


# --- what is refused when writing ----------------------------------------------------------------


def test_what_fill_raises_leaves_no_trace(bundle: Path) -> None:
    def broken(folder: Path) -> None:
        (folder / "a").write_text("x")
        raise KeyboardInterrupt

    before = durable.content_hash(bundle)
    with pytest.raises(KeyboardInterrupt):
        durable.write_folder(bundle, broken)
    assert os.listdir(bundle.parent) == ["shop.joint"]
    assert durable.content_hash(bundle) == before


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda f: (f / "l").symlink_to("/"), "l: is a link or no plain file"),
        (lambda f: os.mkfifo(f / "p"), "p: is a link or no plain file"),
        (lambda f: (f / "manifest.json").touch(), "is written by the bundle itself"),
        (lambda f: (f / "a\\b").touch(), "each file needs a relative `path`"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(
    tmp_path: Path, broken: Callable[[Path], None], told: str
) -> None:
    with pytest.raises(BundleError) as caught:
        durable.write_folder(tmp_path / "m", broken)
    assert told in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_an_empty_folder_may_be_taken_and_a_bundle_replaced(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    durable.write_folder(tmp_path / "m", fill)
    durable.write_folder(tmp_path / "m", lambda folder: None)
    assert durable.verify_folder(tmp_path / "m")["files"] == []
    durable.write_folder(tmp_path / "m", fill)
    with pytest.raises(BundleError, match="exists already"):
        durable.write_folder(tmp_path / "m", fill, replace=False)


def test_what_no_bundle_wrote_is_never_replaced(bundle: Path, tmp_path: Path) -> None:
    (bundle / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"holds `notes\.txt`, which no bundle wrote"):
        durable.write_folder(bundle, fill)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis").write_text("mine")
    with pytest.raises(BundleError, match="holds `thesis`"):
        durable.write_folder(tmp_path / "home", fill)
    with pytest.raises(BundleError, match="is a file, so no folder can be put there"):
        durable.write_folder(tmp_path / "home" / "thesis", fill)
    (bundle / "notes.txt").rename(tmp_path / "notes.txt")
    (bundle / "manifest.json").write_text("{}")
    with pytest.raises(BundleError, match=r"is damaged: .* It is not replaced: move or remove it"):
        durable.write_folder(bundle, fill)
    assert (
        (tmp_path / "notes.txt").read_text() == (tmp_path / "home" / "thesis").read_text() == "mine"
    )


def test_a_damaged_bundle_may_be_replaced(bundle: Path) -> None:
    (bundle / "weights.bin").write_bytes(b"")
    durable.write_folder(bundle, fill)
    durable.verify_folder(bundle)


def test_a_link_to_a_folder_stays_a_link(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "current"
    link.symlink_to(bundle)
    name = durable.write_folder(link, lambda f: durable.write_file(f / "w", b"1"))
    assert link.is_symlink()
    assert durable.content_hash(bundle) == durable.content_hash(link) == name
    assert os.listdir(tmp_path / "links") == ["current"]


@given(data=st.binary(max_size=200))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("file") / "f"
    durable.write_file(path, data)
    durable.write_file(path, data)
    assert path.read_bytes() == data
