import math

import pytest
import torch
from shop_prepared import prepared, project

from jointrec.budget import Budget
from jointrec.network import JointNetwork
from jointrec.training import Watch
from jointrec.training.ranked import ndcg
from jointrec.training.run import Run


def test_what_is_level_stands_before_the_right_one() -> None:
    found = ndcg(torch.zeros(1, 3), torch.tensor([1]))
    assert found.tolist() == pytest.approx([1 / math.log2(4)])


def test_of_a_sample_each_stands_for_those_left_out() -> None:
    """Of 4,000 of which 400 are drawn, one above the right one stands for ten."""
    log_q = torch.full((400,), math.log(0.1))
    scores = torch.arange(400.0).flip(0)[None] - log_q
    found = ndcg(scores, torch.tensor([20]), log_q)
    assert found.tolist() == pytest.approx([1 / math.log2(2 + 200)])


def test_of_few_validation_rows_the_loss_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance would choose by the order of a few dozen rows."""
    made = prepared(project(budget=Budget(epochs=1, rows=128)))
    assert not Run(*made).ordered
    monkeypatch.setattr("jointrec.training.run.ENOUGH", 1)
    assert Run(*made).ordered == {"next"}


def test_the_pass_with_the_best_order_serves_whatever_its_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Losses rise while orders get better, as of a network that becomes too sure of itself."""
    monkeypatch.setattr("jointrec.training.run.ENOUGH", 1)
    torch.manual_seed(0)
    run = Run(*prepared(project(budget=Budget(epochs=4, rows=128, patience=1))))
    validate, passes = run._validate, iter(((1.0, 0.2), (2.0, 0.3), (3.0, 0.25), (4.0, 0.26)))

    def judged() -> tuple[dict[str, float], dict[str, float]]:
        losses, _ = validate()
        loss, high = next(passes)
        return losses | {"next": loss}, {"next": high}

    run._validate = judged  # type: ignore[method-assign]
    for _ in range(4):
        run.one_epoch(Watch())
    assert run.stopping.kept["next"] == 1
    assert "next" not in run.stopping.active


def test_validation_measures_the_order_of_what_is_ranked() -> None:
    torch.manual_seed(0)
    run = Run(*prepared(project(budget=Budget(epochs=1, rows=128))))
    run.one_epoch(Watch())
    assert set(run.log[0].ndcg) == {"next"}
    assert 0 < run.log[0].ndcg["next"] <= 1
    assert isinstance(run.networks()["next"], JointNetwork)
