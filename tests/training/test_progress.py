import io
import json
from pathlib import Path

from rich.console import Console

from jointrec.training import Epoch, Progress, live_watch
from jointrec.training.live import LiveWatch, picture, spell

STEP = Progress(2, 5, 3, 10, 1234.0, 83.0, {"click": 0.5, "buy": 0.25})
EPOCH = Epoch(1, {"click": 0.5, "odd": 0.7}, {"click": 0.4}, 5000, 2.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_outside_a_terminal_there_is_one_line_a_pass() -> None:
    stream = io.StringIO()
    with live_watch(stream=stream) as watch:
        watch.stage("train")
        for _ in range(3):
            watch.step(STEP)
        watch.epoch(EPOCH)
        watch.say("done")
        watch.measuring("click", "joint")
    assert stream.getvalue().splitlines() == [
        "train …",
        "  pass 2 · 2,500 rows/s · click 0.5000 (validation 0.4000), odd 0.7000",
        "  done",
    ]


def test_the_log_keeps_a_line_for_each_pass_and_is_added_to(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.jsonl"
    for _ in range(2):
        with live_watch(path, stream=io.StringIO()) as watch:
            watch.stage("train")
            watch.step(STEP)
            watch.epoch(EPOCH)
            watch.say("寒い")
            watch.measuring("click", "joint")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [next(key for key in line if key != "time") for line in lines] == [
        "stage",
        "epoch",
        "say",
    ] * 2
    assert lines[1]["epoch"]["valid"] == {"click": 0.4}
    assert lines[2]["say"] == "寒い"


def test_a_terminal_sees_pace_time_left_and_losses() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(picture("train", STEP, {"click": 0.4, "odd": 0.7}))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]
    for text in (
        "train",
        "pass 2/5",
        "1,234 rows/s",
        "at most 1 min 23 s left",
        "click",
        "0.2500",
        "0.4000",
    ):
        assert text in drawn
    (odd,) = [line for line in drawn.splitlines() if line.startswith("odd")]
    assert odd.split() == ["odd", "done", "0.7000"]


def test_a_terminal_gets_a_live_picture() -> None:
    stream = Terminal()
    with live_watch(stream=stream) as watch:
        assert isinstance(watch, LiveWatch)
        watch.stage("train")
        watch.step(STEP)
        watch.epoch(EPOCH)
        watch.say("[kept] as it is")
        watch.measuring("click", "joint")
    assert "[kept] as it is" in stream.getvalue()


def test_times_are_spelled() -> None:
    assert (spell(59.4), spell(60), spell(3601)) == ("59 s", "1 min 00 s", "60 min 01 s")
