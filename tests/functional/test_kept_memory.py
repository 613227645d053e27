"""What a step frees serves the next one, and goes back to the system in the end."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from jointrec.functional import memory

STEPS = """
import resource, torch
from contextlib import nullcontext
from jointrec.functional.memory import freed_is_kept

def faults(within):
    torch.set_num_threads(1)
    with within:
        for step in range(12):
            if step == 2:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            held = [torch.ones(size << 18) for size in (3, 17, 5, 24)]
            del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults(nullcontext()), faults(freed_is_kept()))
"""


@pytest.mark.skipif(memory._glibc() is None, reason="the C library is not glibc")
def test_what_a_step_frees_is_not_asked_for_again() -> None:
    """Counted in a process of its own: pages are the same whatever else the machine does."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    handed_back, kept = map(int, done.stdout.split())
    assert handed_back > 10 * max(kept, 100)


def test_where_the_library_is_another_one_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    with memory.freed_is_kept():
        assert resource.getpagesize()
