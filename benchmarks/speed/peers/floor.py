"""How fast a step could be if it were nothing but its matrix products: the product floor.

The products of the model forwards, and twice as many backwards, in the shapes of a step, in memory
that is there before. Embeddings, losses, activations and the optimizer are free here.
"""

from __future__ import annotations

import json
import time

import numpy as np
import torch
from job import BATCH, EXPERTS, TOWER, WIDTH, WIDTHS
from results import machine
from torch import Tensor

INPUTS, TASKS = 20 * WIDTH + 10, 4


def shapes() -> list[tuple[int, int]]:
    """The layers of the model: numbers in, numbers out. The first of all experts is one product."""
    experts = [(INPUTS, EXPERTS * WIDTHS[0])] + [(WIDTHS[0], WIDTHS[1])] * EXPERTS
    return experts + [(INPUTS, EXPERTS * TASKS)] + [(WIDTHS[1], TOWER)] * TASKS


def flops() -> int:
    """Of one row, forwards and backwards."""
    return 3 * sum(2 * inner * outer for inner, outer in shapes())


def step(kind: torch.dtype) -> list[tuple[Tensor, ...]]:
    """For each layer: input, weight, output, and where the two gradients go."""

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape).to(kind)

    return [
        (drawn(BATCH, i), drawn(i, o), drawn(BATCH, o), drawn(BATCH, i), drawn(i, o))
        for i, o in shapes()
    ]


def measured(kind: torch.dtype, repeats: int = 30) -> dict[str, float]:
    """Rows for each second of processor time: the median of some steps, and the best."""
    layers, spent = step(kind), []
    for number in range(repeats + 3):
        begun = time.process_time()
        for x, weight, y, to_x, to_weight in layers:
            torch.mm(x, weight, out=y)
            torch.mm(y, weight.T, out=to_x)
            torch.mm(x.T, y, out=to_weight)
            y.fill_(0.01)  # no number grows from step to step
        if number >= 3:
            spent.append(time.process_time() - begun)
    return {
        "rows_per_cpu_s": round(BATCH / float(np.median(spent))),
        "best": round(BATCH / min(spent)),
        "gigaflops": round(flops() * BATCH / float(np.median(spent)) / 1e9, 1),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    kinds = {"fp32": torch.float32}
    if machine()["bf16_products"]:
        kinds["bf16"] = torch.bfloat16
    print("\n" + json.dumps({name: measured(kind) for name, kind in kinds.items()}))
