from dataclasses import replace

import numpy as np
import pytest
import torch
from shop_prepared import DAY, prepared

from jointrec.batches import Assembler, Batch
from jointrec.batches.assemble import knows
from jointrec.splits import TRAIN

SHOP, PLAN, PREPARED = prepared()
ASSEMBLE = Assembler(PREPARED, PLAN, last=3)


def batch_of(name: str, rows: list[int], **how: object) -> Batch:
    return ASSEMBLE([(PREPARED.asked[name], np.array(rows))], **how)  # type: ignore[arg-type]


@pytest.fixture
def whole() -> Batch:
    return ASSEMBLE([(asked, np.arange(len(asked))) for asked in PREPARED.asked.values()])


def test_every_distinct_thing_moment_and_table_row_stands_once(whole: Batch) -> None:
    for codes in (whole.touched, *whole.codes.values()):
        assert len(codes.unique()) == len(codes)
    impressions = whole.examples[0]
    asked = PREPARED.asked["impression"]
    pairs = {
        (int(asked.moments["user"].things[at]), int(time))
        for at, time in zip(asked.at["user"], asked.times, strict=True)
    }
    assert len(impressions.moments["user"].things) == len(pairs) < len(asked) / 3
    read = {
        int(code) for fields in whole.things.values() for code in whole.touched[fields.ids].ravel()
    }
    assert len(whole.codes["user"]) == len(PREPARED.things["user"].keys)
    assert read <= set(whole.touched.tolist())


@pytest.mark.parametrize("name", PREPARED.asked)
def test_rows_read_what_was_prepared(name: str) -> None:
    rows = [7, 3, 3, 11]
    asked = PREPARED.asked[name]
    batch = batch_of(name, rows)
    (examples,) = batch.examples
    assert len(examples) == len(batch) == len(rows)
    for entity in examples.grain.sees:
        moments, at = examples.moments[entity], examples.at[entity]
        expected = asked.moments[entity].things[asked.at[entity][rows]]
        codes = batch.codes[entity][moments.things[at]]
        assert codes.tolist() == expected.tolist()
        np.testing.assert_array_equal(
            moments.numbers[at], asked.moments[entity].numbers[asked.at[entity][rows]]
        )
        ids = batch.touched[batch.things[entity].ids[moments.things[at]]]
        np.testing.assert_array_equal(ids, PREPARED.things[entity].fields.ids[expected])
    np.testing.assert_array_equal(batch.touched[examples.context.ids], asked.context.ids[rows])
    np.testing.assert_array_equal(examples.clock, asked.clock[rows])
    for pair, counts in asked.pairs.items():
        np.testing.assert_array_equal(examples.pairs[pair], counts[rows])


def test_bags_keep_their_values() -> None:
    batch = batch_of("impression", list(range(40)))
    fields = batch.things["item"]
    (bag,) = fields.bags
    (source,) = PREPARED.things["item"].fields.bags
    for n, code in enumerate(batch.codes["item"].tolist()):
        own = batch.touched[bag.values[bag.offsets[n] : bag.offsets[n + 1]]]
        expected = source.values[source.offsets[code] : source.offsets[code + 1]]
        assert own.tolist() == expected.tolist()


def test_history_is_the_newest_events_before_the_moment() -> None:
    asked, past = PREPARED.asked["user before purchase"], PREPARED.past["user"]
    rows = np.arange(60)
    batch = batch_of("user before purchase", rows.tolist())
    (examples,) = batch.examples
    moments, source = examples.moments["user"], asked.moments["user"]
    history = moments.history
    assert history is not None
    assert history.there.shape[1] == 3  # users did up to four things, three are read
    for row in rows:
        own, at = int(examples.at["user"][row]), int(asked.at["user"][row])
        events = range(source.start[at], source.stop[at])[-3:]
        there = history.there[own]
        assert there.tolist() == [False] * (3 - len(events)) + [True] * len(events)
        assert history.kinds[own][there].tolist() == [int(past.kinds[event]) for event in events]
        items = batch.codes["item"][history.objects["item"][own][there]].tolist()
        assert items == [int(past.objects["item"][event]) for event in events]
        assert source.times is not None
        seconds = [(source.times[at] - past.times[event]) // 1_000_000 for event in events]
        ages = [int(np.floor(np.log2(1 + second))) for second in seconds]
        assert history.ages[own][there].tolist() == ages
        assert history.kinds[own][~there].tolist() == [0] * (3 - len(events))
    assert set(history.objects["item"][~history.there].tolist()) <= {0}
    assert batch.codes["item"][0] == 0  # so position 0 means none


def test_ages_are_exact_at_powers_of_two() -> None:
    numbers = 2.0 ** np.arange(31)
    assert (np.frexp(numbers)[1] - 1).tolist() == list(range(31))


def test_labels_are_known_only_in_their_part() -> None:
    asked = PREPARED.asked["impression"]
    batch = batch_of("impression", list(range(len(asked))), part=TRAIN)
    (examples,) = batch.examples
    for task, known in examples.known.items():
        expected = (asked.parts[task] == TRAIN) & ~np.isnan(asked.labels[task])
        np.testing.assert_array_equal(known, expected)
        np.testing.assert_array_equal(knows(asked, task, TRAIN), expected)
        assert not examples.labels[task].isnan().any()
        np.testing.assert_array_equal(
            examples.labels[task][known], asked.labels[task][expected].astype(np.float32)
        )


def test_a_whole_catalogue_stands_in_its_own_order() -> None:
    asked = PREPARED.asked["user before purchase"]
    batch = batch_of("user before purchase", list(range(50)))
    (examples,) = batch.examples
    candidates = examples.candidates["next"]
    assert candidates.log_q is None
    assert batch.codes["item"][candidates.positions].tolist() == list(range(1, 17))
    chosen = candidates.positions[examples.labels["next"].long()]
    assert batch.codes["item"][chosen].tolist() == asked.labels["next"][:50].tolist()
    assert asked.times is not None
    counts = PREPARED.popularity["next"].counts
    days = np.clip(asked.times[:50] // DAY, 0, len(counts) - 1)
    np.testing.assert_array_equal(candidates.counts[candidates.days], counts[days][:, 1:])


def test_nothing_is_known_where_only_answers_are_asked() -> None:
    asked = replace(PREPARED.asked["impression"], labels={}, parts={})
    batch = ASSEMBLE([(asked, np.arange(5))])
    assert batch.examples[0].known == {}
    assert torch.equal(
        batch.examples[0].clock, batch_of("impression", list(range(5))).examples[0].clock
    )
