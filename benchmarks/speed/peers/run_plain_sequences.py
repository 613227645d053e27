"""PyTorch by hand on the sequence workload: a transformer that encodes the past of every row.

One `nn.TransformerEncoderLayer` over the last 50 items and a learned question that reads them, as
in JointRec's attention; rows are cut from tensors, not collated by a DataLoader.
"""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from job import RATE, TOWER, WIDTH, Clock, peak_mib
from sequences import HEADS, ITEMS, KINDS, LAST, SEQUENCE_BATCH, STEP, TOP, USERS
from torch import Tensor, nn
from torch.nn import functional as F


class Transformer(nn.Module):
    """Vectors of user and item, the past by attention, two shared layers, two towers."""

    def __init__(self, kinds: Tensor) -> None:
        super().__init__()
        self.kinds = kinds
        self.user, self.item = nn.Embedding(USERS, WIDTH), nn.Embedding(ITEMS, WIDTH)
        self.kind = nn.Embedding(KINDS, WIDTH)
        self.project = nn.Linear(2 * WIDTH, STEP)
        self.places = nn.Parameter(torch.randn(LAST, STEP) * 0.1)
        self.encode = nn.TransformerEncoderLayer(
            STEP, HEADS, STEP, dropout=0.0, batch_first=True, norm_first=True
        )
        self.question = nn.Parameter(torch.randn(1, 1, STEP) * 0.1)
        self.read = nn.MultiheadAttention(STEP, HEADS, batch_first=True)
        inputs = 3 * WIDTH + STEP
        self.top = nn.Sequential(
            nn.Linear(inputs, TOP[0]), nn.ReLU(), nn.Linear(TOP[0], TOP[1]), nn.ReLU()
        )
        self.towers = nn.ModuleList(
            nn.Sequential(nn.Linear(TOP[1], TOWER), nn.ReLU(), nn.Linear(TOWER, 1))
            for _ in range(2)
        )

    def forward(self, rows: Tensor, past: Tensor) -> Tensor:
        """A logit for each task."""
        gone = past < 0
        open_ = gone & ~gone.all(dim=1, keepdim=True)
        items = past.clamp(min=0)
        steps = self.project(torch.cat([self.item(items), self.kind(self.kinds[items])], dim=2))
        steps = self.encode(steps + self.places, src_key_padding_mask=open_)
        question = self.question.expand(len(rows), -1, -1)
        read, _ = self.read(question, steps, steps, key_padding_mask=open_, need_weights=False)
        own = [self.user(rows[:, 0]), self.item(rows[:, 1]), self.kind(rows[:, 2])]
        x = self.top(torch.cat([*own, read.squeeze(1)], dim=1))
        return torch.cat([tower(x) for tower in self.towers], dim=1)


def main() -> None:
    """The command. One line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--warm", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    given = parser.parse_args()
    torch.manual_seed(0)
    rows, past, labels, kinds = (
        torch.from_numpy(np.load(given.data / f"{name}.npy").astype(kind))
        for name, kind in (("rows", np.int64), ("past", np.int64), ("labels", np.float32),
                           ("kinds", np.int64))
    )  # fmt: skip
    model = Transformer(kinds)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    order = torch.randperm(len(rows))
    for step in range(given.warm + given.steps):
        if step == given.warm:
            clock = Clock()
        at = order[step * SEQUENCE_BATCH : (step + 1) * SEQUENCE_BATCH]
        loss = F.binary_cross_entropy_with_logits(model(rows[at], past[at]), labels[at])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    told = {"versions": {"torch": version("torch")}, "peak_mib": peak_mib()}
    print("\n" + json.dumps({**told, "train": clock.read(given.steps * SEQUENCE_BATCH)}))


if __name__ == "__main__":
    main()
