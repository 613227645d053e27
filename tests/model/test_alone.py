"""Tasks alone in processes of their own: the same bits, whatever happens to a process."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import torch
from shop_prepared import prepared, project

from jointrec.budget import Budget
from jointrec.model.alone import Alone
from jointrec.plan import plan
from jointrec.sharing import SharedBottom
from jointrec.training import Epoch, Interrupted, Watch, alone, apart, threads, train, worker
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


class Never:
    """In place of a process: one that begins nothing."""

    def __init__(
        self, words: list[str], errors: Path, take: Callable[[], apart._Course | None]
    ) -> None:
        pass

    def stop(self) -> None:
        pass


def test_whatever_happens_to_a_process_the_bits_are_the_same(
    passes_here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = {name: project().tasks[name] for name in ("click", "grade", "odd")}
    budget = Budget(epochs=3, rows=256, seed=0, patience=3)
    shop, _, arrays = prepared(project(tasks=tasks, budget=budget))
    watch = Told()
    ways = Alone(shop, arrays, None, False, watch)
    heard = apart._Course.hear

    def killed_in_its_second_task(course: apart._Course, told: dict[str, Any]) -> None:
        heard(course, told)
        if course.task == ways._large[1] and told.get("epoch", {}).get("number") == 1:
            assert ways._apart is not None
            ways._apart._workers[0]._process.kill()

    monkeypatch.setattr(apart._Course, "hear", killed_in_its_second_task)
    with ways.apart(2):
        assert ways._apart is not None
        (process,) = ways._apart._workers
        process._thread.join()
        found = ways.train()
    assert [*found] == [*tasks]
    _, second, third = ways._large
    passes = Counter(passes_here)
    assert [*passes] == [third, second]
    assert passes[third] == 3
    assert 0 < passes[second] < 3
    assert (
        f"{second}: its process ended with -9, so what is left of it is trained here" in watch.said
    )
    told = {(task, epoch.number) for epoch in watch.epochs for task in epoch.losses}
    assert told == {(task, number) for task in tasks for number in range(3)}
    for task in tasks:
        single = alone(shop, task)
        own = train(single, plan(single), arrays).networks[task].weights()
        for name, weight in found[task].weights().items():
            assert torch.equal(weight, own[name]), (task, name)


@pytest.mark.parametrize(
    ("processes", "here"), [(1, 8), (2, 7), (4, 5), (5, 4), (8, 4), (99, 4)]
)  # of eight threads; of the shop four tasks are large enough
def test_each_process_has_a_core_and_the_joint_network_the_others(
    processes: int, here: int, passes_here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_Worker", Never)
    monkeypatch.setattr(apart, "_free_bytes", lambda: 0)  # changes no bits: one process at least
    tasks = {name: project().tasks[name] for name in ("click", "buy", "grade", "odd")}
    shop, _, arrays = prepared(project(tasks=tasks))
    with threads(8):
        ways = Alone(shop, arrays, None, False, Watch())
        with ways.apart(processes):
            assert torch.get_num_threads() == here
        assert torch.get_num_threads() == 8
    with threads(1), ways.apart(processes):
        assert torch.get_num_threads() == 1
    assert passes_here == []


@pytest.mark.parametrize("missing", ["room", "python"])
def test_where_no_process_can_start_all_is_trained_here(
    missing: str, passes_here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    if missing == "room":
        monkeypatch.setattr(apart, "lend", full)
    else:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
    tasks = {name: project().tasks[name] for name in ("click", "odd")}
    shop, _, arrays = prepared(project(tasks=tasks, budget=Budget(epochs=1, rows=256)))
    watch = Told()
    ways = Alone(shop, arrays, None, False, watch)
    with threads(2), ways.apart(2):
        assert torch.get_num_threads() == 1, "the bits are those of a run with processes"
        assert [*ways.train()] == ["click", "odd"]
    assert sorted(passes_here) == ["click", "odd"]
    one_by_one = "tasks alone are trained one after another: No space left on device"
    assert (one_by_one in watch.said) == (missing == "room")


def test_parts_of_the_callers_own_are_trained_here(passes_here: list[str]) -> None:
    class Mine(SharedBottom):
        pass

    tasks = {name: project().tasks[name] for name in ("click", "odd")}
    shop, _, arrays = prepared(project(tasks=tasks, sharing=Mine(widths=(4,))))
    watch = Told()
    ways = Alone(replace(shop, budget=replace(shop.budget, epochs=1)), arrays, None, False, watch)
    with threads(2), ways.apart(2):
        assert torch.get_num_threads() == 2
        assert [*ways.train()] == ["click", "odd"]
    assert set(passes_here) == set(tasks)
    assert "one after another: sharing: there is no kind of sharing `Mine`" in watch.said[0]


def test_few_rows_are_not_worth_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, _, arrays = prepared(project())
    assert apart.worth_apart(arrays, shop.tasks) == []
    monkeypatch.setattr(apart, "WORTH", 1)
    assert sorted(apart.worth_apart(arrays, shop.tasks)) == sorted(shop.tasks)
    assert apart.worth_apart(arrays, ["odd", "click"]) == ["click", "odd"]  # the larger first


def test_a_process_ends_with_the_one_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    jobs = Queue[dict[str, str]]()
    worker._hear([b'{"task": "click"}\n'], jobs)
    assert jobs.get_nowait() == {"task": "click"}
    assert ended == [1]


def test_what_an_earlier_run_left_is_not_gone_on_from(tmp_path: Path) -> None:
    shop, _, arrays = prepared(project())
    checkpoints = {task: tmp_path / task for task in shop.tasks}
    for resume in (True, False):
        for path in checkpoints.values():
            path.mkdir(exist_ok=True)
        apart.Apart(shop, arrays, checkpoints, tmp_path, 1, resume=resume)
        assert [path.exists() for path in checkpoints.values()] == [resume] * len(checkpoints)


def test_ctrl_c_while_waiting_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, _, arrays = prepared(project())

    def pressed(course: apart._Course, seconds: float) -> bool:
        course.passes = 2
        raise KeyboardInterrupt

    monkeypatch.setattr(apart, "_Worker", Never)
    monkeypatch.setattr(apart._Course, "ended_in", pressed)
    checkpoints = {task: tmp_path / task for task in shop.tasks}
    others = apart.Apart(shop, arrays, checkpoints, tmp_path, 9)
    with pytest.raises(Interrupted, match=r"after 2 whole passes.*--resume"), others:
        others.wait("buy", Watch())


def test_what_is_in_the_room_is_not_said_to_be_safe(
    tmp_path: Path, passes_here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_Worker", Never)
    shop, _, arrays = prepared(project())
    for folder in (None, tmp_path):
        ways = Alone(shop, arrays, folder, False, Watch())
        with pytest.raises(Interrupted) as stopped, ways.apart(2):
            assert ways._apart is not None
            raise Interrupted(1, ways._apart.checkpoints["buy"])
        assert (f"safe in {tmp_path}" in str(stopped.value)) == (folder is not None)
        assert ("Nothing was kept" in str(stopped.value)) == (folder is None)
    assert passes_here == []


def test_no_more_processes_than_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, _, arrays = prepared(project())
    monkeypatch.setattr(apart, "_Worker", Never)
    monkeypatch.setattr(apart, "_free_bytes", lambda: 2 * apart.A_PROCESS + 50_000_000)
    checkpoints = {task: tmp_path / task for task in shop.tasks}
    for asked, started in ((1, 1), (5, 2)):
        with apart.Apart(shop, arrays, checkpoints, tmp_path, asked) as others:
            assert len(others._workers) == started


def test_a_process_that_ends_badly_says_why(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('there is no room')"]
    courses = [apart._Course(task, tmp_path / task) for task in ("buy", "click")]
    left = iter(courses)
    process = apart._Worker(words, tmp_path / "said.txt", lambda: next(left, None))
    process._thread.join()
    assert courses[0].ended_in(0)
    assert courses[0].failed == "its process ended with 1 (there is no room)"
    assert next(left) is courses[1], "it takes no other task"
    process.stop()
