"""PyTorch by hand, as a careful person writes it first: modules, Adam, a DataLoader.

One table for each column, masked losses, no library. ``--dense`` is the small model instead: the
vectors side by side, one layer of 128, a head for each yes-or-no label.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from job import BATCH, EXPERTS, RATE, SCORED, TOWER, WIDTH, WIDTHS, Job, main
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from workload import NUMBERS


class MMoE(nn.Module):
    """The model of every system of this benchmark, as plain modules."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, WIDTH) for size in sizes)
        inputs, tasks = WIDTH * len(sizes) + NUMBERS, 4
        self.experts = nn.ModuleList(
            nn.Sequential(
                nn.Linear(inputs, WIDTHS[0]), nn.ReLU(), nn.Linear(WIDTHS[0], WIDTHS[1]), nn.ReLU()
            )
            for _ in range(EXPERTS)
        )
        self.gates = nn.ModuleList(nn.Linear(inputs, EXPERTS) for _ in range(tasks))
        self.towers = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTHS[1], TOWER), nn.ReLU(), nn.Linear(TOWER, 1))
            for _ in range(tasks)
        )

    def forward(self, ids: Tensor, numbers: Tensor) -> Tensor:
        """A logit of each yes-or-no label and the logarithm of the amount."""
        vectors = [table(ids[:, n]) for n, table in enumerate(self.tables)]
        x = torch.cat([*vectors, numbers], dim=1)
        experts = torch.stack([expert(x) for expert in self.experts], dim=1)
        outputs = []
        for gate, tower in zip(self.gates, self.towers, strict=True):
            shares = gate(x).softmax(dim=1).unsqueeze(2)
            outputs.append(tower((shares * experts).sum(dim=1)))
        return torch.cat(outputs, dim=1)


class Dense(nn.Module):
    """The small model: one layer of 128, a head for each yes-or-no label."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, WIDTH) for size in sizes)
        self.layer = nn.Linear(WIDTH * len(sizes) + NUMBERS, 128)
        self.heads = nn.Linear(128, 3)

    def forward(self, ids: Tensor, numbers: Tensor) -> Tensor:
        """A logit of each yes-or-no label."""
        vectors = [table(ids[:, n]) for n, table in enumerate(self.tables)]
        logits: Tensor = self.heads(F.relu(self.layer(torch.cat([*vectors, numbers], dim=1))))
        return logits


class Plain:
    """Adam over all weights, the tables too, as `torch.optim.Adam(model.parameters())` has it."""

    packages = ("torch", "numpy")

    def __init__(self, job: Job, model: type[nn.Module]) -> None:
        torch.manual_seed(0)
        self.model = model(job.sizes())
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE)

    def train(self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray) -> None:
        y = labels.copy()
        y[:, 3] = np.log1p(y[:, 3])
        data = TensorDataset(*(torch.from_numpy(a) for a in (ids.astype(np.int64), numbers, y)))
        self.model.train()
        for own, numeric, truth in DataLoader(data, batch_size=BATCH, shuffle=True):
            loss = masked(self.model(own, numeric), truth)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def score(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        self.model.eval()
        found = []
        with torch.inference_mode():
            for start in range(0, len(ids), SCORED):
                own = torch.from_numpy(ids[start : start + SCORED].astype(np.int64))
                outputs = self.model(own, torch.from_numpy(numbers[start : start + SCORED]))
                outputs[:, :3] = outputs[:, :3].sigmoid()
                found.append(outputs.numpy())
        return np.concatenate(found)


def masked(outputs: Tensor, truth: Tensor) -> Tensor:
    """The sum over the tasks of the mean loss of the rows whose label is known."""
    truth = truth[:, : outputs.shape[1]]
    known = ~truth.isnan()
    losses = [
        F.binary_cross_entropy_with_logits(outputs[known[:, n], n], truth[known[:, n], n])
        for n in range(3)
    ]
    if outputs.shape[1] == 4:
        losses.append(F.mse_loss(outputs[known[:, 3], 3], truth[known[:, 3], 3]))
    return torch.stack(losses).sum()


if __name__ == "__main__":
    small = "--dense" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--dense"]
    main(lambda job: Plain(job, Dense if small else MMoE))
