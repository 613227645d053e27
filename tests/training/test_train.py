from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import small_grains_seldom
from shop_prepared import impressions, prepared, project

from jointrec.balancing import Normalized, Uncertainty
from jointrec.batches import order
from jointrec.budget import Budget
from jointrec.errors import BundleError, DataError, ProjectError
from jointrec.network import JointNetwork, answers_of
from jointrec.optimizers import SGD, AdamW
from jointrec.plan import plan
from jointrec.sharing import PLE, MMoE, SharedBottom
from jointrec.splits import TEST, TRAIN
from jointrec.training import Epoch, Interrupted, Progress, Trained, Watch, alone, train
from jointrec.training.losses import ENOUGH, summed, to_learn
from jointrec.training.run import Run


def run(**changes: Any) -> Run:
    torch.manual_seed(0)
    return Run(*prepared(project(**changes)))


def same(one: Trained, other: Trained) -> None:
    """Bit for bit: weights, kept passes, losses."""
    assert one.epochs == other.epochs
    assert [(e.number, e.losses, e.valid, e.rows) for e in one.log] == [
        (e.number, e.losses, e.valid, e.rows) for e in other.log
    ]
    for task, network in one.networks.items():
        theirs = other.networks[task].weights()
        for name, weight in network.weights().items():
            assert torch.equal(weight, theirs[name]), (task, name)


class Stop(Watch):
    """Presses Ctrl-C in the middle of a pass."""

    def __init__(self, epoch: int, step: int) -> None:
        self.at = (epoch, step)

    def step(self, progress: Progress) -> None:
        if (progress.epoch, progress.step) == self.at:
            raise KeyboardInterrupt


# Losses


def test_unknown_labels_have_no_gradient() -> None:
    training = run()
    (batch, *_) = training.loader.epoch(0)
    before = training.network(batch)
    sums, counts = summed(training.project, training.tasks, before, batch)
    examples = {e.grain.name: e for e in batch.examples}["impression"]
    for task in ("click", "buy"):
        known = examples.known[task]
        assert 0 < known.sum() < len(known)
        outputs = before[task].detach().requires_grad_()
        total, number = summed(training.project, (task,), {**before, task: outputs}, batch)
        total.sum().backward()
        assert outputs.grad is not None
        assert outputs.grad[~known].abs().max() == 0
        assert number.tolist() == [int(known.sum())]
        rows = training.project.tasks[task].loss(outputs[known], examples.labels[task][known])
        torch.testing.assert_close(total[0], rows.sum().float())
    assert sums.shape == counts.shape == (6,)


def test_a_task_without_a_known_row_leads_to_no_weight() -> None:
    training = run()
    (batch, *_) = training.loader.epoch(0)
    blank = replace(
        batch,
        examples=tuple(
            replace(e, known={task: known & (task != "grade") for task, known in e.known.items()})
            for e in batch.examples
        ),
    )
    sums, counts = summed(training.project, training.tasks, training.network(blank), blank)
    place = training.tasks.index("grade")
    assert (sums[place].item(), counts[place].item()) == (0, 0)
    assert to_learn(sums, counts).isfinite().all()
    means = to_learn(sums, counts)
    gradients = torch.autograd.grad(
        means[place] + 0 * means.sum(), training.dense, allow_unused=True
    )
    assert all(g is None or not g.any() for g in gradients)


def test_the_mean_is_over_known_rows_and_few_rows_count_in_proportion() -> None:
    sums = torch.tensor([50.0, 4.0, 0.0])
    counts = torch.tensor([100, 4, 0])
    assert to_learn(sums, counts).tolist() == [0.5, 4 / ENOUGH, 0.0]


def test_a_step_moves_only_the_rows_of_the_table_that_it_touches() -> None:
    training = run()
    before = training.network.table.weight.clone()
    (batch, *_) = training.loader.epoch(0)
    for step in (1, 2):  # heads start at zero, so the first step moves nothing below them
        training._step(batch, training.tasks, step)
    moved = (training.network.table.weight != before).any(dim=1)
    touched = torch.zeros_like(moved)
    touched[batch.touched] = True
    assert not (moved & ~touched).any()
    assert moved.sum() > 40
    assert (training.table_state[~touched] == 0).all()


# Whole runs

SHARINGS = [
    SharedBottom(widths=(32, 16)),
    pytest.param(MMoE(widths=(32, 16)), marks=pytest.mark.slow),
    pytest.param(PLE(widths=(32, 16)), marks=pytest.mark.slow),
]


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_a_checkerboard_is_learned(sharing: Any) -> None:
    shop, planned, arrays = prepared(
        project(
            sharing=sharing,
            tasks={
                name: task
                for name, task in project().tasks.items()
                if name in ("click", "buy", "grade")
            },
            budget=Budget(epochs=6, rows=256, patience=6),
        ),
        impression=impressions(plan(project()).grains[0], rows=4000),
    )
    trained = train(shop, planned, arrays)
    for task in ("click", "buy"):
        asked = arrays.asked["impression"]
        rows = np.flatnonzero((asked.parts[task] == TEST) & ~np.isnan(asked.labels[task]))
        answers = np.concatenate(
            [
                piece[task]
                for piece in answers_of(trained.networks[task], arrays, asked, (task,), rows)
            ]
        )
        right = (answers > 0.5) == (asked.labels[task][rows] > 0.5)
        assert right.mean() > 0.95, task


CHANCES = [
    {},
    {
        "sharing": PLE(widths=(16, 8), dropout=0.2),
        "balancing": Uncertainty(),
        "optimizer": SGD(lr=0.01),
    },
]


@pytest.fixture
def few_steps() -> Iterator[None]:
    """Passes so short that nothing is learned: for what is the same however long they are."""
    with small_grains_seldom(steps=6):
        yield


@pytest.mark.usefixtures("few_steps")
def test_the_same_run_gives_the_same_bits() -> None:
    """Of other settings the interrupted run says so too, which begins twice."""
    settings = {"budget": Budget(epochs=1, rows=256)}
    first = train(*prepared(project(**settings)))
    torch.rand(3)  # what others draw from the same well changes nothing
    same(first, train(*prepared(project(**settings))))


@pytest.mark.usefixtures("few_steps")
def test_training_leaves_the_chance_of_others_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    train(*prepared(project(budget=Budget(epochs=1))))
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(("changes", "epochs"), [(CHANCES[0], 3), (CHANCES[1], 2)], ids=repr)
def test_an_interrupted_run_goes_on_to_the_same_bits(
    changes: Mapping[str, Any], epochs: int, tmp_path: Path
) -> None:
    budget = Budget(epochs=epochs, rows=256, patience=1)
    shop, planned, arrays = prepared(project(**changes, budget=budget))
    whole = train(shop, planned, arrays)
    with pytest.raises(
        Interrupted, match=r"after 1 whole pass\. They are safe in .*--resume"
    ) as error:
        train(shop, planned, arrays, checkpoint=tmp_path / "c", watch=Stop(2, 3))
    assert error.value.checkpoint == tmp_path / "c"
    same(whole, train(shop, planned, arrays, checkpoint=tmp_path / "c", resume=True))
    # A finished run is only read.
    same(
        whole,
        train(shop, planned, arrays, checkpoint=tmp_path / "c", resume=True, watch=Stop(1, 1)),
    )


@pytest.mark.usefixtures("few_steps")
def test_before_the_first_pass_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"after 0 whole passes\.$") as error:
        train(*prepared(), checkpoint=tmp_path / "c", watch=Stop(1, 2))
    assert error.value.checkpoint is None
    with pytest.raises(Interrupted, match="Nothing was kept"):
        train(*prepared(), watch=Stop(2, 1))


@pytest.mark.usefixtures("few_steps")
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    one_pass = Budget(epochs=1)
    train(*prepared(project(budget=one_pass)), checkpoint=tmp_path / "c")
    with pytest.raises(BundleError, match="is of another run"):
        train(
            *prepared(project(budget=one_pass, optimizer=AdamW(lr=0.5))),
            checkpoint=tmp_path / "c", resume=True,
        )  # fmt: skip
    (tmp_path / "c" / "now.safetensors").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"now\.safetensors"):
        train(*prepared(project(budget=one_pass)), checkpoint=tmp_path / "c", resume=True)


def test_each_task_is_served_from_the_pass_where_it_was_best() -> None:
    shop, planned, arrays = prepared(project(budget=Budget(epochs=5, rows=128, patience=1)))
    trained = train(shop, planned, arrays)
    assert trained.epochs["click"] == trained.epochs["buy"] == trained.epochs["spent"]
    assert trained.networks["click"] is trained.networks["buy"]
    for task in ("grade", "next"):
        log = [epoch for epoch in trained.log if task in epoch.valid]
        # What ranks a catalogue is best where its order is.
        valid = {e.number: -e.ndcg[task] if task in e.ndcg else e.valid[task] for e in log}
        stop = trained.epochs[task] + shop.budget.patience
        assert trained.epochs[task] == min((n for n in valid if n <= stop), key=lambda n: valid[n])
    for task, network in trained.networks.items():
        assert not network.training
        shared = [t for t, e in trained.epochs.items() if e == trained.epochs[task]]
        assert all(trained.networks[other] is network for other in shared)


@pytest.mark.usefixtures("few_steps")
def test_what_has_stopped_is_no_longer_learned() -> None:
    training = run(budget=Budget(epochs=9, rows=256, patience=1))
    training.one_epoch(Watch())
    course = next(c for c in training.stopping.courses if c.tasks == ("grade",))
    course.stale = 1
    head = training.network.heads[training.tasks.index("grade")]
    before = [weight.clone() for weight in head.parameters()]
    training.one_epoch(Watch())
    assert all(torch.equal(a, b) for a, b in zip(before, head.parameters(), strict=True))
    assert "grade" not in training.log[-1].losses
    assert {"click", "next"} <= set(training.log[-1].losses)
    assert "judgement" not in {e.grain.name for b in training.loader.epoch(2) for e in b.examples}


def test_a_task_alone_is_asked_the_same_rows_without_its_funnel() -> None:
    shop, _, arrays = prepared()
    single = alone(shop, "buy")
    assert list(single.tasks) == ["buy"]
    assert single.tasks["buy"].after is None
    assert single.tasks["buy"].label == shop.tasks["buy"].label
    trained = train(single, plan(single), arrays)
    network = trained.networks["buy"]
    assert list(trained.networks) == ["buy"]
    asked = arrays.asked["impression"]
    (answers,) = answers_of(network, arrays, asked, ("buy",), np.arange(50))
    assert answers["buy"].shape == (50,)
    known = ~np.isnan(asked.labels["buy"]) & (asked.parts["buy"] == TRAIN)
    assert trained.log[0].rows == known.sum() * -(
        -order.FEWEST_TAKEN // known.sum()
    )  # whole passes
    with pytest.raises(ProjectError, match="Did you mean `buy`"):
        alone(shop, "by")


@pytest.mark.usefixtures("few_steps")
def test_some_tasks_may_be_trained_together() -> None:
    shop, planned, arrays = prepared(project(budget=Budget(epochs=1)))
    trained = train(shop, planned, arrays, tasks=("buy", "grade"))
    assert set(trained.networks) == {"buy", "grade"}


def test_rows_that_were_not_prepared_cannot_be_trained_on() -> None:
    shop, planned, arrays = prepared()
    rest = {name: asked for name, asked in arrays.asked.items() if name != "judgement"}
    with pytest.raises(DataError, match="grain `judgement`: its rows were not prepared"):
        train(shop, planned, replace(arrays, asked=rest))


def test_nothing_to_train_on_is_said() -> None:
    shop, planned, arrays = prepared()
    nothing = {
        name: replace(a, parts={t: np.full_like(p, TEST) for t, p in a.parts.items()})
        for name, a in arrays.asked.items()
    }
    with pytest.raises(DataError, match="no rows to train on"):
        train(shop, planned, replace(arrays, asked=nothing))


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_task() -> None:
    shop, planned, arrays = prepared(project(balancing=Normalized()))
    asked = arrays.asked["impression"]
    asked.pairs["user", "item"][:, 0] = np.inf
    with pytest.raises(
        DataError, match=r"`click`, `buy`, `spent` is not finite in pass 1, step \d+"
    ):
        train(shop, planned, arrays)


def test_a_gradient_that_is_no_number_stops_the_run_before_it_spoils_the_weights() -> None:
    """In bf16 a layer makes 0 of what is no number: the loss is fine, only the way back is not."""
    shop, planned, arrays = prepared()
    run = Run(shop, planned, arrays)
    weight = next(run.network.heads.parameters())
    before = weight.detach().clone()
    weight.register_hook(lambda gradient: gradient * torch.nan)
    with pytest.raises(DataError, match=r"training gradient of `click`.* is not finite in pass 1"):
        run.one_epoch(Watch())
    assert torch.equal(weight.detach(), before)


@pytest.mark.usefixtures("few_steps")
def test_the_watch_sees_every_step_and_every_pass() -> None:
    class Notes(Watch):
        def __init__(self) -> None:
            self.steps: list[Progress] = []
            self.epochs: list[Epoch] = []

        def step(self, progress: Progress) -> None:
            self.steps.append(progress)

        def epoch(self, epoch: Epoch) -> None:
            self.epochs.append(epoch)

    notes = Notes()
    trained = train(*prepared(), watch=notes)
    assert trained.log == tuple(notes.epochs)
    assert [p.epoch for p in notes.steps] == [1] * notes.steps[0].steps + [2] * notes.steps[0].steps
    assert [p.step for p in notes.steps if p.epoch == 1] == [*range(1, notes.steps[0].steps + 1)]
    assert notes.steps[-1].seconds_left == 0
    assert all(p.rows_per_second > 0 for p in notes.steps)
    last = [p for p in notes.steps if p.epoch == 1][-1]
    assert last.losses == notes.epochs[0].losses
    assert "odd" not in notes.epochs[0].valid  # it has no validation rows
    assert isinstance(trained.networks["odd"], JointNetwork)
