"""How many threads a step gets follows from the project alone."""

import torch

from jointrec.training.threads import NUMBERS_A_THREAD, threads, threads_for


def test_large_products_get_more_threads_and_never_more_than_there_are() -> None:
    with threads(4):
        assert threads_for(1, 1) == 1
        assert threads_for(NUMBERS_A_THREAD * 2 - 1, 1) == 1
        assert threads_for(NUMBERS_A_THREAD // 100 * 3, 100) == 3
        assert threads_for(NUMBERS_A_THREAD, 1000) == 4
    with threads(1):
        assert threads_for(NUMBERS_A_THREAD, 1000) == 1


def test_the_number_is_put_back_after_a_failure() -> None:
    before = torch.get_num_threads()
    try:
        with threads(before + 1):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert torch.get_num_threads() == before
