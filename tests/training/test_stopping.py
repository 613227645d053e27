import json

import pytest
from shop_prepared import project

from jointrec.training.stopping import Stopping, components

SCALES = {"a": 1.0, "b": 2.0, "c": 1.0}


def test_linked_tasks_stop_together() -> None:
    shop = project()
    assert components(shop, tuple(shop.tasks)) == [
        ("click", "buy", "spent"), ("grade",), ("next",), ("odd",),
    ]  # fmt: skip
    assert components(shop, ("click", "spent")) == [("click",), ("spent",)]


def test_each_component_keeps_its_own_best_pass() -> None:
    stopping = Stopping([("a", "b"), ("c",)], SCALES, patience=2)
    stopping.update(0, {"a": 0.8, "b": 1.0, "c": 0.5})
    stopping.update(1, {"a": 0.9, "b": 0.6, "c": 0.6})  # a/1 + b/2: 1.2, after 1.3
    assert stopping.kept == {"a": 1, "b": 1, "c": 0}
    assert stopping.active == ("a", "b", "c")
    stopping.update(2, {"a": 0.9, "b": 0.6, "c": 0.5})  # level is not better
    assert stopping.active == ("a", "b")
    stopping.update(3, {"a": 0.1, "b": 0.1})
    assert stopping.kept == {"a": 3, "b": 3, "c": 0}
    stopping.update(4, {"a": 0.2, "b": 0.1})
    stopping.update(5, {"a": 0.2, "b": 0.1})
    assert stopping.active == ()


def test_a_stopped_component_stays_as_it_was() -> None:
    stopping = Stopping([("a",), ("b",)], SCALES, patience=1)
    stopping.update(0, {"a": 0.5, "b": 2.0})
    stopping.update(1, {"a": 0.6, "b": 1.0})
    stopping.update(2, {"a": 0.1, "b": 0.5})
    assert stopping.kept == {"a": 0, "b": 2}


def test_without_validation_rows_a_task_follows_the_others() -> None:
    stopping = Stopping([("a",), ("b",), ("c",)], SCALES, patience=2)
    stopping.update(0, {"a": 1.0, "b": 1.0})
    stopping.update(1, {"a": 0.4, "b": 1.6})  # the mean of 0.4 and 0.8 is below that of 1 and 0.5
    stopping.update(2, {"a": 0.5, "b": 1.6})
    assert stopping.kept == {"a": 1, "b": 0, "c": 1}
    assert stopping.active == ("a", "c")
    stopping.update(3, {"a": 0.5, "b": 1.6})
    assert stopping.active == ()  # nobody is left to follow


def test_where_nothing_is_validated_the_last_pass_serves() -> None:
    stopping = Stopping([("a",), ("b",)], SCALES, patience=1)
    for epoch in range(4):
        stopping.update(epoch, {})
    assert stopping.kept == {"a": 3, "b": 3}
    assert stopping.active == ("a", "b")


def test_what_is_ranked_learns_on_while_its_loss_falls() -> None:
    """The real shop: a dip of .001 in the order after the second pass, with a lower loss."""
    stopping = Stopping([("a",), ("b",)], SCALES, patience=1, ordered=["a"])
    for epoch, (loss, ndcg) in enumerate([(4.380, 0.3218), (4.377, 0.3208), (4.370, 0.32)]):
        stopping.update(epoch, {"a": loss, "b": 1.0 + epoch}, {"a": ndcg})
    assert stopping.courses[0].stale == 0
    assert stopping.active == ("a",)  # of another task a single worse pass is enough
    stopping.update(3, {"a": 4.39}, {"a": 0.3301})
    assert stopping.kept == {"a": 3, "b": 0}


def test_one_worse_pass_may_be_chance_two_are_not() -> None:
    stopping = Stopping([("a",)], SCALES, patience=1, ordered=["a"])
    for epoch, (loss, ndcg) in enumerate([(2.0, 0.3), (2.1, 0.29), (2.2, 0.31), (2.3, 0.31)]):
        stopping.update(epoch, {"a": loss}, {"a": ndcg})
    assert stopping.active == ("a",)
    stopping.update(4, {"a": 2.4}, {"a": 0.30})
    assert (stopping.active, stopping.kept) == ((), {"a": 2})


def test_the_order_of_other_tasks_is_not_asked() -> None:
    stopping = Stopping([("a",)], SCALES, patience=1)
    stopping.update(0, {"a": 2.0}, {"a": 0.3})
    stopping.update(1, {"a": 2.1}, {"a": 0.9})
    assert (stopping.active, stopping.kept) == ((), {"a": 0})


@pytest.mark.parametrize("passes", [0, 1, 3])
def test_its_state_survives_json(passes: int) -> None:
    stopping = Stopping([("a", "b"), ("c",)], SCALES, patience=2, ordered=["c"])
    for epoch in range(passes):
        losses = {"a": 1.0 + epoch, "b": 1.0, "c": 1.0 / (1 + epoch)}
        stopping.update(epoch, losses, {"c": 1.0 / (2 + epoch)})
    again = Stopping([("a", "b"), ("c",)], SCALES, patience=2, ordered=["c"])
    again.load(json.loads(json.dumps(stopping.state())))
    assert (again.active, again.kept, again.state()) == (
        stopping.active, stopping.kept, stopping.state(),
    )  # fmt: skip
