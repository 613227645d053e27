"""Pasts read in buckets of length are the same as all read at once."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from shop_prepared import prepared, project

from jointrec.batches import HistoryBatch
from jointrec.batches.past import in_runs
from jointrec.batches.pool import Pool
from jointrec.history import GRU, Attention, History, Mean, SASRec
from jointrec.network import past as module
from jointrec.network.past import PastReader, buckets


def there_of(lengths: list[int], steps: int) -> torch.Tensor:
    return torch.arange(steps) >= steps - torch.tensor(lengths, dtype=torch.long)[:, None]


def history_of(lengths: list[int], steps: int) -> HistoryBatch:
    there, chance = there_of(lengths, steps), torch.Generator().manual_seed(1)

    def drawn(least: int, most: int) -> torch.Tensor:
        some = torch.randint(least, most, there.shape, generator=chance)
        return torch.where(there, some, 0)

    return HistoryBatch(drawn(1, 4), drawn(0, 32), {"item": drawn(0, 9)}, there)


@given(st.lists(st.integers(0, 20), max_size=40), st.sampled_from([0, 10**6]))
def test_each_moment_with_a_past_is_in_one_bucket_that_holds_it(
    lengths: list[int], worth: int
) -> None:
    there = there_of(lengths, 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WORTH", worth)
        found = buckets(there)
    places = [place for rows, _ in found for place in rows.tolist()]
    assert sorted(places) == [place for place, length in enumerate(lengths) if length]
    assert all(lengths[place] <= longest for rows, longest in found for place in rows.tolist())
    assert len(found) <= (module.BUCKETS if worth == 0 else 1)


@pytest.mark.parametrize("history", [Mean(last=30), Attention(last=30, width=16)], ids=repr)
def test_buckets_change_nothing(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    reader = PastReader(history, 4, {"item": 5}).double()
    things = {"item": torch.randn(9, 5, dtype=torch.float64, requires_grad=True)}
    past = history_of([0, 1, 30, 4, 17, 2, 9, 0, 30, 8], 30)
    found = {}
    for worth in (0, 10**6):
        monkeypatch.setattr(module, "WORTH", worth)
        vectors = reader(past, {"item": reader.about("item", things["item"])})
        weights = [things["item"], *reader.parameters()]
        gradients = torch.autograd.grad(vectors.square().sum(), weights, allow_unused=True)
        found[worth] = [vectors, *(g for g in gradients if g is not None)]
    for one, other in zip(*found.values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    assert not found[0][0][[0, 7]].any()
    assert found[0][0][1].any()


def test_nobody_with_a_past_is_nothing() -> None:
    reader = PastReader(Mean(), 4, {"item": 5})
    vectors = reader(history_of([0, 0], 3), {"item": torch.randn(9, 32)})
    assert vectors.tolist() == torch.zeros(2, 32).tolist()


@pytest.mark.parametrize("history", [SASRec(last=3, width=8), GRU(last=3, width=8)], ids=repr)
def test_moments_that_share_a_run_read_what_each_would_read_alone(history: History) -> None:
    """Against the slow way: one run for each moment. Gradients too."""
    shop, _plan, arrays = prepared(project(history=history))
    asked = arrays.asked["user before purchase"]
    moments, rows = asked.moments["user"], np.arange(len(asked.moments["user"].things))
    torch.manual_seed(0)
    reader = PastReader(shop.history, len(arrays.layout.kinds["user"]), {"item": 5}).double().eval()
    with torch.no_grad():
        reader.since.normal_()
    things = torch.randn(17, 5, dtype=torch.float64)  # 16 items and the unknown one

    def read(some: np.ndarray) -> tuple[torch.Tensor, int]:
        pool = {name: Pool(2 * len(table.keys)) for name, table in arrays.things.items()}
        for own in pool.values():
            own.add(np.zeros(1, dtype=np.int64))
        batch = in_runs(arrays.past["user"], moments, some, 3, pool)
        codes = torch.from_numpy(pool["item"].close())
        about = {"item": reader.about("item", things[codes])}
        about |= dict.fromkeys(reader.objects, about["item"])
        return reader(batch, about), len(batch.there)

    together, runs = read(rows)
    alone = torch.cat([read(rows[n : n + 1])[0] for n in rows])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-12)
    assert 0 < runs < (moments.stop > moments.start).sum()
    gradients = [
        torch.autograd.grad(found.square().sum(), list(reader.parameters()), allow_unused=True)
        for found in (together, alone)
    ]
    for one, other in zip(*gradients, strict=True):
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)
