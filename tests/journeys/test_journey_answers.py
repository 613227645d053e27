"""What a model answers: predictions, and recommendations that are exactly what predictions say."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from journey_shop import SHOP, TEST_FROM

from jointrec.errors import DataError, DataWarning, JointRecError
from jointrec.evaluation.evaluate import question_of
from jointrec.evaluation.said import said_of
from jointrec.prepare import asked_again


def items() -> list[str]:
    return SHOP.tables()["items"]["item_id"].to_list()


# Predict


def test_everybody_is_answered(model):
    users = SHOP.tables()["users"]["user_id"]
    assert model.predict("gone")["user"].to_list() == users.to_list()
    assert model.predict("gone")["answer"].is_between(0, 1).all()
    views = model.predict("views")
    assert views["item"].to_list() == items()
    assert (views["answer"] >= 0).all()
    intent = model.predict("intent")
    chances = intent.select(pl.selectors.starts_with("P(")).to_numpy()
    assert np.allclose(chances.sum(axis=1), 1)
    classes = [name[2:-1] for name in intent.columns if name.startswith("P(")]
    assert classes == sorted(SHOP.tables()["queries"]["category"].unique())
    assert intent["answer"].to_list() == [classes[n] for n in chances.argmax(axis=1)]
    assert intent["probability"].to_list() == chances.max(axis=1).tolist()


def test_rows_of_several_entities_need_keys(model):
    with pytest.raises(DataError, match="cannot all be listed"):
        model.predict("click")


def test_keys_are_answered_in_their_order(model):
    everybody = dict(model.predict("gone").iter_rows())
    asked = ["u7", "u3", "u7"]
    found = model.predict("gone", user=asked)
    assert found["user"].to_list() == asked
    assert found["answer"].to_list() == pytest.approx([everybody[key] for key in asked], rel=1e-6)
    one = model.predict("click", user="u7", query="q1", item=["i1", "i2"])
    assert one.columns == ["user", "query", "item", "answer"]
    assert one["item"].to_list() == ["i1", "i2"]
    assert one["user"].to_list() == ["u7", "u7"]
    assert model.predict("gone", user=[]).height == 0
    assert model.predict("intent", query=[]).height == 0
    assert model.predict("next", user=[]).height == 0


def test_a_step_of_a_funnel_may_be_taken_to_have_happened(model):
    who = {"user": "u7", "query": "q1", "item": items()[:20]}
    click, cart = (model.predict(task, **who)["answer"].to_numpy() for task in ("click", "cart"))
    given = model.predict("cart", given="click", **who)
    assert given.columns == ["user", "query", "item", "answer"]
    np.testing.assert_allclose(given["answer"], cart / click, rtol=1e-6)
    assert given["answer"].is_between(0, 1).all()
    with pytest.raises(DataError, match="`click` comes after nothing"):
        model.predict("click", given="cart", **who)
    with pytest.raises(JointRecError, match="`nothing`"):
        model.predict("cart", given="nothing", **who)


def test_several_tasks_are_answered_as_each_alone(model):
    who = {"user": "u7", "query": "q1", "item": items()[:20]}
    both = model.predict(["cart", "click"], **who)
    assert both.columns == ["user", "query", "item", "cart", "click"]
    for task in ("cart", "click"):
        np.testing.assert_array_equal(both[task], model.predict(task, **who)["answer"])
    assert model.predict(["click", "cart"], item=[]).height == 0
    intent = model.predict(["intent"])
    assert intent["intent"].to_list() == model.predict("intent")["answer"].to_list()


@pytest.mark.parametrize(
    "tasks, given, said",
    [
        ([], None, "at least one task"),
        (
            ["click", "gone"],
            None,
            "not of the same rows. Together with `click` can be asked: .*cart",
        ),
        (["gone", "next"], None, "`next` lists the best of a catalogue"),
        (["click", "clik"], None, "`clik`.*`click`"),
        (["cart", "click"], "click", "about one task"),
    ],
)
def test_several_tasks_that_cannot_be_asked_together(model, tasks, given, said):
    with pytest.raises(JointRecError, match=said):
        model.predict(tasks, given=given)


def test_a_file_is_answered_part_by_part(model, tmp_path, monkeypatch):
    for module in ("parquet", "parquet_size"):
        monkeypatch.setattr(f"jointrec.sources.{module}._ROWS", 50)
    rows = SHOP.tables()["impressions"].head(173)
    rows.write_parquet(tmp_path / "rows.parquet")
    whole = model.predict(["click", "cart"], rows)
    parts = list(model.predict_parts(["click", "cart"], tmp_path / "rows.parquet"))
    assert max(map(len, parts)) <= 50
    assert pl.concat(parts)[:, :3].equals(whole[:, :3])
    for task in ("click", "cart"):
        np.testing.assert_allclose(pl.concat(parts)[task], whole[task], rtol=1e-5)


def asked_as_in_evaluation(model, task):
    """The rows of a task's test, and what the network said to them when it was measured."""
    asked = asked_again(model.reader, model.plan.grain_of(task))
    question = question_of(model.project, model.prepared, asked, task)
    return asked, question.test, said_of(model.networks[task], question).answers


@pytest.mark.parametrize("task", ["click", "cart", "revenue"])
def test_a_table_of_rows_is_answered_as_in_evaluation(model, task, tmp_path):
    asked, test, expected = asked_as_in_evaluation(model, task)
    rows = SHOP.tables()["impressions"][asked.source[test]]
    assert rows["shown_at"].min() >= datetime.fromisoformat(TEST_FROM)
    columns = ["user_id", "query_id", "item_id", "shown_at", "device", "position", "discount"]
    known = rows.select(columns)
    known.write_csv(tmp_path / "rows.csv")
    for given in (known, known.to_arrow(), tmp_path / "rows.csv", str(tmp_path / "rows.csv")):
        found = model.predict(task, given)
        assert found["answer"].to_list() == expected.tolist()
        assert found["user"].to_list() == rows["user_id"].to_list()
    # Columns may be called as the entities are, and stand in any order.
    renamed = known.select(reversed(columns)).rename({"user_id": "user", "item_id": "item"})
    assert model.predict(task, renamed)["answer"].to_list() == expected.tolist()
    # What is only known later is not looked at.
    later = rows.with_columns(clicked=1 - pl.col("clicked"), revenue=pl.lit(9.0))
    assert model.predict(task, later)["answer"].to_list() == expected.tolist()


def test_entities_may_each_be_asked_at_their_own_moment(model):
    asked, test, expected = asked_as_in_evaluation(model, "gone")
    moments = pl.Series("moment", asked.times[test]).cast(pl.Datetime("us"))
    rows = SHOP.tables()["users"][asked.source[test]].select("user_id").with_columns(moments)
    assert model.predict("gone", rows)["answer"].to_list() == expected.tolist()
    first = rows["moment"][0]
    at_once = rows.filter(pl.col("moment") == first)["user_id"].to_list()
    for at in (
        first,
        first.isoformat(),
        first.replace(tzinfo=UTC),
        f"{first:%Y-%m-%d}T01:00+01:00",
    ):
        found = model.predict("gone", user=at_once, at=at)["answer"].to_list()
        assert found == pytest.approx(expected[: len(at_once)].tolist(), rel=1e-6)
    if (first.hour, first.minute) == (0, 0):
        day = model.predict("gone", user=at_once, at=date(first.year, first.month, first.day))
        assert day["answer"].to_list() == pytest.approx(found, rel=1e-12)


def test_a_moment_that_is_none_is_refused(model):
    for at in ("tomorrow", 7):
        with pytest.raises(DataError, match="at:"):
            model.predict("gone", user="u1", at=at)
    rows = pl.DataFrame({"user_id": ["u1", "u2"], "moment": ["2025-02-20", "soon"]})
    with pytest.raises(DataError, match="soon"):
        model.predict("gone", rows)


def test_cells_that_are_not_read_and_columns_that_seem_misspelt_are_told(model):
    asked = {"user_id": ["u1", "u2"], "query_id": ["q1", "q1"], "item_id": ["i1", "i2"]}
    plain = model.predict("click", pl.DataFrame({**asked, "discount": [0.1, None]}))
    with pytest.warns(DataWarning, match=r"rows\.discount: .* 1 made null, such as `1,5`") as told:
        found = model.predict("click", pl.DataFrame({**asked, "discount": ["0.1", "1,5"]}))
    assert len(told) == 1
    assert found.equals(plain)
    rows = pl.DataFrame({**asked, "discount": ["0.1", "NULL"], "note": ["", ""], "devise": "phone"})
    expected = r"^rows: `devise` is not read\. Did you mean `device`\?$"
    with pytest.warns(DataWarning, match=expected) as told:
        assert model.predict("click", rows).equals(plain)
    assert len(told) == 1


def test_what_was_never_seen_is_legal(model):
    unknown = model.predict("click", item="i1")["answer"][0]
    assert model.predict("click", user="nobody", item="i1")["answer"][0] == unknown
    assert model.predict("click", user="", item="i1")["answer"][0] == unknown
    assert model.predict("click", user={}, item="i1")["answer"][0] == unknown
    for task in ("gone", "views", "intent", "next", "relevance"):
        grain = model.plan.grain_of(task)
        found = model.predict(task, **dict.fromkeys(grain.entities, "never seen"))
        assert found.select(pl.selectors.float()).to_numpy().size
        assert np.isfinite(found.select(pl.selectors.float()).to_numpy()).all()
    odd = model.predict("click", user="u1", item="i1", context={"device": "a toaster"})
    plain = model.predict("click", user="u1", item="i1", context={"device": None})
    assert np.isfinite(odd["answer"][0])
    assert np.isfinite(plain["answer"][0])


def test_something_new_is_what_is_known_of_it(model):
    table = SHOP.tables()["queries"].row(3, named=True)
    known = {"words": table["words"], "language": table["language"]}
    by_key = model.predict("intent", query=table["query_id"]).drop("query")
    by_words = model.predict("intent", query=known).drop("query")
    # A key that is rare has no vector of its own, so words are all that tells queries apart.
    assert "query" in model.reader.preparation.ids
    if table["query_id"] not in model.reader.preparation.ids["query"]:
        assert np.allclose(by_key.drop("answer"), by_words.drop("answer"), rtol=1e-5)
    plain = model.predict("intent", query=table["words"]).drop("query")
    told = model.predict("intent", query={"words": table["words"]}).drop("query")
    assert plain.equals(told)
    assert not plain.equals(model.predict("intent", query={"words": "完全 不同"}).drop("query"))
    new = {"category": "shoes", "price": 30, "tags": ["new", "red"]}
    found = model.predict("click", user="u1", item=[new, "i1", {"price": 5.5}])
    assert found["item"].to_list() == [str(new), "i1", str({"price": 5.5})]
    assert np.isfinite(found["answer"].to_numpy()).all()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda m: m.predict("clik", item="i1"), "Did you mean `click`"),
        (lambda m: m.predict("click", usr="u1"), "Did you mean `user`"),
        (lambda m: m.predict("gone", item="i1"), "there is no entity `item`"),
        (lambda m: m.predict("click", user=["u1", "u2"], item=["i1", "i2", "i3"]), "2 keys"),
        (lambda m: m.predict("click", item={"colour": "red"}), "there is no feature `colour`"),
        (lambda m: m.predict("click", item={"price": "cheap"}), "`cheap`"),
        (lambda m: m.predict("click", item=3.5), "a key should be"),
        (lambda m: m.predict("click", item=[None]), "a key should be"),
        (lambda m: m.predict("click", item="i1", context={"devise": 1}), "Did you mean `device`"),
        (lambda m: m.predict("click", item="i1", context={"discount": "a"}), "`a`"),
        (lambda m: m.predict("click", item="i1", context={"discount": 10**400}), "beyond all"),
        (lambda m: m.predict("click", item={"price": 10**30}), "`price` is a whole number beyond"),
        (
            lambda m: m.predict("click", item=[{"price": 10**400}, {"price": 1.5}]),
            "`price` is a whole number beyond",
        ),
        (
            lambda m: m.predict("click", item=["i1", "i2"], context={"device": ["a"] * 3}),
            "3 values for 2 rows",
        ),
        (lambda m: m.predict("gone", item="i1", context={"device": "a"}), "item"),
        (
            lambda m: m.predict("click", pl.DataFrame({"usr": ["u1"]})),
            "rows: the keys of `user` may stand in `user_id` or `user`: there is no column `user`. "
            "Did you mean `usr`? Known: usr.",
        ),
        (lambda m: m.predict("click", "no.csv"), "no.csv"),
        (lambda m: m.predict("click", pl.DataFrame({"a": [1]}), user="u1"), "not both"),
        (lambda m: m.predict("next", user="u1", k=0), "k: should be at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(model, ask, said):
    with pytest.raises(JointRecError) as error:
        ask(model)
    assert said in str(error.value)


def test_no_row_of_a_file_is_left_without_an_answer_in_silence(model, tmp_path):
    (tmp_path / "rows.csv").write_text("user,query,item\nu1,q1,i1\nu2,q1\nu3,q1,i1\n")
    for ask in (model.predict, lambda *asked: list(model.predict_parts(*asked))):
        with pytest.raises(JointRecError) as error:
            ask("click", tmp_path / "rows.csv")
        assert str(error.value) == (
            "rows: rows with more or fewer cells than the header (which is row 1). 1 set aside, "
            "such as `rows.csv, row 3: u2,q1`. Each row is to be answered: mend these, or take "
            "them out."
        )


def test_context_is_one_value_for_all_or_one_for_each(model):
    keys = {"user": "u1", "item": ["i1", "i2"]}
    both = model.predict("click", **keys, context={"device": ["mobile", "desktop"]})
    for n, device in enumerate(("mobile", "desktop")):
        alone = model.predict("click", **keys, context={"device": device})
        assert both["answer"][n] == pytest.approx(alone["answer"][n], rel=1e-6)


def test_a_whole_number_is_the_key_as_tables_write_it(model):
    first, second = model.predict("gone", user=[7, "7"])["answer"]
    # Of two rows of a batch the last digit may differ: products of small blocks see where they lie.
    assert first == pytest.approx(second, rel=1e-6)


def test_a_catalogue_is_listed_best_first(model):
    whole = model.predict("next", user="u5", k=10_000)
    assert whole["rank"].to_list() == list(range(1, len(items()) + 1))
    assert sorted(whole["answer"]) == sorted(items())
    assert whole["score"].is_sorted(descending=True)
    two = model.predict("next", user=["nobody", "u5"], k=3)
    assert two["user"].to_list() == ["nobody"] * 3 + ["u5"] * 3
    assert two["answer"].to_list()[3:] == whole["answer"].to_list()[:3]
    assert two["rank"].to_list() == [1, 2, 3, 1, 2, 3]


# Recommend


def by_hand(model, weights, **keys) -> list[tuple[str, float]]:
    """Every item scored one task at a time, and sorted."""
    total = dict.fromkeys(items(), 0.0)
    for task, weight in weights.items():
        if task == "next":
            listed = model.predict("next", user=keys["user"], k=len(items()))
            odds = np.exp(listed["score"].to_numpy())
            scores = dict(zip(listed["answer"], odds / odds.sum(), strict=True))
        else:
            listed = model.predict(task, **keys, item=items())
            scores = dict(zip(listed["item"], listed["answer"], strict=True))
        for item in items():
            total[item] += weight * scores[item]
    return sorted(total.items(), key=lambda pair: -pair[1])


@pytest.mark.parametrize(
    "weights",
    [{"click": 1.0}, {"cart": 1.0, "revenue": 0.1}, {"next": 1.0}, {"next": 2.0, "click": -0.5}],
)
def test_recommending_is_scoring_all_and_sorting(model, weights):
    keys = {"user": "u5"} if list(weights) == ["next"] else {"user": "u5", "query": "q2"}
    found = model.recommend(k=12, rank_by=weights, **keys)
    expected = by_hand(model, weights, **keys)[:12]
    assert found["rank"].to_list() == list(range(1, 13))
    assert found["score"].to_list() == pytest.approx([score for _, score in expected], rel=1e-6)
    assert found["item"].to_list() == [item for item, _ in expected]
    assert found.columns == ["rank", "item", "score", *weights]
    total = sum(weight * found[task].to_numpy() for task, weight in weights.items())
    assert found["score"].to_numpy() == pytest.approx(total, rel=1e-12)


def test_candidates_and_what_is_left_out(model):
    whole = model.recommend(user="u5", rank_by={"click": 1}, k=1000)
    best = whole["item"].to_list()
    barred = model.recommend(user="u5", rank_by={"click": 1}, k=1000, exclude=best[:3])
    assert barred["item"].to_list() == best[3:]
    few = model.recommend(user="u5", rank_by={"click": 1}, candidates=[best[5], best[2], "new"])
    assert few["item"].to_list()[0] == best[2] or few["item"].to_list()[0] == "new"
    assert sorted(few["item"]) == sorted([best[5], best[2], "new"])
    strangers = model.recommend(user="u5", rank_by={"next": 1}, candidates=[best[5], "new"])
    assert strangers["next"].to_list()[-1] == 0.0
    assert strangers["item"].to_list() == [best[5], "new"]
    assert model.recommend(user="u5", rank_by={"click": 1}, exclude=items()).height == 0
    assert model.recommend(user="u5", rank_by={"next": 1}, candidates=[]).height == 0


def test_entities_themselves_can_be_ranked(model):
    found = model.recommend(rank_by={"views": 1}, k=5)
    best = model.predict("views").sort("answer", descending=True, maintain_order=True)
    assert found["item"].to_list() == best["item"].to_list()[:5]
    assert model.recommend(rank_by={"gone": 1}, k=2).columns[1] == "user"


def test_without_weights_the_task_that_uses_most_ranks(model):
    assert model.recommend(user="u5", k=3).columns[-1] == "next"
    assert model.recommend(user="u5", query="q2", k=3).columns[-1] == "click"
    assert model.recommend(query="q2", k=3).columns[1:] == ["item", "score", "click"]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda m: m.recommend(usr="u5"), "Did you mean `user`"),
        (lambda m: m.recommend(), "no task ranks anything for nobody"),
        (lambda m: m.recommend(user="u5", rank_by={"clic": 1}), "Did you mean `click`"),
        (lambda m: m.recommend(query="q1", rank_by={"relevance": 1}), "cannot be ranked by"),
        (lambda m: m.recommend(user="u5", rank_by={"click": 1, "gone": 1}), "the same thing"),
        (lambda m: m.recommend(query="q1", rank_by={"next": 1}), "cannot see the query"),
        (lambda m: m.recommend(user="u5", rank_by={"click": float("nan")}), "should be a number"),
        (lambda m: m.recommend(user="u5", exclude="i1"), 'Write exclude=["i1"]'),
        (lambda m: m.recommend(user="u5", k=0), "k: should be at least 1"),
        (
            lambda m: m.recommend(user="u5", rank_by={"click": 1}, context={"devise": "a"}),
            "Did you mean `device`",
        ),
    ],
)
def test_what_cannot_be_recommended_is_refused_in_words(model, ask, said):
    with pytest.raises(JointRecError) as error:
        ask(model)
    assert said in str(error.value)
