"""Tasks alone in processes of their own: the same bits, whatever happens to a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from shop_prepared import prepared, project

from jointrec.budget import Budget
from jointrec.model.alone import Alone
from jointrec.plan import plan
from jointrec.sharing import SharedBottom
from jointrec.training import Epoch, Interrupted, Watch, alone, apart, train, worker
from jointrec.training.run import Run


class Told(Watch):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.epochs: list[Epoch] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


@pytest.fixture
def passes_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The tasks of each pass that is trained in this process."""
    tasks: list[str] = []
    whole = Run.one_epoch

    def counted(run: Run, watch: Watch) -> None:
        tasks.extend(run.tasks)
        whole(run, watch)

    monkeypatch.setattr(Run, "one_epoch", counted)
    monkeypatch.setattr(apart, "WORTH", 1)
    yield tasks


def test_whatever_happens_to_a_process_the_bits_are_the_same(passes_here: list[str]) -> None:
    tasks = {name: project().tasks[name] for name in ("grade", "odd")}
    shop, _, arrays = prepared(project(tasks=tasks, budget=Budget(epochs=1, rows=256, seed=0)))
    watch = Told()
    ways = Alone(shop, arrays, None, False, watch)
    with ways.apart(2):
        assert ways._apart is not None
        ways._apart.fill(1)
        (killed,) = ways._apart._running
        ways._apart._running[killed]._process.kill()
        found = ways.train()
    assert [*found] == [*tasks]
    assert set(passes_here) == {killed}
    assert (
        f"{killed}: its process ended with -9, so what is left of it is trained here" in watch.said
    )
    assert sorted(task for epoch in watch.epochs for task in epoch.losses) == [*tasks]
    for task in tasks:
        single = alone(shop, task)
        own = train(single, plan(single), arrays).networks[task].weights()
        for name, weight in found[task].weights().items():
            assert torch.equal(weight, own[name]), (task, name)


def test_parts_of_the_callers_own_are_trained_here(passes_here: list[str]) -> None:
    class Mine(SharedBottom):
        pass

    tasks = {name: project().tasks[name] for name in ("click", "odd")}
    shop, _, arrays = prepared(project(tasks=tasks, sharing=Mine(widths=(4,))))
    watch = Told()
    ways = Alone(replace(shop, budget=replace(shop.budget, epochs=1)), arrays, None, False, watch)
    with ways.apart(2):
        assert ways.beside() is watch
        assert [*ways.train()] == ["click", "odd"]
    assert set(passes_here) == set(tasks)
    assert "one after another: sharing: there is no kind of sharing `Mine`" in watch.said[0]


def test_few_rows_and_a_single_task_are_not_worth_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, _, arrays = prepared(project())
    assert apart.worth_apart(arrays, shop.tasks) == []
    monkeypatch.setattr(apart, "WORTH", 1)
    assert sorted(apart.worth_apart(arrays, shop.tasks)) == sorted(shop.tasks)
    assert apart.worth_apart(arrays, ["odd", "click"]) == ["click", "odd"]  # the larger first
    assert apart.worth_apart(arrays, ["click"]) == []


def test_a_process_ends_with_the_one_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    mine, theirs = os.pipe()
    os.write(theirs, b"x")
    os.close(theirs)
    worker._end_with(mine)
    os.close(mine)
    assert ended == [1]


def test_what_an_earlier_run_left_is_not_gone_on_from(tmp_path: Path) -> None:
    shop, _, arrays = prepared(project())
    checkpoints = {task: tmp_path / task for task in shop.tasks}
    for resume in (True, False):
        for path in checkpoints.values():
            path.mkdir(exist_ok=True)
        apart.Apart(shop, arrays, checkpoints, tmp_path, resume=resume)
        assert [path.exists() for path in checkpoints.values()] == [resume] * len(checkpoints)


def test_ctrl_c_while_waiting_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, _, arrays = prepared(project())

    class Pressed:
        running, passes = True, 2

        def __init__(self, words: list[str], errors: Path) -> None:
            pass

        def ended_in(self, seconds: float) -> bool:
            raise KeyboardInterrupt

        def stop(self) -> None:
            self.running = False

    monkeypatch.setattr(apart, "_Worker", Pressed)
    checkpoints = {task: tmp_path / task for task in shop.tasks}
    others = apart.Apart(shop, arrays, checkpoints, tmp_path)
    with pytest.raises(Interrupted, match=r"after 2 whole passes.*--resume"), others:
        others.wait("buy", 9, Watch())
    assert not any(worker.running for worker in others._running.values())


def test_no_more_processes_than_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, _, arrays = prepared(project())
    started: list[list[str]] = []

    class Never:
        running = True

        def __init__(self, words: list[str], errors: Path) -> None:
            started.append(words)

        def stop(self) -> None:
            pass

    monkeypatch.setattr(apart, "_Worker", Never)
    monkeypatch.setattr(apart, "_free_bytes", lambda: 2 * apart.A_PROCESS + 50_000_000)
    checkpoints = {task: tmp_path / task for task in shop.tasks}
    with apart.Apart(shop, arrays, checkpoints, tmp_path, resume=True) as others:
        others.fill(5)
        others.fill(5)
    assert [words[-3:] for words in started] == [
        [task, str(tmp_path / task), "resume"] for task in [*shop.tasks][:2]
    ]


def test_a_process_that_ends_badly_says_why(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('there is no room')"]
    process = apart._Worker(words, tmp_path / "said.txt")
    while not process.ended_in(1.0):
        pass
    assert process.failed == "its process ended with 1 (there is no room)"
    process.stop()
