"""How well two texts match, against a slow reading of the same definitions, word by word."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quick import small_grains_seldom

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.features.words import joined_words, words_of
from jointrec.plan import plan, texts_beside
from jointrec.prepare import Preparation, Rows, build_reader, prepare
from jointrec.prepare.loading import load
from jointrec.prepare.matching import MOST_WORDS, Side, match, names_of
from jointrec.prepare.prepare import context_of
from jointrec.prepare.rarity import Rarity
from jointrec.splits import TRAIN

QUERIES = ["12 gauge angle bracket", "red red shoe", "shower head", "", None, "showr heads 2x4"]
TITLES = ["Angle bracket 12-gauge", "Shoes, red", "Rain shower head", "2x4 red", None, "head"]
NAMES = names_of("q.words", "i.title")


def read(text: str | None) -> list[str]:
    return re.findall(r"[^\W_]+", (text or "").lower())


def trigrams(word: str) -> set[str]:
    marked = f"<{word}>"
    return {marked[n : n + 3] for n in range(len(marked) - 2)}


class Oracle:
    """The definitions, one pair of texts at a time."""

    def __init__(self, queries: list[str | None], titles: list[str | None]) -> None:
        self.sides = [[read(text) for text in texts] for texts in (queries, titles)]

    def weight(self, side: int, count: int) -> float:
        texts = max(sum(bool(words) for words in self.sides[side]), 1)
        return math.log1p(max(texts - count + 0.5, 0.5) / (count + 0.5))

    def rarity(self, side: int, word: str) -> float:
        seen = sum(word in words for words in self.sides[side])
        return self.weight(side, max(seen, 1))

    def piece(self, side: int, piece: str) -> float:
        seen = sum(any(piece in trigrams(word) for word in words) for words in self.sides[side])
        return self.weight(side, max(seen, 1))

    def alike(self, word: str, other: str) -> float:
        own, its = trigrams(word), trigrams(other)
        return 1.0 if word == other else 2 * len(own & its) / (len(own) + len(its))

    def like(self, word: str, words: list[str]) -> float:
        return max(self.alike(word, w) for w in words)

    def places(self, mine: list[str], theirs: list[str]) -> dict[str, float]:
        """Near the start and the end each word of `mine` is found; the places of the first."""
        start, end, first = [], [], []
        for word in mine:
            likes = [self.alike(word, w) for w in theirs]
            at = [n for n, one in enumerate(likes) if one == max(likes) and one >= 0.5]
            start.append(1 / (1 + at[0]) if at else 0.0)
            end.append(1 / (len(theirs) - at[-1]) if at else 0.0)
            first += at[:1]
        return {
            "first near start": start[0],
            "last near start": start[-1],
            "last near end": end[-1],
            "near start": max(start),
            "near end": max(end),
            "spread": math.log1p(max(first) - min(first)) if first else 0.0,
        }

    def bm25(self, mine: list[str], theirs: list[str]) -> float:
        there = [words for words in self.sides[1] if words]
        mean = sum(map(len, there)) / len(there)
        total = 0.0
        for word in mine:
            times = theirs.count(word)
            long = 1.2 * (1 - 0.75 + 0.75 * len(theirs) / mean)
            total += self.rarity(1, word) * times * 2.2 / (times + long)
        return total

    def cosine(self, mine: list[str], theirs: list[str]) -> float:
        def vector(words: list[str]) -> dict[str, float]:
            both = {w: math.sqrt(self.rarity(0, w) * self.rarity(1, w)) for w in words}
            return {w: n * both[w] for w, n in Counter(words).items()}

        return cosine(vector(mine), vector(theirs))

    def cosine_of_pieces(self, mine: list[str], theirs: list[str]) -> float:
        def vector(words: list[str]) -> dict[str, float]:
            pieces = set().union(*map(trigrams, words))
            return {p: math.sqrt(self.piece(0, p) * self.piece(1, p)) for p in pieces}

        return cosine(vector(mine), vector(theirs))

    def numbers(self, mine: list[str], theirs: list[str]) -> dict[str, float]:
        weights = [self.rarity(1, word) for word in mine]
        found = [word in theirs for word in mine]
        like = [self.like(word, theirs) for word in mine]
        number = [any(c.isdigit() for c in word) for word in mine]
        back = [self.rarity(0, word) for word in theirs]
        there = [word in mine for word in theirs]
        like_there = [self.like(word, mine) for word in theirs]
        rarest = max(range(len(mine)), key=lambda n: (weights[n], n))
        next_to = set(pairwise(theirs))
        phrases = [two in next_to for two in pairwise(mine)]
        return {
            "bm25": self.bm25(mine, theirs),
            "share": np.mean(found),
            "weighted share": np.average(found, weights=weights),
            "like share": np.mean(like),
            "weighted like share": np.average(like, weights=weights),
            "least like": min(like),
            "first like": like[0],
            "last like": like[-1],
            "rarest like": like[rarest],
            "rarest": weights[rarest],
            "weight": sum(weights),
            "weight missed": sum(w for w, one in zip(weights, like, strict=True) if one < 0.5),
            "phrase share": sum(phrases) / max(len(phrases), 1),
            "numbers found": math.log1p(sum(a and b for a, b in zip(number, found, strict=True))),
            "numbers missed": math.log1p(
                sum(a and not b for a, b in zip(number, found, strict=True))
            ),
            **self.places(mine, theirs),
            "back share": np.mean(there),
            "back weighted share": np.average(there, weights=back),
            "back like share": np.mean(like_there),
            "back first like": like_there[0],
            "back last like": like_there[-1],
            "cosine": self.cosine(mine, theirs),
            "cosine of pieces": self.cosine_of_pieces(mine, theirs),
            "same": float(mine == theirs),
            "length": math.log1p(len(mine)),
            "other length": math.log1p(len(theirs)),
            "both": 1.0,
        }


def cosine(one: dict[str, float], other: dict[str, float]) -> float:
    dot = sum(value * other.get(key, 0.0) for key, value in one.items())
    squares = [sum(value**2 for value in side.values()) for side in (one, other)]
    return dot / math.sqrt(squares[0] * squares[1])


def side(texts: list[str | None], learned: list[str | None] | None = None) -> Side:
    series, known = (
        pl.Series(some, dtype=pl.String) for some in (texts, texts if learned is None else learned)
    )
    return Side(words_of(series, MOST_WORDS), Rarity.learn(words_of(known, MOST_WORDS)))


def matched(queries: list[str | None], titles: list[str | None]) -> np.ndarray:
    rows = np.arange(len(queries))
    return match(side(queries), rows, side(titles), rows)


def test_is_what_a_slow_reading_gives() -> None:
    oracle = Oracle(QUERIES, TITLES)
    query, title = (np.array(at) for at in zip(*np.ndindex(6, 6), strict=True))
    found = match(side(QUERIES), query, side(TITLES), title)
    for row, (one, other) in enumerate(zip(query, title, strict=True)):
        mine, theirs = oracle.sides[0][one], oracle.sides[1][other]
        if mine and theirs:
            expected = oracle.numbers(mine, theirs)
            assert len(expected) == len(NAMES)
            np.testing.assert_allclose(
                found[row], list(expected.values()), atol=1e-6, err_msg=str((mine, theirs))
            )
        else:
            assert found[row, -1] == 0 and np.isnan(found[row, :-1]).all()


words = st.lists(st.sampled_from(["red", "reds", "shoe", "4", "shoes", "a"]), max_size=6)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_any_texts_are_compared_as_the_slow_reading_does(rows: list[tuple]) -> None:
    queries, titles = ([" ".join(words) for words in some] for some in zip(*rows, strict=True))
    oracle, found = Oracle(queries, titles), matched(queries, titles)
    for numbers, (mine, theirs) in zip(found, rows, strict=True):
        if mine and theirs:
            expected = list(oracle.numbers(mine, theirs).values())
            np.testing.assert_allclose(numbers, expected, atol=1e-6)
        else:
            assert numbers[-1] == 0


def test_plurals_and_misspellings_are_alike_and_other_words_are_not() -> None:
    found = matched(["showr heads", "green paint"], ["shower head", "shower head"])
    like = NAMES.index("q.words in i.title: like share")
    share = NAMES.index("q.words in i.title: share")
    assert found[0, share] == 0
    assert found[0, like] > 0.6
    assert found[1, like] < 0.1


def test_runs_without_spaces_are_compared_by_two_neighbours() -> None:
    found = matched(["手机壳", "手机壳"], ["红色手机壳 iphone", "电脑"])
    share = NAMES.index("q.words in i.title: share")
    assert found[:, share].tolist() == [1.0, 0.0]


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    query, title = (np.array(at) for at in zip(*np.ndindex(6, 6), strict=True))
    whole = match(side(QUERIES), query, side(TITLES), title)
    monkeypatch.setattr("jointrec.prepare.matching.PAIRS", 5)
    np.testing.assert_array_equal(match(side(QUERIES), query, side(TITLES), title), whole)


def test_rarity_survives_json_and_no_rows_are_no_trouble() -> None:
    learned = side(TITLES).rarity
    again = Rarity.from_plain(learned.to_plain())
    assert again.to_plain() == learned.to_plain()
    np.testing.assert_array_equal(again.pieces, learned.pieces)
    nothing = side([], [])
    assert match(nothing, np.zeros(0, int), nothing, np.zeros(0, int)).shape == (0, len(NAMES))


def test_words_joined_are_those_of_both() -> None:
    both = words_of(pl.Series([*QUERIES, *TITLES]), MOST_WORDS)
    joined = joined_words(
        words_of(pl.Series(QUERIES), MOST_WORDS), words_of(pl.Series(TITLES), MOST_WORDS)
    )
    np.testing.assert_array_equal(joined.of.offsets, both.of.offsets)
    np.testing.assert_array_equal(joined.ids[joined.of.values], both.ids[both.of.values])


def shop(rows: int = 400, **kwargs: object) -> jr.Project:
    """Judgements of queries and titles: the grade is the number of words in common."""
    rng = np.random.default_rng(0)
    names = np.array([f"word{n}" for n in range(60)])
    queries = [" ".join(rng.choice(names, 2, replace=False)) for _ in range(100)]
    titles = [" ".join(rng.choice(names, 6, replace=False)) for _ in range(100)]
    for title in range(0, 100, 2):  # half of the titles hold a query
        titles[title] = f"{queries[title]} {titles[title]}"
    query = rng.integers(0, 100, rows)
    item = np.where(rng.random(rows) < 0.5, query, rng.integers(0, 100, rows))
    common = [len({*queries[q].split()} & {*titles[i].split()}) for q, i in zip(query, item)]  # noqa: B905
    judged = {
        "query": [f"q{n}" for n in query],
        "item": [f"i{n}" for n in item],
        "grade": common,
        "note": [queries[n] if n % 3 else None for n in query],
    }
    keys = {"query": "q", "item": "i"}
    texts = {"query": ("words", queries), "item": ("title", [*titles[:-1], None])}
    return jr.Project(
        entity={
            name: jr.Entity(
                pl.DataFrame(
                    {"id": [f"{key}{n}" for n in range(100)], texts[name][0]: texts[name][1]}
                ),
                key="id",
                features={texts[name][0]: f.Text()},
                id_floor=0,
            )
            for name, key in keys.items()
        },
        event={
            "judgement": jr.Event(
                pl.DataFrame(judged),
                entities=("query", "item"),
                features={"note": f.Text()},
                keys={"query": "query", "item": "item"},
            )
        },
        tasks={"relevance": t.Ordinal("judgement.grade", levels=3)},
        split=jr.ByEntity(),
        **kwargs,
    )


PAIR = ("query.words", "item.title")


def test_texts_beside_each_other_are_compared_and_those_of_one_thing_are_not() -> None:
    project = shop()
    (grain,) = plan(project).grains
    assert texts_beside(project, grain) == [
        ("judgement.note", "query.words"),
        ("judgement.note", "item.title"),
        PAIR,
    ]
    assert texts_beside(shop(matching=False), grain) == []


def test_rarity_is_learned_on_training_rows_and_missing_texts_are_masked() -> None:
    project = shop()
    planned, tables = plan(project), load(project)
    reader, arrays, _ = prepare(project, planned, tables)
    asked = arrays.asked["judgement"]
    trained = tables.events["judgement"].filter(pl.Series(asked.parts["relevance"] == TRAIN))
    named = tables.entities["query"]["words"].gather(trained["@query"].unique().sort() - 1)
    learned = Rarity.learn(words_of(named, MOST_WORDS))
    assert reader.preparation.texts["query.words"].to_plain() == learned.to_plain()
    numbers, names = asked.matches[PAIR], arrays.layout.matches[PAIR]
    untitled = tables.entities["item"]["title"].is_null().to_numpy()
    missing = untitled[tables.events["judgement"]["@item"].to_numpy() - 1]
    assert missing.any()
    assert (numbers[missing, :-1] == 0).all()
    assert (numbers[missing, -1] == -1).all() and (numbers[~missing, -1] == 0).all()
    share = numbers[:, names.index("query.words in item.title: share")]
    train = (asked.parts["relevance"] == TRAIN) & ~missing
    assert abs(share[train].mean()) < 1e-5 and abs(share[train].std() - 1) < 1e-5


def test_a_preparation_with_texts_survives_json() -> None:
    project = shop()
    planned, tables = plan(project), load(project)
    reader, arrays, _ = prepare(project, planned, tables)
    learned = reader.preparation
    again = Preparation.from_json(learned.to_json())
    assert again.to_json() == learned.to_json()
    online = build_reader(project, planned, tables, again)
    (grain,) = planned.grains
    asked, rows = arrays.asked["judgement"], np.array([5, 3, 3, 99])
    codes = {name: asked.moments[name].things[asked.at[name][rows]] for name in grain.sees}
    context = context_of(grain, tables)[rows]
    read_again = online.read(grain, Rows(codes, None, np.arange(4)), context)
    for pair, numbers in asked.matches.items():
        np.testing.assert_array_equal(read_again.matches[pair], numbers[rows])


def test_the_words_of_a_query_nobody_asked_before_are_compared_too(tmp_path) -> None:
    with small_grains_seldom(rows=1_400, steps=16):
        model = jr.fit(
            shop(2_000, budget=jr.Budget(epochs=12)), compare=jr.Compare(alone=False, baselines=())
        )
    model.save(tmp_path / "model")
    titles = ["i0", "i1"]
    told = model.reader.tables.entities["item"]["title"].to_list()
    words = " ".join(told[0].split()[3:5])  # two words that were never a query
    for one in (model, jr.load(tmp_path / "model")):
        grades = one.predict("relevance", query=words, item=titles)["answer"].to_list()
        known = one.predict("relevance", query={"words": words}, item=titles)["answer"].to_list()
        assert grades == known
        assert grades[0] > grades[1] + 0.5
