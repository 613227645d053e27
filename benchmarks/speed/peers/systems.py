"""Which systems are measured, where, and with what: one line for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class System:
    """A system under measurement.

    :param name: How it is called in results.
    :param script: Its file.
    :param environment: The name of its environment; empty for that of this project.
    :param words: What else its script is told.
    :param levels: At which sizes of the ids it runs.
    :param once: Measured in the first round only, for context.
    :param model: ``mmoe``, or ``dense`` for the small one: only equal models are compared.
    """

    name: str
    script: str
    environment: str
    words: tuple[str, ...] = ()
    levels: tuple[str, ...] = ("1k", "100k", "1M")
    model: str = "mmoe"
    once: bool = False

    @property
    def own(self) -> bool:
        """Whether it is JointRec."""
        return not self.environment


LEVELS = {"1k": 1_000, "100k": 100_000, "1M": 1_000_000, "1M met": 1_000_000}
"""Ids that a column can hold. At ``1M met`` the peers get numbered ids: a vector for each id that
training rows hold, as JointRec makes them, and none for the others."""

SMALL = ("1k", "100k")
EVERY = (*SMALL, "1M", "1M met")

SYSTEMS = (
    System("jointrec", "run_jointrec.py", "", ("--precision", "auto")),
    System("jointrec fp32", "run_jointrec.py", "", ("--precision", "fp32"), once=True),
    System("torch-rechub", "run_torch_rechub.py", "torch-rechub", levels=EVERY),
    System("deepctr-torch", "run_deepctr_torch.py", "deepctr-torch", levels=EVERY),
    System("plain torch", "run_plain_torch.py", "plain-torch", levels=EVERY),
    System("fuxictr", "run_fuxictr.py", "fuxictr", levels=EVERY),
    System("keras", "run_keras.py", "keras", levels=SMALL),
    System("jointrec dense", "run_jointrec.py", "", ("--dense", "--precision", "auto"), SMALL,
           "dense"),
    System("keras dense", "run_keras.py", "keras", ("--dense",), SMALL, "dense"),
    System("plain torch dense", "run_plain_torch.py", "plain-torch", ("--dense",), SMALL, "dense"),
)  # fmt: skip

SEQUENCES = (
    System("jointrec", "run_sequences.py", ""),
    System("plain transformer", "run_plain_sequences.py", "plain-torch"),
    System("torch-rechub DIN, one task", "run_rechub_sequences.py", "torch-rechub"),
    System("deepctr-torch DIN, one task", "run_deepctr_sequences.py", "deepctr-torch"),
)
"""Those that can read a past of 50 events."""

LIGHTGBM = System("lightgbm", "run_lightgbm.py", "lightgbm", levels=("1k",))


def of_level(level: str) -> Sequence[System]:
    """The systems that run at a size of the ids."""
    return [system for system in SYSTEMS if level in system.levels]
