"""FuxiCTR: its base class for many tasks, its embedding and its layers, its loader of rows.

The package on PyPI leaves its own MMoE out (it lies beside the package in the repository), so the
forward pass is written here of the package's parts.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict

import numpy as np
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch.dataloaders.npz_dataloader import NpzDataLoader
from fuxictr.pytorch.layers import FeatureEmbedding, MLP_Block
from fuxictr.pytorch.models import MultiTaskModel
from job import BATCH, EXPERTS, RATE, SCORED, TOWER, WIDTH, WIDTHS, Job, known_or_zero, main
from torch import Tensor, nn
from workload import CATEGORIES, NUMBERS, NUMERICS, TASKS


class MMoE(MultiTaskModel):
    """Experts for all, a gate and a tower for each task."""

    def __init__(self, feature_map: FeatureMap, folder: str) -> None:
        kinds = ["binary_classification"] * 3 + ["regression"]
        super().__init__(
            feature_map, task=kinds, num_tasks=4, gpu=-1, verbose=0, model_root=folder,
            metrics=["AUC"],
        )  # fmt: skip
        self.embedding = FeatureEmbedding(feature_map, WIDTH, required_feature_columns=CATEGORIES)
        inputs = WIDTH * len(CATEGORIES) + NUMBERS
        self.experts = nn.ModuleList(
            MLP_Block(inputs, hidden_units=list(WIDTHS), output_activation=None)
            for _ in range(EXPERTS)
        )
        self.gates = nn.ModuleList(nn.Linear(inputs, EXPERTS) for _ in TASKS)
        self.towers = nn.ModuleList(
            MLP_Block(WIDTHS[-1], hidden_units=[TOWER], output_dim=1) for _ in TASKS
        )
        self.compile("adam", ["binary_crossentropy"] * 3 + ["mse_loss"], RATE)
        self.reset_parameters()

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """The prediction of each task."""
        own = self.get_inputs(inputs)
        numbers = torch.stack([own[name].float() for name in NUMERICS], dim=1)
        vectors = self.embedding({name: own[name] for name in CATEGORIES}).flatten(start_dim=1)
        x = torch.cat([vectors, numbers], dim=1)
        experts = torch.stack([expert(x) for expert in self.experts], dim=1)
        found = {}
        for n, task in enumerate(TASKS):
            shares = self.gates[n](x).softmax(dim=1).unsqueeze(2)
            output = self.towers[n]((shares * experts).sum(dim=1))
            found[f"{task}_pred"] = self.output_activation[n](output)
        return found


class Fuxi:
    """Training by its `train_step` over its loader: what `fit` does between two evaluations."""

    packages = ("fuxictr", "torch", "numpy")

    def __init__(self, job: Job) -> None:
        torch.manual_seed(0)
        self.room = tempfile.TemporaryDirectory()
        self.features = FeatureMap("flat", self.room.name)
        self.features.features = OrderedDict(
            {
                name: {"type": "categorical", "source": "", "vocab_size": size}
                for name, size in zip(CATEGORIES, job.sizes(), strict=True)
            }
            | {name: {"type": "numeric", "source": ""} for name in NUMERICS}
        )
        self.features.labels = list(TASKS)
        self.features.num_fields = len(self.features.features)
        self.features.set_column_index()
        self.model = MMoE(self.features, self.room.name)
        self.model._max_gradient_norm = 10.0

    def train(self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray) -> None:
        self.model.train()
        for batch in self._loader(ids, numbers, known_or_zero(labels), shuffle=True):
            self.model.train_step(batch).item()

    def score(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        labels = np.zeros((len(ids), len(TASKS)), dtype=np.float32)
        found = self.model.predict(self._loader(ids, numbers, labels, shuffle=False))
        return np.stack([np.asarray(found[task]) for task in TASKS], axis=1)

    def _loader(
        self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray, shuffle: bool
    ) -> NpzDataLoader:
        columns = {name: ids[:, n] for n, name in enumerate(CATEGORIES)}
        columns |= {name: numbers[:, n] for n, name in enumerate(NUMERICS)}
        columns |= {name: labels[:, n] for n, name in enumerate(TASKS)}
        path = f"{self.room.name}/rows.npz"
        np.savez(path, **columns)
        size = BATCH if shuffle else SCORED
        return NpzDataLoader(self.features, path, batch_size=size, shuffle=shuffle, num_workers=0)


if __name__ == "__main__":
    main(Fuxi)
