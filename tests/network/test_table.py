import pytest
import torch

from jointrec.batches import Bag, FieldBatch
from jointrec.functional import compiled
from jointrec.network import FusedTable
from jointrec.network.table import field_vectors, gathered, id_vectors


def test_fields_stand_side_by_side_and_bags_are_averaged() -> None:
    vectors = torch.arange(12.0).reshape(4, 3).requires_grad_()
    bag = Bag(torch.tensor([1, 3, 2]), torch.tensor([0, 2, 2, 3]))
    fields = FieldBatch(torch.tensor([[0, 1], [2, 2], [3, 0]]), (bag,), torch.zeros(3, 0))
    read = field_vectors(fields, vectors)
    v = vectors.detach()
    expected = torch.stack(
        [
            torch.cat([v[0], v[1], (v[1] + v[3]) / 2]),
            torch.cat([v[2], v[2], torch.zeros(3)]),
            torch.cat([v[3], v[0], v[2]]),
        ]
    )
    torch.testing.assert_close(read, expected, rtol=0, atol=0)
    read.sum().backward()
    # How often each row is read: a value of a bag of two counts half.
    torch.testing.assert_close(
        vectors.grad, torch.tensor([2.0, 1.5, 3.0, 1.5])[:, None].expand(4, 3), rtol=0, atol=0
    )


def test_bags_may_all_be_empty() -> None:
    bag = Bag(torch.zeros(0, dtype=torch.long), torch.zeros(3, dtype=torch.long))
    fields = FieldBatch(torch.zeros(2, 0, dtype=torch.long), (bag,), torch.zeros(2, 0))
    assert field_vectors(fields, torch.zeros(0, 5)).tolist() == [[0.0] * 5] * 2


def test_the_table_is_no_parameter_but_part_of_the_state() -> None:
    table = FusedTable(7, 2)
    assert list(table.parameters()) == []
    assert list(table.state_dict()) == ["weight"]
    assert table.width == 2


def test_a_gathered_matrix_is_a_copy() -> None:
    table = FusedTable(7, 2)
    before = table.weight.clone()
    table.gather(torch.tensor([3])).zero_()
    assert torch.equal(table.weight, before)


def test_gradients_add_up_where_a_row_is_read_twice() -> None:
    matrix = torch.zeros(3, 2, requires_grad=True)
    gathered(matrix, torch.tensor([1, 1, 0])).sum().backward()
    assert matrix.grad is not None
    assert matrix.grad.tolist() == [[1, 1], [2, 2], [0, 0]]


def test_in_bf16_gradients_add_up_in_float32() -> None:
    vectors = torch.tensor([[1.0, 2.0], [3.0, 257.0]]).requires_grad_()
    ids = torch.tensor([[0, 1]] * 1000)
    read = id_vectors(ids, vectors, torch.bfloat16)
    assert read.dtype is torch.bfloat16
    assert read[7].tolist() == [1.0, 2.0, 3.0, 256.0]
    read.sum().backward()
    assert vectors.grad is not None
    assert vectors.grad.tolist() == [[1000.0] * 2] * 2  # bf16 would end at 256


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_loop_adds_up_the_same_gradients(monkeypatch, kind, threads) -> None:
    pytest.importorskip("numba", reason="numba is not installed: pip install jointrec[fast]")
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    chance = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 9, (40, 3), generator=chance)
    dy = torch.randn(40, 3 * 5 + 2, generator=chance).to(kind)[:, :15]  # as a part of a row
    found = []
    for worth in (1, 10**9):
        monkeypatch.setattr(compiled, "WORTH", worth)
        vectors = torch.randn(9, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
        read = id_vectors(ids, vectors, kind)
        found.append([read.detach(), *torch.autograd.grad(read, vectors, dy)])
    (loop_read, loop), (read, passes) = found
    assert torch.equal(loop_read, read)
    torch.testing.assert_close(loop, passes, rtol=0, atol=2e-6)
    slow = torch.zeros(9, 5, dtype=torch.float64)
    slow.index_add_(0, ids.flatten(), dy.double().reshape(-1, 5))
    torch.testing.assert_close(loop.double(), slow, rtol=0, atol=1e-5)
