"""torch-rechub: its MMOE, its MTLTrainer and its DataGenerator, as its examples have them."""

from __future__ import annotations

import numpy as np
import torch
from job import BATCH, EXPERTS, SCORED, TOWER, WIDTH, WIDTHS, Job, known_or_zero, main
from torch.utils.data import DataLoader
from torch_rechub.basic.features import DenseFeature, SparseFeature
from torch_rechub.models.multi_task import MMOE
from torch_rechub.trainers import MTLTrainer
from torch_rechub.utils.data import DataGenerator, PredictDataset
from workload import CATEGORIES, NUMERICS

KINDS = ["classification"] * 3 + ["regression"]


class Rechub:
    """Its optimizer decays every vector by default; its layers normalise over the batch."""

    packages = ("torch-rechub", "torch", "numpy")

    def __init__(self, job: Job) -> None:
        torch.manual_seed(0)
        features = [
            SparseFeature(c, n, WIDTH) for c, n in zip(CATEGORIES, job.sizes(), strict=True)
        ]
        features += [DenseFeature(name) for name in NUMERICS]
        model = MMOE(
            features, KINDS, EXPERTS, {"dims": list(WIDTHS)}, [{"dims": [TOWER]} for _ in KINDS]
        )
        self.trainer = MTLTrainer(model, task_types=KINDS, n_epoch=1)

    def train(self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray) -> None:
        x, y = columns(ids, numbers), known_or_zero(labels)
        few = {name: column[:2] for name, column in x.items()}
        loader, _, _ = DataGenerator(x, y).generate_dataloader(
            x_val=few, y_val=y[:2], x_test=few, y_test=y[:2], batch_size=BATCH
        )
        self.trainer.train_one_epoch(loader)  # what `fit` calls, without its evaluation

    def score(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        if len(ids) <= 1000:  # its predict takes a loader; for one request its forward is kinder
            self.trainer.model.eval()
            x = {name: torch.from_numpy(column) for name, column in columns(ids, numbers).items()}
            with torch.no_grad():
                return self.trainer.model(x).numpy()
        loader = DataLoader(PredictDataset(columns(ids, numbers)), batch_size=SCORED)
        return np.asarray(self.trainer.predict(self.trainer.model, loader))


def columns(ids: np.ndarray, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """A column for each feature, as the library reads them."""
    found = {name: ids[:, n].astype(np.int64) for n, name in enumerate(CATEGORIES)}
    return found | {name: np.ascontiguousarray(numbers[:, n]) for n, name in enumerate(NUMERICS)}


if __name__ == "__main__":
    main(Rechub)
