"""The order within a list, learned beside the chances: what a list is, and what it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from quick import small_grains_seldom

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.labels import DAY
from jointrec.plan import plan
from jointrec.sharing import SharedBottom

LISTS, SIZE = 400, 6


def shop(**tasks: t.Task) -> jr.Project:
    """Each list has a mood of its own, which says most of a click and nothing of the order."""
    rng = np.random.default_rng(0)
    mood = np.repeat(rng.normal(0, 2, LISTS), SIZE)
    quality, rows = rng.normal(size=30), LISTS * SIZE
    item = rng.integers(0, 30, rows)
    odds = mood + 1.5 * quality[item]
    at = np.repeat(19_723 * DAY + np.arange(LISTS) * DAY // 8, SIZE)
    shown = pl.DataFrame(
        {
            "user": np.repeat([f"u{n % 50}" for n in range(LISTS)], SIZE),
            "item": [f"i{n}" for n in item],
            "at": pl.Series(at).cast(pl.Datetime("us")),
            "mood": mood,
            "clicked": rng.random(rows) < 1 / (1 + np.exp(-odds)),
            "grade": np.searchsorted([-1.0, 1.0, 3.0], odds + rng.logistic(size=rows)),
        }
    )
    users = pl.DataFrame({"user": [f"u{n}" for n in range(50)]})
    items = pl.DataFrame({"item": [f"i{n}" for n in range(30)], "quality": quality})
    return jr.Project(
        entity={
            "user": jr.Entity(users, key="user"),
            "item": jr.Entity(items, key="item", features={"quality": f.Number()}),
        },
        event={
            "shown": jr.Event(
                shown, entities=("user", "item"), time="at", features={"mood": f.Number()}
            )
        },
        tasks=tasks,
        counters=(),
        sharing=SharedBottom(widths=(32, 16)),
        split=jr.ByTime(test_days=12, valid_days=6),
        budget=jr.Budget(epochs=6, rows=256, patience=6),
    )


@pytest.fixture(scope="module")
def model() -> jr.Model:
    tasks = {
        "click": t.Binary("shown.clicked", listwise=0.3),
        "click_pairs": t.Binary("shown.clicked", listwise=0.3, list_loss="pairs"),
        "grade": t.Ordinal("shown.grade", listwise=0.3),
    }
    with small_grains_seldom(rows=2_000):
        return jr.fit(shop(**tasks), compare=jr.Compare(alone=False, baselines=(), rounds=20))


@pytest.mark.parametrize("name", ["click", "click_pairs", "grade"])
def test_lists_are_ordered_and_chances_stay_right(model, name) -> None:
    found = model.report.tasks[name].systems["joint"]
    assert found["ndcg@10"].low > 0.75
    if name != "grade":
        assert found["pcoc"].value == pytest.approx(1, abs=0.15)
        assert found["normalized_entropy"].high < 0.85


def test_a_list_is_what_one_sees_at_one_moment(model) -> None:
    """NDCG is within the lists of six, not within the users who saw several of them."""
    from jointrec.evaluation.evaluate import question_of
    from jointrec.evaluation.said import said_of
    from jointrec.functional.metrics import ndcg_within
    from jointrec.prepare import asked_again, prepared_of

    grain = model.plan.grain_of("click")
    asked = asked_again(model.reader, grain)
    prepared = prepared_of(model.reader, {grain.name: asked})
    question = question_of(model.project, prepared, asked, "click")
    rows = question.test
    lists = asked.times[rows] // (DAY // 8)
    said = said_of(model.networks["click"], question).answers
    found = model.report.tasks["click"].systems["joint"]["ndcg@10"].value
    assert found == pytest.approx(ndcg_within(question.labels[rows], said, groups=lists))


def requests() -> jr.Project:
    """As above, but two lists in a row are one request, which is no single moment and no user."""
    project = shop(
        click=t.Binary("shown.clicked", listwise=0.5, sees=("item",)),
        grade=t.Ordinal("shown.grade"),
    )
    event = project.event["shown"]
    number = np.repeat(np.arange(LISTS // 2), 2 * SIZE)
    cells = pl.Series("request", [f"r{n}" if n % 7 else None for n in number])
    event = replace(event, source=event.source.with_columns(cells), list="request")
    budget = jr.Budget(epochs=1, rows=256)
    return replace(project, event={"shown": event}, budget=budget)


def test_a_list_is_what_the_event_says() -> None:
    """It is learned by, and measured by: rows without a request are in a list of their own."""
    from jointrec.batches import Assembler
    from jointrec.evaluation.evaluate import question_of
    from jointrec.evaluation.said import said_of
    from jointrec.functional.metrics import ndcg_within
    from jointrec.prepare import asked_again, prepared_of
    from jointrec.training.losses import summed

    project = requests()
    model = jr.fit(project, compare=jr.Compare(alone=False, baselines=(), rounds=5))
    grain = model.plan.grain_of("click")
    asked = asked_again(model.reader, grain)
    number = np.arange(len(asked)) // (2 * SIZE)
    alone = number % 7 == 0
    groups = np.where(alone, -1 - np.arange(len(asked)), number)
    pairs = np.unique(np.stack([groups, asked.lists]), axis=1)
    assert pairs.shape[1] == len(np.unique(groups)) == len(np.unique(asked.lists))

    prepared = prepared_of(model.reader, {grain.name: asked})
    question = question_of(project, prepared, asked, "click")
    network, rows = model.networks["click"], question.test
    said = said_of(network, question).answers
    found = model.report.tasks["click"].systems["joint"]["ndcg@10"].value
    assert found == pytest.approx(ndcg_within(question.labels[rows], said, groups=groups[rows]))

    batch = Assembler.of(project, prepared, model.plan)([(asked, np.arange(100))])
    with torch.inference_mode():
        outputs = network(batch, tasks=("click",))
    task, labels = project.tasks["click"], torch.from_numpy(asked.labels["click"][:100])
    logits = outputs["click"].double()
    of_lists = task.loss_in_lists(logits, labels, torch.from_numpy(groups[:100])).sum()
    expected = 0.5 * task.loss(logits, labels).sum() + 0.5 * of_lists
    sums, _ = summed(project, ("click",), outputs, batch)
    assert float(sums) == pytest.approx(float(expected), rel=1e-5)
    assert float(of_lists) > 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"listwise": 1.0}, "`listwise` should be 0 or more and below 1. Found `1.0`"),
        ({"list_loss": "pair"}, "Did you mean `pairs`"),
    ],
)
def test_settings_that_cannot_be(settings, said) -> None:
    for kind in (t.Binary, t.Ordinal):
        with pytest.raises(ProjectError) as caught:
            kind("shown.clicked", **settings)
        assert said in str(caught.value)


def test_a_list_needs_whoever_sees_it() -> None:
    with pytest.raises(ProjectError, match=r"tasks\.click\.listwise: a list is what `user` sees"):
        plan(shop(click=t.Binary("shown.clicked", sees=("item",), listwise=0.5)))
