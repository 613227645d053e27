import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jointrec.batches.pool import DENSE, Pool, distinct, runs


@given(st.lists(st.integers(0, 99), max_size=60), st.sampled_from([100, 100 * DENSE * 60]))
def test_distinct_is_unique_whichever_way_is_faster(codes: list[int], size: int) -> None:
    array = np.array(codes, dtype=np.int64)
    found, positions = distinct(array, size)
    expected, inverse = np.unique(array, return_inverse=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(positions, inverse)


@given(st.lists(st.integers(0, 2**40) | st.sampled_from([2**16 - 1, 2**16, 2**32, 0]), max_size=60))
def test_large_codes_are_sorted_to_the_last_bit(codes: list[int]) -> None:
    array = np.array(codes + codes[:3], dtype=np.int64)
    found, positions = distinct(array, 2**40 + 1)
    expected, inverse = np.unique(array, return_inverse=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(positions, inverse)


@given(st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=5))
def test_a_pool_leads_every_code_back_to_itself(groups: list[list[int]]) -> None:
    pool = Pool(31)
    arrays = [np.array(group, dtype=np.int64).reshape(-1, 1) for group in groups]
    positions = [pool.add(array) for array in arrays]
    found = pool.close()
    assert found.tolist() == sorted({code for group in groups for code in group})
    for array, position in zip(arrays, positions, strict=True):
        np.testing.assert_array_equal(found[position], array)


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1), st.data())
def test_runs_pick_whole_rows_of_a_ragged_column(
    column: list[list[int]], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.integers(0, len(column) - 1)))
    offsets = np.cumsum([0, *(len(row) for row in column)])
    values = np.array([value for row in column for value in row], dtype=np.int64)
    at, own = runs(offsets, np.array(rows, dtype=np.int64))
    picked = [values[at[own[n] : own[n + 1]]].tolist() for n in range(len(rows))]
    assert picked == [column[row] for row in rows]
