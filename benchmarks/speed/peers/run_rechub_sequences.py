"""torch-rechub on the sequence workload: its DIN, one task, as its examples have it.

Its models for many tasks read no past. DIN asks the past of every row by the item of the row:
another model than JointRec's, so its speed is told for context.
"""

from __future__ import annotations

import numpy as np
import torch
from din import ASKED, TOP, columns, measure
from sequences import ITEMS, KINDS, SEQUENCE_BATCH, USERS
from torch_rechub.basic.features import SequenceFeature, SparseFeature
from torch_rechub.models.ranking import DIN
from torch_rechub.trainers import CTRTrainer
from torch_rechub.utils.data import DataGenerator

WIDTH = 16


def build() -> CTRTrainer:
    """The model and its trainer."""
    torch.manual_seed(0)
    past = [
        SequenceFeature("hist_item", ITEMS + 1, WIDTH, pooling="concat", shared_with="item"),
        SequenceFeature("hist_kind", KINDS + 1, WIDTH, pooling="concat", shared_with="kind"),
    ]
    target = [SparseFeature("item", ITEMS + 1, WIDTH), SparseFeature("kind", KINDS + 1, WIDTH)]
    model = DIN(
        [SparseFeature("user", USERS, WIDTH)], past, target,
        mlp_params={"dims": list(TOP)}, attention_mlp_params={"dims": list(ASKED)},
    )  # fmt: skip
    return CTRTrainer(model, n_epoch=1)


def train(trainer: CTRTrainer, x: dict[str, np.ndarray], y: np.ndarray) -> None:
    """One pass over these rows."""
    few = {name: column[:2] for name, column in x.items()}
    loader, _, _ = DataGenerator(x, y).generate_dataloader(
        x_val=few, y_val=y[:2], x_test=few, y_test=y[:2], batch_size=SEQUENCE_BATCH
    )
    trainer.train_one_epoch(loader)


if __name__ == "__main__":
    measure(build, train, columns, ("torch-rechub", "torch"))
