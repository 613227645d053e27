import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.batches import candidates
from jointrec.batches.candidates import among, counted, everything, sampled, shares
from jointrec.prepare.prepared import Popularity


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(0, 5))
def test_what_was_chosen_is_always_there_and_the_unknown_thing_never(
    chosen: list[int], seed: int
) -> None:
    choice = sampled(np.array(chosen, dtype=np.int64), np.full(50, 1 / 50), (seed,), draws=10)
    assert set(chosen) <= set(choice.codes.tolist()) <= set(range(1, 51))
    assert (np.diff(choice.codes) > 0).all()
    places = among(choice, np.array(chosen, dtype=np.float64))
    np.testing.assert_array_equal(choice.codes[places.astype(int)], chosen)


def test_the_chance_of_standing_here_is_the_one_that_is_said() -> None:
    """The slow way: draw many batches and count how often each candidate stands in one."""
    size, rows, draws, rounds = 12, 5, 6, 4000
    share = np.arange(1, size + 1) / np.arange(1, size + 1).sum()
    chance = np.random.default_rng(0)
    said, seen = np.full(size, np.nan), np.zeros(size)
    for n in range(rounds):
        chosen = 1 + chance.choice(size, rows, p=share)
        choice = sampled(chosen, share, (n,), draws=draws)
        assert choice.log_q is not None
        seen[choice.codes - 1] += 1
        said[choice.codes - 1] = np.exp(choice.log_q)
    error = np.sqrt(said * (1 - said) / rounds)
    assert (np.abs(seen / rounds - said) < 4.5 * error).all()


def test_a_whole_catalogue_needs_no_correction() -> None:
    choice = everything(4)
    assert choice.codes.tolist() == [1, 2, 3, 4]
    assert choice.log_q is None
    np.testing.assert_array_equal(among(choice, np.array([4.0, 1.0])), [3.0, 0.0])


def test_shares_count_known_labels() -> None:
    assert shares(np.array([1.0, 3.0, 3.0, np.nan]), 4).tolist() == [1 / 3, 0, 2 / 3, 0]
    assert shares(np.array([np.nan]), 2).tolist() == [0, 0]


@pytest.mark.parametrize("codes", [[1, 2, 3], [3], [1, 3]])
def test_moments_outside_the_counted_days_read_the_nearest(codes: list[int]) -> None:
    counts = np.arange(2 * 4 * 1, dtype=np.float32).reshape(2, 4, 1)
    times = np.array([0, 10, 11, 99]) * candidates.DAY
    found, days = counted(Popularity(10, counts), times, np.array(codes))
    np.testing.assert_array_equal(found[days], counts[[0, 0, 1, 1]][:, codes])
