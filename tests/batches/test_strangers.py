from dataclasses import replace

import numpy as np
import pytest
from shop_prepared import START, prepared

from jointrec.batches import Assembler, Loader, pieces
from jointrec.batches.strangers import LEAST, MOST, hidden_rate, hide
from jointrec.splits import TEST, TRAIN, VALID

SHOP, PLAN, PREPARED = prepared()
ASKED = PREPARED.asked["impression"]
USERS = ASKED.moments["user"].things[ASKED.at["user"]]


def split_by_user(valid_users: set[int]) -> float:
    """The rate where these users are validated and all others train."""
    parts = np.where(np.isin(USERS, list(valid_users)), VALID, TRAIN).astype(np.int8)
    return hidden_rate(PREPARED, replace(ASKED, parts=dict.fromkeys(ASKED.labels, parts)), "user")


def test_ids_are_hidden_as_often_as_validation_meets_strangers() -> None:
    assert split_by_user({1, 2, 3}) == MOST  # nobody of them was met in training
    strangers = {1, 2, 3}
    known = ~np.isnan(np.stack(list(ASKED.labels.values()))).all(axis=0)
    parts = np.where(np.isin(USERS, list(strangers)), VALID, TRAIN).astype(np.int8)
    chance = np.random.default_rng(0)
    parts[(chance.random(len(parts)) < 0.2) & ~np.isin(USERS, list(strangers))] = VALID
    asked = replace(ASKED, parts=dict.fromkeys(ASKED.labels, parts))
    expected = np.isin(USERS, list(strangers))[(parts == VALID) & known].mean()
    assert 0.2 < expected < 0.8
    assert hidden_rate(PREPARED, asked, "user") == pytest.approx(expected)


def test_those_who_are_strangers_in_training_already_count() -> None:
    fields = PREPARED.things["user"].fields
    ids = np.where(np.arange(len(fields.ids)) <= 8, fields.ids[0, 0], fields.ids[:, 0])[:, None]
    users = replace(PREPARED.things["user"], fields=replace(fields, ids=ids))
    arrays = replace(PREPARED, things={**PREPARED.things, "user": users})
    known = ~np.isnan(np.stack(list(ASKED.labels.values()))).all(axis=0)
    parts = np.where(np.arange(len(ASKED)) % 2 == 0, TRAIN, VALID).astype(np.int8)
    parts[(USERS > 12) & (parts == VALID)] = TEST
    asked = replace(ASKED, parts=dict.fromkeys(ASKED.labels, parts))
    before = (USERS <= 8)[known & (parts == TRAIN)].mean()
    later = (USERS <= 8)[known & (parts == VALID)].mean()
    rate = hidden_rate(arrays, asked, "user")
    assert rate == pytest.approx((later - before) / (1 - before))
    assert before + (1 - before) * rate == pytest.approx(later)


def test_there_is_always_a_little_hiding_and_none_without_ids() -> None:
    assert hidden_rate(PREPARED, ASKED, "user") == LEAST  # all users train and are validated
    nobody = dict.fromkeys(ASKED.labels, np.full(len(ASKED), TRAIN, dtype=np.int8))
    assert hidden_rate(PREPARED, replace(ASKED, parts=nobody), "user") == LEAST
    layout = replace(
        PREPARED.layout,
        things={
            **PREPARED.layout.things,
            "user": replace(PREPARED.layout.things["user"], ids=("x",)),
        },
    )
    assert hidden_rate(replace(PREPARED, layout=layout), ASKED, "user") == 0


def test_a_stranger_is_the_same_thing_without_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointrec.batches.assemble.hidden_rate", lambda *_: 0.5)
    rows = np.arange(300)
    assemble = Assembler(PREPARED, PLAN, 3)
    plain = assemble([(ASKED, rows)])
    batch = assemble([(ASKED, rows)], seed=(1,), strangers=True)
    for entity in ("user", "item"):
        at = batch.examples[0].moments[entity].things[batch.examples[0].at[entity]]
        plain_at = plain.examples[0].moments[entity].things[plain.examples[0].at[entity]]
        np.testing.assert_array_equal(batch.codes[entity][at], plain.codes[entity][plain_at])
        np.testing.assert_array_equal(
            batch.things[entity].numbers[at], plain.things[entity].numbers[plain_at]
        )
        ids = batch.touched[batch.things[entity].ids[at][:, 0]]
        own = plain.touched[plain.things[entity].ids[plain_at][:, 0]]
        hidden = ids == START[entity]
        assert 0.3 < hidden.double().mean() < 0.7
        np.testing.assert_array_equal(ids[~hidden], own[~hidden])
        moments = batch.examples[0].at[entity]
        for moment in moments[:40]:  # a moment is hidden for all of its rows or for none
            assert len(set(hidden[moments == moment].tolist())) == 1
    again = assemble([(ASKED, rows)], seed=(1,), strangers=True)
    np.testing.assert_array_equal(again.touched, batch.touched)
    np.testing.assert_array_equal(
        again.examples[0].moments["user"].things, batch.examples[0].moments["user"].things
    )


def test_only_training_hides() -> None:
    assemble = Assembler(PREPARED, PLAN, 3)
    shown = [*pieces(assemble, ASKED, np.arange(200), part=VALID, seed=(1,))]
    assert all(
        (batch.touched[b.ids[1:, 0]] != 0).all() for batch in shown for b in [batch.things["user"]]
    )
    codes = [batch.codes["user"] for batch in Loader(assemble, 256, 0).epoch(0)]
    assert any(len(found.unique()) < len(found) for found in codes)


def test_the_unknown_stays_unknown() -> None:
    assert hide(np.zeros(5, dtype=np.int64), 7, 1.0, np.random.default_rng(0)).tolist() == [0] * 5
