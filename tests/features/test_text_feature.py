from __future__ import annotations

import subprocess
import sys
import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.errors import ProjectError
from jointrec.features import Text
from jointrec.features.words import bucket

WIDE = Text(buckets=2**40)  # so wide that no two pieces of a test share a bucket


def bags(texts: list[str | None], feature: Text = WIDE) -> list[set[int]]:
    column = pl.Series(texts, dtype=pl.String)
    encoded = feature.encode(column, feature.learn(column))
    parts = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    return [set(encoded.values[a:b].tolist()) for a, b in parts]


def of(*pieces: str) -> set[int]:
    return {bucket(piece, WIDE.buckets) for piece in pieces}


def test_english_gives_words_and_their_ngrams() -> None:
    assert bags(["Red cap!"]) == [
        of("<red>", "<re", "red", "ed>", "<red", "red>")
        | of("<cap>", "<ca", "cap", "ap>", "<cap", "cap>")
    ]


def test_chinese_gives_characters_and_neighbours() -> None:
    assert bags(["手机壳"]) == [of("手", "机", "壳", "手机", "机壳")]
    assert bags(["茶"]) == [of("茶")]


def test_scripts_that_touch_are_told_apart() -> None:
    assert bags(["iPhone15手机"]) == bags(["手机 / iphone15"])
    assert bags(["カタカナー"]) == [of(*"カタナー", "カタ", "タカ", "カナ", "ナー")]


def test_marks_stay_with_their_letters() -> None:
    assert bags(["हिन्दी"], Text(buckets=2**40, ngrams=())) == [of("<हिन्दी>")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
        ("cafe\u0301", "CAFÉ"),
        ("red,blue", "Blue - RED red"),
        ("①", "1"),
    ],
)
def test_spellings_that_are_the_same(one, other) -> None:
    first, second = bags([one, other])
    assert first == second != set()


def test_what_holds_no_word_is_empty() -> None:
    assert bags([None, "", "  ", "!!! — …", "_"]) == [set()] * 5


def test_similar_words_share_pieces_and_others_do_not() -> None:
    shirt, shirts, phone = bags(["shirt", "shirts", "phone"])
    assert len(shirt & shirts) >= 5
    assert not shirt & phone


# Blocks in which every version of Unicode since 2001 says the same.
BLOCKS = [(0x20, 0x24F), (0x391, 0x3A1), (0x4E00, 0x9FA5), (0x3041, 0x3094), (0x30A1, 0x30FA)]
BLOCKS += [(0x905, 0x94D), (0xAC00, 0xD7A3), (0xFF01, 0xFF5E), (0x2010, 0x2027), (0x1F600, 0x1F610)]
LETTERS = st.one_of([st.characters(min_codepoint=a, max_codepoint=b) for a, b in BLOCKS])


@given(st.lists(st.text(LETTERS | st.sampled_from("ー々〇 "), max_size=30), max_size=8))
def test_is_that_of_a_plain_tokeniser(texts) -> None:
    feature = Text(buckets=101, ngrams=(2,))
    for text, found in zip(texts, bags(texts, feature), strict=True):
        assert found == {bucket(piece, 101) for piece in plain_pieces(text, 2)}


def plain_pieces(text: str, length: int) -> set[str]:
    """The slow and obvious way: one character after the other, by Unicode category."""
    pieces: set[str] = set()
    for run, unspaced in plain_runs(unicodedata.normalize("NFKC", text).lower()):
        marked = run if unspaced else f"<{run}>"
        if unspaced:
            pieces |= set(run)
        else:
            pieces.add(marked)
        pieces |= {marked[i : i + length] for i in range(len(marked) - length + 1)}
    return pieces


def plain_runs(text: str) -> list[tuple[str, bool]]:
    runs: list[tuple[str, bool]] = []
    last = None
    for character in text:
        kind = plain_kind(character)
        if kind is not None and kind == last:
            runs[-1] = (runs[-1][0] + character, kind)
        elif kind is not None:
            runs.append((character, kind))
        last = kind
    return runs


def plain_kind(character: str) -> bool | None:
    """True in a script without spaces, False in another word, None in no word."""
    name = unicodedata.name(character, "")
    if name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH")) or character in "ー々〇":
        return True
    if name.startswith(("HIRAGANA LETTER", "KATAKANA LETTER")):
        return True
    return False if unicodedata.category(character)[0] in "LNM" else None


def test_hashes_are_the_same_on_every_machine() -> None:
    assert bucket("<red>", 2**15) == 17049
    assert bucket("手机", 2**15) == 9694
    code = "from jointrec.features.words import bucket; print(bucket('<red>', 2**15))"
    outs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    ]
    assert outs == [b"17049\n"] * 2


def test_buckets_are_used_evenly_and_none_is_zero() -> None:
    counts = np.bincount([bucket(f"piece {i}", 65) for i in range(64_000)], minlength=65)
    assert counts[0] == 0
    # A fair draw leaves this band once in 10^9 tries: 64 buckets, deviation 31.4.
    assert (np.abs(counts[1:] - 1000) < 6.5 * 31.4).all()


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    long, longer = bags(["a " * 5_000, "a " * 5_000 + "b"])
    assert long == longer == of("<a>")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Text(buckets=1), "`buckets` should be at least 2. Found `1`."),
        (lambda: Text(ngrams=(0, 3)), "`ngrams` should be lengths of at least 1. Found `[0, 3]`."),
    ],
)
def test_settings_that_cannot_be(make, says) -> None:
    with pytest.raises(ProjectError) as caught:
        make()
    assert str(caught.value) == says
