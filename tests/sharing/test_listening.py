"""What readers hear, there and back: the loops against the passes of PyTorch."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from jointrec.functional import compiled
from jointrec.functional.compiled import at_once, parts_of
from jointrec.sharing.listening import heard_of

EVERY = torch.tensor([[0, 1, 2], [0, 1, 2]])
SOME = torch.tensor([[2, 0], [1, 0], [1, 2], [0, 2]])


def drawn(listens: torch.Tensor, rows: int = 60, width: int = 24, kind=torch.float32):
    """What experts give, gain, shift, shares, and the gradient of what is heard."""
    chance = torch.Generator().manual_seed(0)
    experts, heard = (rows, 3, width), (rows, len(listens), width)
    shapes = [experts, (3, width), (3, width), (rows, *listens.shape), heard]
    x, gain, shift, shares, dy = (torch.randn(shape, generator=chance) for shape in shapes)
    return [x.to(kind), 1 + gain, shift, shares.softmax(2)], dy.to(kind)


def there_and_back(monkeypatch, worth: int, listens, kind=torch.float32, dropout=0.0):
    """What is heard, and the gradient of all that it is made of."""
    monkeypatch.setattr(compiled, "WORTH", worth)
    given, dy = drawn(listens, kind=kind)
    given = [x.requires_grad_() for x in given]
    torch.manual_seed(7)
    heard = heard_of(*given, listens, dropout)
    return [heard.detach(), *torch.autograd.grad(heard, given, dy)]


@pytest.fixture
def numba() -> None:
    pytest.importorskip("numba", reason="numba is not installed: pip install jointrec[fast]")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("listens", [EVERY, SOME], ids=["every", "some"])
def test_the_loops_do_what_the_passes_do(numba, monkeypatch, listens, dropout, threads) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    loops, passes = (
        there_and_back(monkeypatch, worth, listens, dropout=dropout) for worth in (1, 10**9)
    )
    for got, expected in zip(loops, passes, strict=True):
        torch.testing.assert_close(got, expected, rtol=2e-5, atol=2e-5)
    assert loops[0].abs().sum() > 0


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_answers_do_not_depend_on_what_training_compiled(numba, monkeypatch, kind) -> None:
    """Else a model that was loaded would give other bits than the one in memory."""
    given, _ = drawn(EVERY, rows=5_000, kind=kind)
    said = []
    for _ in range(2):
        with torch.no_grad():
            said.append(heard_of(*given, EVERY))
        there_and_back(monkeypatch, 1, EVERY, kind)  # compiles, and would from now on pay
    assert torch.equal(*said)


def test_in_bf16_the_loops_are_closer_to_the_truth_than_the_passes(numba, monkeypatch) -> None:
    truth = there_and_back(monkeypatch, 10**9, EVERY)
    off = []
    for worth in (1, 10**9):
        told = there_and_back(monkeypatch, worth, EVERY, torch.bfloat16)
        pairs = zip(told, truth, strict=True)
        off.append([float((x.float() - y).square().mean().sqrt()) for x, y in pairs])
    assert all(loop < 1.05 * passes for loop, passes in zip(*off, strict=True))
    assert off[0][0] < 4e-3


def test_rounds_as_pytorch_does(numba, monkeypatch) -> None:
    """One reader of one expert whose share is a power of two hears numbers of bf16 exactly."""
    monkeypatch.setattr(compiled, "WORTH", 1)
    given, _ = drawn(EVERY, kind=torch.bfloat16)
    x = given[0].requires_grad_()
    shares, first = torch.ones(len(x), 1, 1), torch.zeros(1, 1, dtype=torch.long)
    got = heard_of(x, given[1], given[2], shares, first)
    exact = torch.nn.functional.layer_norm(x.detach().double(), (24,)) * given[1] + given[2]
    expected = exact.clamp(min=0)[:, :1].to(torch.bfloat16)
    assert (got == expected).float().mean() > 0.999


def test_what_is_not_a_number_stays_so(numba, monkeypatch) -> None:
    for worth in (1, 10**9):
        monkeypatch.setattr(compiled, "WORTH", worth)
        (x, *rest), _ = drawn(EVERY)
        x[3, 1, 5] = torch.nan
        heard = heard_of(x.requires_grad_(), *rest, EVERY)
        assert torch.isnan(heard[3]).all()
        assert not torch.isnan(heard[4:]).any()


def test_the_way_back_is_that_of_differences() -> None:
    """The passes, in double: an oracle that is neither autograd nor the loops."""
    given, _ = drawn(SOME, rows=3, width=5)
    inputs = tuple(x.double().requires_grad_() for x in given)
    assert torch.autograd.gradcheck(lambda *of: heard_of(*of, SOME), inputs)


def test_parts_hold_every_row_once_and_all_are_run(monkeypatch) -> None:
    for threads, rows in ((1, 5), (3, 10), (4, 2), (2, 0)):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        parts = parts_of(rows)
        assert [row for first, last in parts for row in range(first, last)] == list(range(rows))
        seen: list[int] = []
        at_once([partial(seen.append, part) for part in range(len(parts))])
        assert sorted(seen) == list(range(len(parts)))


def test_a_job_that_fails_is_told() -> None:
    def wrong() -> None:
        raise ValueError("of the second")

    with pytest.raises(ValueError, match="of the second"):
        at_once([lambda: None, wrong])
